"""`Book`: one simulated position at a time, filled by the rules of the backtest.

    bar t           t + 1                      exit
    order ──▶ entry at the open ─ … ─▶ stop, target, or the open after `hold_bars`

A bar that opens beyond stop or target fills at its open; within a bar the stop is assumed to come first. These are the
rules of `trading_agents.backtest.engine.trades`, bar by bar; a test compares the two.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trading_agents.paper.bars import PaperBar

ExitReason = Literal["stop", "target", "time"]


@dataclass(slots=True)
class Position:
    """An order, and after its fill a position.

    Attributes:
        decision_id: of the decision behind the order.
        direction: +1 long, -1 short.
        size: of the position; 0 for a trade that is only observed while trading is paused.
        close: of the order's bar, in quote currency.
        atr: ATR20 at the order's bar, in quote currency.
        entry: price of the fill, None before.
        bars_held: number of bars since the fill.
        setup: by which the agent remembers the outcome; empty for most agents.
        entry_cost: of the fill, as a fraction of the price; None before it.
        condition: of the market at the order's bar; empty while it is unknown.
    """

    decision_id: str
    direction: int
    size: float
    close: float
    atr: float
    entry: float | None = None
    bars_held: int = 0
    setup: str = ""
    entry_cost: float | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A closed position.

    Attributes:
        position: that was closed.
        exit_price: in quote currency.
        exit_reason: stop, target or holding time.
        net: log return after costs, for a size of 1.
    """

    position: Position
    exit_price: float
    exit_reason: ExitReason
    net: float

    @property
    def net_in_atr(self) -> float:
        """`net` in units of ATR20 at the order's bar."""
        return self.net * self.position.close / self.position.atr

    @property
    def account_return(self) -> float:
        """The return on the account, as a fraction."""
        return math.expm1(self.position.size * self.net)


class Book:
    """Holds at most one position.

    Args:
        costs_bp: per side, in basis points; a bar with spreads costs half the spread instead.
        hold_bars: number of bars after which a position is closed at the open.
        bracket: distance of stop and target from the entry, in ATR20.
    """

    def __init__(self, costs_bp: float, hold_bars: int, bracket: float) -> None:
        self._costs = costs_bp / 1e4
        self._hold_bars, self._bracket = hold_bars, bracket
        self.position: Position | None = None

    def order(self, position: Position) -> None:
        """Enter at the open of the next bar. The book must be empty."""
        if self.position is not None:
            raise ValueError(f"the book has the open position of {self.position.decision_id}")
        self.position = position

    def on_bar(self, bar: PaperBar) -> ClosedTrade | None:
        """Fill the order, and close the position if stop, target or holding time is reached in this bar."""
        position = self.position
        if position is None:
            return None
        if position.entry is None:
            position.entry = bar.open
            position.entry_cost = self._cost(bar, is_intrabar=False)
        closed = self._exit(position, position.entry, bar)
        if closed is None:
            position.bars_held += 1
            return None
        self.position = None
        price, reason, is_intrabar = closed
        gross = position.direction * math.log(price / position.entry)
        entry_cost = self._costs if position.entry_cost is None else position.entry_cost
        return ClosedTrade(position, price, reason, gross - (entry_cost + self._cost(bar, is_intrabar=is_intrabar)))

    def _cost(self, bar: PaperBar, *, is_intrabar: bool) -> float:
        """Return the cost of one side as a fraction of the price: half the spread where it is known."""
        if bar.spread_open is None or bar.spread_close is None:
            return self._costs
        at_open, at_close = bar.spread_open / bar.open / 2, bar.spread_close / bar.close / 2
        return (at_open + at_close) / 2 if is_intrabar else at_open

    def _exit(self, position: Position, entry: float, bar: PaperBar) -> tuple[float, ExitReason, bool] | None:
        """Return price and reason of the exit, and whether it is within the bar; None without one."""
        if position.bars_held >= self._hold_bars:
            return bar.open, "time", False
        side, distance = position.direction, self._bracket * position.atr
        stop, target = entry - side * distance, entry + side * distance
        worst, best = (bar.low, bar.high) if side > 0 else (bar.high, bar.low)
        if side * (bar.open - stop) <= 0:
            return bar.open, "stop", False
        if side * (bar.open - target) >= 0:
            return bar.open, "target", False
        if side * (worst - stop) <= 0:
            return stop, "stop", True
        return (target, "target", True) if side * (best - target) >= 0 else None

    def to_state(self) -> dict[str, Any] | None:
        """Return the position as plain JSON data, for `restore`."""
        return None if self.position is None else asdict(self.position)

    def restore(self, state: dict[str, Any] | None) -> None:
        """Restore the position that `to_state` returned."""
        self.position = None if state is None else Position(**state)
