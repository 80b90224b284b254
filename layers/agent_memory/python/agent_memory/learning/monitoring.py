"""Monitors a known pattern on new evidence: its rates, its confidence, and whether it still holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from agent_memory.learning.comparison import Comparison
from agent_memory.learning.cusum import cumulative_sums, local_base_rates, log_likelihood_ratios, log_odds_ratio
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.patterns import Pattern, PatternThresholds


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
        confidence: posterior probability that the effect has the sign that was found, from `recent` and, as far as that
            agrees, from the decisions before.
        has_alarm: whether the monitor's sum reached its threshold.
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


def evaluate(
    dataset: Dataset,
    features: Sequence[str],
    monitor: DriftMonitor,
    *,
    holdout_begins_ms: int,
    final_before_ms: int,
    thresholds: PatternThresholds,
) -> PatternState:
    """Evaluate a known pattern.

    Args:
        dataset: the evidence of its decision type.
        features: its features.
        monitor: the monitor of its outcomes so far.
        holdout_begins_ms: decisions from this time on were not used to find the pattern.
        final_before_ms: outcomes of decisions before this time are assumed not to change any more.
        thresholds: half-life, prior and false alarm rate.
    """
    matching = dataset.table.features.matching(features)
    times = dataset.times_ms[matching]
    recent = dataset.compare_recent(matching, from_ms=holdout_begins_ms, half_life_ms=thresholds.half_life_ms)
    before = dataset.compare_before(matching, until_ms=holdout_begins_ms, half_life_ms=thresholds.half_life_ms)
    overall = dataset.compare_all(matching)
    prior = thresholds.prior_decisions
    base_rates = local_base_rates(dataset.times_ms, dataset.success, matching, prior_decisions=prior)
    # Correlated outcomes count as much as their effective sample size.
    weight = overall.matching.effective_size / max(1, overall.matching.occurrences)
    first = int(np.searchsorted(times, monitor.through_ms))
    steps = weight * log_likelihood_ratios(dataset.success[matching][first:], base_rates[first:], monitor.log_odds)
    sums = cumulative_sums(-steps if monitor.detects_return else steps, monitor.total)
    final = int(np.searchsorted(times[first:], final_before_ms))
    return PatternState(
        overall=overall,
        recent=recent,
        confidence=recent.confidence(higher=monitor.is_better, prior_decisions=prior, before=before),
        has_alarm=bool(np.max(sums) >= log(thresholds.false_alarm_decisions)),
        monitor=replace(monitor, total=float(sums[final]), through_ms=max(monitor.through_ms, final_before_ms)),
        first_seen_ms=int(times[0]) if len(times) else None,
        last_seen_ms=int(times[-1]) if len(times) else None,
    )
