"""Monitors a known pattern on new evidence: its rates, its confidence, and whether it still holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from agent_memory.learning.array_types import BoolArray, FloatArray
from agent_memory.learning.comparison import Comparison
from agent_memory.learning.cusum import (
    MIN_RATE,
    cumulative_sums,
    local_base_rates,
    log_likelihood_ratios,
    log_odds_ratio,
)
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.patterns import Pattern, PatternThresholds
from agent_memory.learning.persistence import probability_of_lasting, question_rates, same_day_rates

# Without any evidence of a combination.
_UNKNOWN = 0.5
# A confidence below which a pattern no longer holds.
_HAS_ENDED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMonitor:
    """The state of the CUSUM on a pattern's outcomes, from which it continues; see `learning.cusum`.

    Attributes:
        log_odds: the log odds ratio that the pattern claims; negative for a warning.
        through_ms: outcomes of decisions before this time are in the sum; milliseconds since 1970.
        total: the sum.
        detects_return: the pattern is deprecated, and the monitor detects that it holds again.
    """

    log_odds: float
    through_ms: int
    total: float = 0.0
    detects_return: bool = False

    @property
    def is_better(self) -> bool:
        """Whether the pattern's decisions succeed more often than the rest."""
        return self.log_odds > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternState:
    """A known pattern on the current evidence.

    Attributes:
        overall: its decisions against the rest, over all evidence.
        recent: the same for decisions that were not used to find it, with more weight on newer ones.
        confidence: probability that the effect lasts; see `learning.persistence`.
        has_alarm: whether the monitor's sum reached its threshold, or the effect has most probably ended.
        monitor: the monitor to continue with next time.
    """

    overall: Comparison
    recent: Comparison
    confidence: float
    has_alarm: bool
    monitor: DriftMonitor
    first_seen_ms: int | None
    last_seen_ms: int | None


def claimed_log_odds(pattern: Pattern, thresholds: PatternThresholds) -> float:
    """Return the log odds ratio that a pattern claims, and that its monitor holds it to.

    It is that of the smallest effect which the 95 % interval allows, and of `min_effect` at least: the effect that was
    found is overestimated by having been selected, which is not a reason to deprecate the pattern.
    """
    low, high = pattern.effect_interval
    is_better = pattern.effect > 0
    effect = max(low, thresholds.min_effect) if is_better else min(high, -thresholds.min_effect)
    return log_odds_ratio(pattern.base_rate + effect, pattern.base_rate)


def confidence(
    dataset: Dataset, matching: BoolArray, thresholds: PatternThresholds, *, is_better: bool, design_effect: float
) -> float:
    """The probability, 0 to 1, that an effect in this direction lasts at the end of the evidence."""
    if not np.any(matching):
        return _UNKNOWN
    return probability_of_lasting(
        dataset.times_ms[matching],
        dataset.success[matching],
        same_day_rates(dataset.times_ms, dataset.success, matching, dataset.questions),
        is_better=is_better,
        weight=1 / design_effect,
        now_ms=int(dataset.times_ms[-1]),
        mean_duration_ms=thresholds.mean_duration_ms,
    )


def _recent_base_rates(dataset: Dataset, matching: BoolArray, thresholds: PatternThresholds) -> FloatArray:
    """The rest's success rate in the days before each matching decision, for the question that it answers."""
    prior, questions = thresholds.prior_decisions, dataset.questions
    recent = local_base_rates(dataset.times_ms, dataset.success, matching, prior_decisions=prior)
    if not len(recent):
        return recent
    rates = question_rates(dataset.success, ~matching, questions)
    offsets = rates[questions[matching]] - np.mean(rates[questions[~matching]] if not matching.all() else rates)
    return np.clip(recent + offsets, MIN_RATE, 1 - MIN_RATE)


def evaluate(
    dataset: Dataset,
    features: Sequence[str],
    monitor: DriftMonitor,
    *,
    judged_from_ms: int,
    final_before_ms: int,
    thresholds: PatternThresholds,
) -> PatternState:
    """Evaluate a known pattern.

    Args:
        dataset: the evidence of its decision type.
        features: its features.
        monitor: the monitor of its outcomes so far.
        judged_from_ms: decisions from this time on say whether it still holds.
        final_before_ms: outcomes of decisions before this time are assumed not to change any more.
        thresholds: half-life, prior and false alarm rate.
    """
    matching = dataset.table.features.matching(features)
    times = dataset.times_ms[matching]
    test = dataset.tests.test(matching)
    design_effect = test.design_effect
    recent = dataset.compare_recent(
        matching, from_ms=judged_from_ms, half_life_ms=thresholds.half_life_ms, design_effect=design_effect
    )
    base_rates = _recent_base_rates(dataset, matching, thresholds)
    # Correlated outcomes count as much as their effective sample size. It is that of a rate: the base rate of the days
    # before a decision does not contain the luck of its own day.
    of_rates = dataset.compare_all(matching).matching
    weight = of_rates.effective_size / max(1, of_rates.occurrences)
    first = int(np.searchsorted(times, monitor.through_ms))
    steps = weight * log_likelihood_ratios(dataset.success[matching][first:], base_rates[first:], monitor.log_odds)
    sums = cumulative_sums(-steps if monitor.detects_return else steps, monitor.total)
    final = int(np.searchsorted(times[first:], final_before_ms))
    lasting = confidence(
        dataset, matching, thresholds, is_better=monitor.is_better, design_effect=test.shared_design_effect
    )
    has_ended = lasting < _HAS_ENDED and not monitor.detects_return
    return PatternState(
        overall=dataset.compare_all(matching, design_effect=design_effect),
        recent=recent,
        confidence=lasting,
        has_alarm=has_ended or bool(np.max(sums) >= log(thresholds.false_alarm_decisions)),
        monitor=replace(monitor, total=float(sums[final]), through_ms=max(monitor.through_ms, final_before_ms)),
        first_seen_ms=int(times[0]) if len(times) else None,
        last_seen_ms=int(times[-1]) if len(times) else None,
    )
