"""What identification is asked for and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.learning.counting import MAX_FEATURES

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternThresholds:
    """What a combination must show before it counts as a pattern.

    Defaults are argued, with measured rates, in docs/decisions/how-a-pattern-is-learned.md.

    Attributes:
        min_occurrences: decisions in the older part that must match, and as many that must not.
        max_features: facts combined, 1 to 3.
        false_discovery_rate: expected share of false ones among those found in the older part.
        holdout_fraction: newest share of each type's decisions, kept for confirmation; above 0, below 1.
        holdout_p: the same rate among those confirmed there, in the direction found.
        min_effect: smallest difference of success rates that is worth remembering, 0 to 1.
        max_distinct_values: a key with more values looks like an identifier.
        max_columns: features counted for each decision type.
        shared_luck_ms: lengths of time, ascending, within which outcomes may be alike for reasons of their own.
        prior_decisions: how many decisions the belief "no different from the rest" is worth.
        half_life_ms: after which a decision counts half in the confidence of a pattern that is known.
        false_alarm_decisions: matching decisions, at least, that pass on average before a pattern that still holds is
            taken for one that does not.
    """

    min_occurrences: int = 30
    max_features: int = MAX_FEATURES
    false_discovery_rate: float = 0.05
    holdout_fraction: float = 0.3
    holdout_p: float = 0.05
    min_effect: float = 0.05
    max_distinct_values: int = 12
    max_columns: int = 96
    shared_luck_ms: tuple[int, ...] = (_MINUTE_MS, _DAY_MS)
    prior_decisions: float = 10.0
    half_life_ms: int = 30 * _DAY_MS
    false_alarm_decisions: float = 2_000.0

    def __post_init__(self) -> None:
        for name in ("min_occurrences", "max_distinct_values", "max_columns"):
            self._check(name, getattr(self, name) >= 1, "must be at least 1")
        for name in ("false_discovery_rate", "holdout_fraction", "holdout_p"):
            self._check(name, 0 < getattr(self, name) < 1, "must lie between 0 and 1")
        for name in ("prior_decisions", "half_life_ms"):
            self._check(name, getattr(self, name) > 0, "must be above 0")
        steps = self.shared_luck_ms
        is_ascending = bool(steps) and min(steps) >= 1 and list(steps) == sorted(steps)
        self._check("shared_luck_ms", is_ascending, "must be one or more ascending lengths of at least 1 ms")
        self._check("min_effect", 0 <= self.min_effect < 1, "must be at least 0 and below 1")
        self._check("max_features", 1 <= self.max_features <= MAX_FEATURES, f"must be 1 to {MAX_FEATURES}")
        self._check("false_alarm_decisions", self.false_alarm_decisions > 1, "must be above 1")

    @staticmethod
    def _check(name: str, is_usable: bool, message: str) -> None:
        if not is_usable:
            raise InvalidInput(name, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Successes among decisions."""

    occurrences: int
    successes: int

    @property
    def success_rate(self) -> float:
        """Successes divided by occurrences; 0 without any."""
        return self.successes / self.occurrences if self.occurrences else 0.0

    def as_data(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {
            "occurrences": self.occurrences,
            "successes": self.successes,
            "success_rate": self.success_rate,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout(Rate):
    """How a pattern did in the newest decisions, which played no part in finding it.

    `base_rate` is the rest's rate there; `p_value` is one-sided, in the direction found. `begins_ms` is the time of
    the first of these decisions.
    """

    base_rate: float
    p_value: float
    begins_ms: int

    def as_data(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        # Named, because slots=True makes a new class that a bare super() does not know.
        return {**Rate.as_data(self), "base_rate": self.base_rate, "p_value": self.p_value, "begins_ms": self.begins_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A combination of facts under which decisions of one type succeed more, or less, often than otherwise.

    Attributes:
        pattern_id: made of type and features alone, so it is the same every night.
        description: one sentence for a person.
        occurrences: matching decisions in the whole period; `successes` of them succeeded.
        interval: 95 % Wilson interval of `success_rate`.
        base_rate: success rate of the `base_occurrences` decisions of the same type that do not match.
        effect: `success_rate` − `base_rate`; below 0 the pattern is a warning.
        effect_interval: its 95 % Newcombe interval.
        confidence: posterior probability that the effect has the sign that was found, from the holdout and, as far as
            that agrees, from the older part.
        p_value: two-sided and exact, from the older part, where the pattern was found.
        q_value: the false discovery rate at which it would still have been found among all tried.
        effective_sample_size: independent decisions that the matching ones are worth.
    """

    pattern_id: str
    decision_type: str
    features: tuple[str, ...]
    description: str
    occurrences: int
    successes: int
    success_rate: float
    interval: tuple[float, float]
    base_rate: float
    base_occurrences: int
    effect: float
    effect_interval: tuple[float, float]
    confidence: float
    p_value: float
    q_value: float
    effective_sample_size: float
    holdout: Holdout
    first_seen_ms: int
    last_seen_ms: int

    def as_data(self) -> dict[str, Any]:
        """Return plain texts, numbers, lists and dicts for JSON."""
        data = {name: getattr(self, name) for name in self.__slots__}
        for name in ("features", "interval", "effect_interval"):
            data[name] = list(data[name])
        data["holdout"] = self.holdout.as_data()
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """The patterns found, and how hard was looked for them.

    Attributes:
        patterns: borne out by the newest decisions too, the most certain first.
        emerging: stand out in the older part, but the newest decisions are too few to bear them out; they do not
            contradict them either.
        candidates_tried: combinations that were tested, over all decision types.
        discovered: how many of them passed in the older part, before the holdout.
        base_rates: success rate of each decision type.
    """

    patterns: tuple[Pattern, ...] = ()
    emerging: tuple[Pattern, ...] = ()
    candidates_tried: int = 0
    discovered: int = 0
    base_rates: Mapping[str, Rate] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return plain texts, numbers, lists and dicts for JSON."""
        return {
            "patterns": [pattern.as_data() for pattern in self.patterns],
            "emerging": [pattern.as_data() for pattern in self.emerging],
            "candidates_tried": self.candidates_tried,
            "discovered": self.discovered,
            "base_rates": {name: rate.as_data() for name, rate in self.base_rates.items()},
        }
