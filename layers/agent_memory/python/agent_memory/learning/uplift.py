"""What memory earns: the difference between decisions made with it and decisions from which it was withheld at random.

Decisions of a unit of the experiment share their assignment and their luck, so that an arm's mean is a ratio of sums
over units, Σ Yᵤ / Σ nᵤ, with the variance m/(m−1) · Σ (Yᵤ − ȳ nᵤ)² / (Σ nᵤ)² over its m units (Cochran, *Sampling
Techniques*, 3rd ed. 1977, 6.13). Differences are taken within strata, as of one agent and one share, and averaged with
the weights n₁n₀/(n₁+n₀) of Cochran and Mantel-Haenszel.

Where every option was judged, the same decision shows what would have been achieved without memory. These differences
need no second arm, and vary less: most choices are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, NamedTuple

from agent_memory.learning.confidence_sequences import always_valid_interval

MIN_UNITS = 30
"""Units of an arm, or of paired differences, from which an interval is stated: below, a mean is not near normal."""
_MIN_STRATUM_UNITS = 2


class Observation(NamedTuple):
    """The result of one decision of an experiment: its unit, whether memory was withheld, and what it achieved."""

    unit: str
    is_withheld: bool
    value: float


@dataclass(frozen=True, slots=True)
class Arm:
    """The decisions of one arm of a stratum.

    Attributes:
        units: how many units there were.
        decisions: how many decisions they made.
        mean: of the results; 0 without decisions.
        variance: of the mean; None below two units.
        mean_square: of the results.
    """

    units: int
    decisions: int
    mean: float
    variance: float | None
    mean_square: float

    @classmethod
    def of(cls, values: Iterable[tuple[str, float]]) -> "Arm":
        """The arm with these results, each with its unit."""
        units: dict[str, list[float]] = {}
        for unit, value in values:
            units.setdefault(unit, []).append(value)
        decisions = sum(map(len, units.values()))
        if not decisions:
            return cls(0, 0, 0.0, None, 0.0)
        mean = sum(map(sum, units.values())) / decisions
        squares = sum(value * value for results in units.values() for value in results)
        count = len(units)
        variance = None
        if count >= _MIN_STRATUM_UNITS:
            spread = sum((sum(results) - mean * len(results)) ** 2 for results in units.values())
            variance = count / (count - 1) * spread / decisions**2
        return cls(count, decisions, mean, variance, squares / decisions)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Arm":
        """The arm of its stored form, which `asdict` gives."""
        return cls(data["units"], data["decisions"], data["mean"], data["variance"], data["mean_square"])


@dataclass(frozen=True, slots=True)
class Stratum:
    """The arms of one stratum, which are comparable: those with memory, and those without."""

    memory: Arm
    holdout: Arm

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> "Stratum":
        """The stratum of these observations."""
        memory, holdout = (
            Arm.of((one.unit, one.value) for one in observations if one.is_withheld is withheld)
            for withheld in (False, True)
        )
        return cls(memory, holdout)

    def as_data(self) -> dict[str, Any]:
        """The arms as they are stored."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Stratum":
        """The stratum of its stored form."""
        return cls(Arm.from_data(data["memory"]), Arm.from_data(data["holdout"]))


@dataclass(frozen=True, slots=True)
class Uplift:
    """The difference that memory makes, and the interval in which it lies.

    Attributes:
        difference: mean result with memory less that without; None while that is unknown.
        interval: holds on every day at once with a probability of 95 %; None below 30 units in an arm, and where
            results do not vary.
    """

    difference: float | None
    interval: tuple[float, float] | None

    @property
    def excludes_zero(self) -> bool:
        """Whether memory makes a difference beyond chance."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def as_data(self) -> dict[str, Any]:
        """The figures as they are stored and shown."""
        return {
            "uplift": self.difference,
            "interval": None if self.interval is None else list(self.interval),
            "excludes_zero": self.excludes_zero,
        }


UNKNOWN = Uplift(None, None)


def randomized_uplift(strata: Iterable[Stratum]) -> Uplift:
    """The difference between the arms within strata; strata with less than two units in an arm take no part."""
    compared = [one for one in strata if one.memory.variance is not None and one.holdout.variance is not None]
    weights = [_weight(one) for one in compared]
    total = sum(weights)
    if not total:
        return UNKNOWN
    shares = [weight / total for weight in weights]
    pairs = list(zip(shares, compared, strict=True))
    difference = sum(share * (one.memory.mean - one.holdout.mean) for share, one in pairs)
    variance = sum(share**2 * ((one.memory.variance or 0) + (one.holdout.variance or 0)) for share, one in pairs)
    arms = [arm for one in compared for arm in (one.memory, one.holdout)]
    spread = sum(arm.decisions * (arm.mean_square - arm.mean**2) for arm in arms) / sum(arm.decisions for arm in arms)
    smallest = min(sum(one.memory.units for one in compared), sum(one.holdout.units for one in compared))
    return _with_interval(difference, variance, spread, smallest)


def paired_uplift(differences: Iterable[tuple[str, float]]) -> Uplift:
    """The mean of the differences between what was achieved and what would have been without memory, by unit."""
    return pooled_pairs([Arm.of(differences)])


def pooled_pairs(arms: Iterable[Arm]) -> Uplift:
    """The mean of paired differences over several agents, each weighted by its decisions."""
    compared = [arm for arm in arms if arm.variance is not None]
    total = sum(arm.decisions for arm in compared)
    if not total:
        return UNKNOWN
    difference = sum(arm.decisions * arm.mean for arm in compared) / total
    variance = sum(arm.decisions**2 * (arm.variance or 0) for arm in compared) / total**2
    spread = sum(arm.decisions * (arm.mean_square - arm.mean**2) for arm in compared) / total
    return _with_interval(difference, variance, spread, sum(arm.units for arm in compared))


def _weight(stratum: Stratum) -> float:
    memory, holdout = stratum.memory.decisions, stratum.holdout.decisions
    return memory * holdout / (memory + holdout)


def _with_interval(difference: float, variance: float, spread: float, units: int) -> Uplift:
    if units < MIN_UNITS or variance <= 0 or spread <= 0:
        return Uplift(difference, None)
    return Uplift(difference, always_valid_interval(difference, variance, sqrt(spread)))
