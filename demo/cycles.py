"""All decisions and outcomes of a replay, made by the Market Hunter on the bars of the past."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from demo.plan import HOUR
from trading_agents import WARM_UP_BARS, Bars, MarketHunter, MarketRow, features_of

Record = dict[str, Any]


class Cycles:
    """The hunter's life, cycle by cycle.

    It is always lived from its first cycle on, because the hunter learns; the same bars and the same start give
    the same decisions with the same ids. That takes a second for four months, and spares keeping its state.

    Args:
        bars: what it sees, the warm-up included.
        started_at: hour of its first cycle.
        count: how many cycles to live; bars after those are not looked at.
    """

    def __init__(self, bars: Bars, started_at: datetime, count: int) -> None:
        features = features_of(bars)
        self._hunter = MarketHunter(bars.symbols)
        self._rows: list[MarketRow] = [features.row(WARM_UP_BARS + cycle) for cycle in range(count)]
        self._decisions = [self._hunter.decide(row, started_at + n * HOUR) for n, row in enumerate(self._rows)]
        self.started_at = started_at

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def agent_id(self) -> str:
        """Whose cycles these are."""
        return self._hunter.agent_id

    def at(self, cycle: int) -> datetime:
        """When a cycle took place."""
        return self.started_at + cycle * HOUR

    def row(self, cycle: int) -> MarketRow:
        """What the hunter knew in a cycle."""
        return self._rows[cycle]

    def decisions(self, cycles: Iterable[int]) -> list[Record]:
        """The decisions of some cycles, in order."""
        return [decision for cycle in cycles for decision in self._decisions[cycle]]

    def outcomes(self, cycles: Iterable[int]) -> list[Record]:
        """What came of the decisions of some cycles; each needs the cycle after it."""
        return [
            outcome
            for cycle in cycles
            for outcome in self._hunter.resolve(self._decisions[cycle], self._rows[cycle], self._rows[cycle + 1])
        ]
