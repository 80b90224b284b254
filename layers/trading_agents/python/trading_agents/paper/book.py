"""`Book`: one position at a time, filled by the rules of the backtest.

    bar t           t + 1                      exit
    order ──▶ entry at the open ─ … ─▶ stop, target, or the open after `hold_bars`

A bar that opens beyond stop or target fills at its open; inside a bar the stop comes before the target. The rules are
those of `trading_agents.backtest.trades`, bar by bar; a test holds the two together.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trading_agents.paper.bars import PaperBar

Ending = Literal["stop", "target", "time"]


@dataclass(slots=True)
class Position:
    """An order, and once it is filled the position.

    Attributes:
        decision_id: which decision gave the order.
        direction: +1 long, -1 short.
        size: of the position; 0 is a trade on paper of a trader that pauses.
        close: of the order's bar, in quote currency.
        atr: ATR20 at the order's bar, in quote currency.
        entry: price of the fill, None before.
        bars_held: how many bars it has been open for.
        setup: what the agent saw that outcomes are remembered by; empty for most agents.
    """

    decision_id: str
    direction: int
    size: float
    close: float
    atr: float
    entry: float | None = None
    bars_held: int = 0
    setup: str = ""


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A position that has ended.

    Attributes:
        position: as it was.
        exit: price.
        ending: what ended it.
        net: log return of the price after costs, for a size of 1.
    """

    position: Position
    exit: float
    ending: Ending
    net: float

    @property
    def net_in_atr(self) -> float:
        """`net` in units of ATR20 at the order's bar."""
        return self.net * self.position.close / self.position.atr

    @property
    def account_return(self) -> float:
        """What the account gained, as a fraction."""
        return math.expm1(self.position.size * self.net)


class Book:
    """Holds one position or none.

    Args:
        costs_bp: of a side, in basis points.
        hold_bars: bars after which a position is closed at the open.
        bracket: distance of stop and target in ATR20.
    """

    def __init__(self, costs_bp: float, hold_bars: int, bracket: float) -> None:
        self._costs = 2 * costs_bp / 1e4
        self._hold_bars, self._bracket = hold_bars, bracket
        self.position: Position | None = None

    def order(self, position: Position) -> None:
        """Enter at the next bar's open. The book must be empty."""
        if self.position is not None:
            raise ValueError(f"the book holds the position of {self.position.decision_id}")
        self.position = position

    def on_bar(self, bar: PaperBar) -> ClosedTrade | None:
        """Fill what is ordered, and close what stop, target or time ends in this bar."""
        position = self.position
        if position is None:
            return None
        if position.entry is None:
            position.entry = bar.open
        ended = self._end(position, position.entry, bar)
        if ended is None:
            position.bars_held += 1
            return None
        self.position = None
        price, ending = ended
        gross = position.direction * math.log(price / position.entry)
        return ClosedTrade(position, price, ending, gross - self._costs)

    def _end(self, position: Position, entry: float, bar: PaperBar) -> tuple[float, Ending] | None:
        if position.bars_held >= self._hold_bars:
            return bar.open, "time"
        side, reach = position.direction, self._bracket * position.atr
        stop, target = entry - side * reach, entry + side * reach
        worst, best = (bar.low, bar.high) if side > 0 else (bar.high, bar.low)
        if side * (bar.open - stop) <= 0:
            return bar.open, "stop"
        if side * (bar.open - target) >= 0:
            return bar.open, "target"
        if side * (worst - stop) <= 0:
            return stop, "stop"
        return (target, "target") if side * (best - target) >= 0 else None

    def to_state(self) -> dict[str, Any] | None:
        """The position as plain JSON data."""
        return None if self.position is None else asdict(self.position)

    def restore(self, state: dict[str, Any] | None) -> None:
        """Hold again what was written."""
        self.position = None if state is None else Position(**state)
