"""Patterns: the thresholds that they are identified by, and the records that identification returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.clock import DAY_MS
from agent_memory.core.errors import InvalidInput
from agent_memory.learning.counting import MAX_FEATURES

_MINUTE_MS = 60_000
NIGHTLY_ERROR_RATE = 0.0045
"""The `familywise_error_rate` of each nightly job. Each one sees mostly the evidence of the ones before it, so that in
half a year of them a false pattern is about as probable as in one search at the default rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternThresholds:
    """The conditions under which a combination of features counts as a pattern.

    The defaults are justified, with measured error rates, in docs/decisions/0001-test-patterns-before-storing-them.md.

    Attributes:
        min_occurrences: decisions that must match, and that must not match.
        max_features: features in a combination, 1 to 3.
        familywise_error_rate: probability that a search states anything false; above 0, below 1.
        min_effect: smallest difference of success rates that is worth remembering, 0 to 1: an effect that is smaller by
            its 95 % interval is not stated.
        min_confidence: least confidence of a pattern, which an effect that has ended does not reach; 0 to 1.
        mean_duration_ms: how long an effect lasts on average.
        newest_fraction: share of the decisions that say whether an effect still holds; above 0, below 1.
        max_distinct_values: a key with more distinct values looks like an identifier.
        max_columns: features counted for each decision type.
        correlation_windows_ms: lengths of time, ascending, within which outcomes may be correlated.
        prior_decisions: weight of the prior "no different from the rest", as a number of decisions.
        half_life_ms: age at which a decision has half its weight in the confidence of a known pattern.
        false_alarm_decisions: least mean number of matching decisions between false change alarms.
    """

    min_occurrences: int = 30
    max_features: int = MAX_FEATURES
    familywise_error_rate: float = 0.05
    min_effect: float = 0.05
    min_confidence: float = 0.4
    mean_duration_ms: int = 150 * DAY_MS
    newest_fraction: float = 0.3
    max_distinct_values: int = 12
    max_columns: int = 96
    correlation_windows_ms: tuple[int, ...] = (_MINUTE_MS, *(days * DAY_MS for days in (1, 2, 4, 8, 16)))
    prior_decisions: float = 10.0
    half_life_ms: int = 30 * DAY_MS
    false_alarm_decisions: float = 2_000.0

    def __post_init__(self) -> None:
        for name in ("min_occurrences", "max_distinct_values", "max_columns"):
            self._check(name, getattr(self, name) >= 1, "must be at least 1")
        for name in ("familywise_error_rate", "newest_fraction"):
            self._check(name, 0 < getattr(self, name) < 1, "must be between 0 and 1")
        for name in ("prior_decisions", "half_life_ms", "mean_duration_ms"):
            self._check(name, getattr(self, name) > 0, "must be above 0")
        windows = self.correlation_windows_ms
        is_ascending = bool(windows) and min(windows) >= 1 and list(windows) == sorted(windows)
        self._check("correlation_windows_ms", is_ascending, "must be one or more ascending lengths of at least 1 ms")
        self._check("min_effect", 0 <= self.min_effect < 1, "must be at least 0 and below 1")
        self._check("min_confidence", 0 <= self.min_confidence < 1, "must be at least 0 and below 1")
        self._check("max_features", 1 <= self.max_features <= MAX_FEATURES, f"must be 1 to {MAX_FEATURES}")
        self._check("false_alarm_decisions", self.false_alarm_decisions > 1, "must be above 1")

    @staticmethod
    def _check(name: str, is_valid: bool, message: str) -> None:
        if not is_valid:
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
class Pattern:
    """A combination of features under which decisions of one type succeed more, or less, often than otherwise.

    Attributes:
        pattern_id: derived from type and features alone, so that it is the same in every run.
        description: one sentence for people.
        occurrences: matching decisions over the whole period; `successes` of them succeeded.
        interval: 95 % Wilson interval of `success_rate`.
        base_rate: success rate of the `base_occurrences` decisions of the same type that do not match.
        effect: `success_rate` − `base_rate`; negative for a pattern that is a warning.
        effect_interval: its 95 % Newcombe interval.
        confidence: probability that the effect lasts; see `learning.persistence`.
        p_value: two-sided, beside the patterns that were found before it.
        adjusted_p_value: the familywise error rate at which it would still have been found.
        effective_sample_size: independent decisions that the matching ones are worth.
        newest_begins_ms: when the newest decisions begin.
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
    adjusted_p_value: float
    effective_sample_size: float
    newest_begins_ms: int
    first_seen_ms: int
    last_seen_ms: int

    def as_data(self) -> dict[str, Any]:
        """Return plain strings, numbers, lists and dicts for JSON."""
        data = {name: getattr(self, name) for name in self.__slots__}
        for name in ("features", "interval", "effect_interval"):
            data[name] = list(data[name])
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """The patterns found, and how extensive the search was.

    Attributes:
        patterns: the statements that hold, the most significant first.
        emerging: what a larger rate of false statements would add, and what may have ended lately.
        candidates_tried: combinations that were tested, over all decision types.
        discovered: how many of them were found.
        base_rates: success rate of each decision type.
    """

    patterns: tuple[Pattern, ...] = ()
    emerging: tuple[Pattern, ...] = ()
    candidates_tried: int = 0
    discovered: int = 0
    base_rates: Mapping[str, Rate] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return plain strings, numbers, lists and dicts for JSON."""
        return {
            "patterns": [pattern.as_data() for pattern in self.patterns],
            "emerging": [pattern.as_data() for pattern in self.emerging],
            "candidates_tried": self.candidates_tried,
            "discovered": self.discovered,
            "base_rates": {name: rate.as_data() for name, rate in self.base_rates.items()},
        }
