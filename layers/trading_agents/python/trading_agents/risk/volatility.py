"""`VolatilityMemory`: smaller positions in volatile markets, larger ones in calm markets."""

import math

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.risk.exponential_average import ExponentialAverage

_REFERENCE_DAYS = 252


class VolatilityMemory:
    """Sizes positions inversely to volatility, relative to its long-term level.

    σ is the square root of the exponentially weighted mean of squared returns, half-life one day; ref is the
    exponential of the exponentially weighted mean of log σ, half-life 252 days. A position is multiplied by
    clip(ref / σ, 0.5, 1.5).

    Evidence (docs/does-memory-help.md): the mean loss of the worst 1% of days fell by 13 to 22% at equal exposure,
    beyond chance on 2 of 3 files (not on BTC). On other files it fell on most, not on all; with simple agents on a
    single stock it did not. The Sharpe ratio rose beyond chance on 0 of 3 files; with textbook agents on BTC, whose
    edge is in high volatility, it changed by -0.60 [-1.01, -0.26].

    Args:
        bars_per_day: number of returns per day (24 for hourly BTC bars, about 7 for those of a stock).
        lowest: the smallest multiplier.
        highest: the largest multiplier.
    """

    def __init__(self, bars_per_day: float, *, lowest: float = 0.5, highest: float = 1.5) -> None:
        if not 0 < bars_per_day < math.inf:
            raise InvalidInput("bars_per_day", f"{bars_per_day!r} is not a number above 0")
        if not 0 < lowest <= 1 <= highest:
            raise InvalidInput("lowest", f"{lowest!r} and highest {highest!r} are not 0 < lowest <= 1 <= highest")
        self._lowest, self._highest = lowest, highest
        self._squares = ExponentialAverage(bars_per_day)
        self._log_sigma = ExponentialAverage(_REFERENCE_DAYS * bars_per_day)

    def observe(self, bar_return: float) -> None:
        """Add the return of a bar, as a fraction or a log return.

        Raises:
            InvalidInput: the return is not a finite number.
        """
        if not math.isfinite(bar_return):
            raise InvalidInput("bar_return", f"{bar_return!r} is not a finite number")
        self._squares.add(bar_return**2)
        sigma = self.sigma
        if sigma:
            self._log_sigma.add(math.log(sigma))

    @property
    def sigma(self) -> float | None:
        """Volatility per bar, in the unit of the returns; None before the first."""
        square = self._squares.value
        return None if square is None else math.sqrt(square)

    @property
    def multiplier(self) -> float:
        """The factor for positions; 1 before the first return."""
        log_reference = self._log_sigma.value
        if log_reference is None:
            return 1.0
        sigma = self.sigma or 0.0
        ratio = math.exp(log_reference) / sigma if sigma else math.inf
        return min(self._highest, max(self._lowest, ratio))

    def to_state(self) -> Snapshot:
        """Return both averages and the settings, for `from_state`."""
        averages = {"squares": self._squares.to_state(), "log_sigma": self._log_sigma.to_state()}
        return snapshot("VolatilityMemory", lowest=self._lowest, highest=self._highest, **averages)

    @classmethod
    def from_state(cls, state: Snapshot) -> "VolatilityMemory":
        """Return the memory of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "VolatilityMemory")
        squares, log_sigma = (
            ExponentialAverage.from_state(data["squares"]),
            ExponentialAverage.from_state(data["log_sigma"]),
        )
        memory = cls(squares.half_life, lowest=data["lowest"], highest=data["highest"])
        memory._squares, memory._log_sigma = squares, log_sigma
        return memory
