"""`ExponentialAverage`: an exponentially weighted average that is updated one value at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent_memory import InvalidInput


@dataclass(slots=True)
class ExponentialAverage:
    """(Σ wᵢ xᵢ) / Σ wᵢ with wᵢ = 0.5^(age / half-life): a value has half the weight of one `half_life` values later.

    Normalised by the sum of the weights, so that it is unbiased from the first value on.
    """

    half_life: float
    _sum: float = 0.0
    _weight: float = 0.0

    def __post_init__(self) -> None:
        if not self.half_life > 0:
            raise InvalidInput("half_life", f"{self.half_life!r} is not a number of observations above 0")

    @property
    def rate(self) -> float:
        """The asymptotic weight of the newest value, 1 - 0.5^(1 / half-life)."""
        return float(1 - 0.5 ** (1 / self.half_life))

    @property
    def value(self) -> float | None:
        """The average; None before the first value."""
        return self._sum / self._weight if self._weight else None

    def add(self, value: float) -> None:
        """Add a value."""
        keep = 1 - self.rate
        self._sum = keep * self._sum + value
        self._weight = keep * self._weight + 1

    def to_state(self) -> list[float]:
        """Return half-life, weighted sum and sum of weights, for `from_state`."""
        return [self.half_life, self._sum, self._weight]

    @classmethod
    def from_state(cls, state: Sequence[float]) -> "ExponentialAverage":
        """Return the average that `to_state` described."""
        return cls(*state)
