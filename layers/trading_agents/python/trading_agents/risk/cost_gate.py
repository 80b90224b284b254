"""`CostGate`: no trade while the quoted spread is far above its median."""

import math
from bisect import bisect_left, insort
from collections import deque

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot

_DAY_SECONDS = 86_400


class CostGate:
    """Remembers quoted spreads, and allows a trade unless the current quote exceeds 1.5 times their 60-day median.

    Evidence (docs/does-memory-help.md, 1 of 1 file with quotes, EURUSD hours, on which it was chosen): the Sharpe ratio
    changed by +0.27 [-0.01, +0.55] with textbook agents and by +0.23 [-0.03, +0.46] with the five agents, whose trades
    were better beyond chance. On other bars with a live spread that gain did not repeat. A remembered table of costs by
    hour gained less than the quote itself. Where costs are fixed, the gate has no effect. Measure it on your own bars
    (`agent-memory backtest`) before you use it.

    Args:
        window_days: how long quotes are remembered.
        ratio: largest allowed quote, in multiples of the median.
        least_quotes: number of remembered quotes from which the gate takes effect.
    """

    def __init__(self, *, window_days: float = 60, ratio: float = 1.5, least_quotes: int = 24) -> None:
        for name, value in (("window_days", window_days), ("ratio", ratio), ("least_quotes", least_quotes)):
            if not 0 < value < math.inf:
                raise InvalidInput(name, f"{value!r} is not a number above 0")
        self._window_seconds = window_days * _DAY_SECONDS
        self._ratio, self._least_quotes = ratio, least_quotes
        self._quotes: deque[tuple[float, float]] = deque()
        self._sorted_spreads: list[float] = []

    def observe(self, spread: float, at: float) -> None:
        """Remember a quoted spread (any unit, 0 or more). `at`: seconds since the epoch, not before the last quote.

        Raises:
            InvalidInput: `spread` is not a number of 0 or more, or `at` is before the last quote.
        """
        _check_spread(spread)
        if not math.isfinite(at) or (self._quotes and at < self._quotes[-1][0]):
            raise InvalidInput("at", f"{at!r} is not a time at or after the last quote")
        self._quotes.append((at, spread))
        insort(self._sorted_spreads, spread)
        while self._quotes[0][0] <= at - self._window_seconds:
            _, old = self._quotes.popleft()
            del self._sorted_spreads[bisect_left(self._sorted_spreads, old)]

    @property
    def median(self) -> float | None:
        """Median of the remembered spreads; None while there are fewer than `least_quotes`."""
        count = len(self._sorted_spreads)
        if count < self._least_quotes:
            return None
        return (self._sorted_spreads[(count - 1) // 2] + self._sorted_spreads[count // 2]) / 2

    def allows(self, quoted_spread: float) -> bool:
        """Return whether to trade at the current quote. `InvalidInput` if it is not a number of 0 or more."""
        _check_spread(quoted_spread)
        median = self.median
        return median is None or quoted_spread <= self._ratio * median

    def to_state(self) -> Snapshot:
        """Return the remembered quotes and the settings, for `from_state`."""
        return snapshot(
            "CostGate",
            window_days=self._window_seconds / _DAY_SECONDS,
            ratio=self._ratio,
            least_quotes=self._least_quotes,
            quotes=[list(quote) for quote in self._quotes],
        )

    @classmethod
    def from_state(cls, state: Snapshot) -> "CostGate":
        """Return the gate of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "CostGate")
        quotes = data.pop("quotes")
        gate = cls(**data)
        gate._quotes.extend((at, spread) for at, spread in quotes)
        gate._sorted_spreads = sorted(spread for _, spread in quotes)
        return gate


def _check_spread(spread: float) -> None:
    if not 0 <= spread < math.inf:
        raise InvalidInput("spread", f"{spread!r} is not a number of 0 or more")
