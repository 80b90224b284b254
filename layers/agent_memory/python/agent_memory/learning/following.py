"""How a pattern that is known stands tonight: its figures, its confidence, and the watch on its outcomes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from agent_memory.learning.change import local_base_rates, log_odds_ratio, running_sums, steps_towards_change
from agent_memory.learning.comparison import Comparison
from agent_memory.learning.discovery import Record
from agent_memory.learning.model import Pattern, PatternThresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The sum of `learning.change` as it stood at a time, from which it goes on.

    Attributes:
        log_odds: what the pattern is held to; below 0 for a warning.
        total: the sum over the outcomes of decisions before `through_ms`.
        through_ms: milliseconds since 1970.
        for_return: the watch is on a deprecated pattern, whether it has come back.
    """

    log_odds: float
    through_ms: int
    total: float = 0.0
    for_return: bool = False

    @property
    def is_better(self) -> bool:
        """Whether the pattern is of decisions that succeed more often than the rest."""
        return self.log_odds > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A known pattern on tonight's evidence.

    Attributes:
        whole: its decisions against the rest, over all of the evidence.
        recent: the same for decisions that played no part in finding it, the newest counting most.
        confidence: posterior probability that the effect has the sign that was found, from `recent` and, as far as that
            agrees, from the decisions before.
        has_alarm: the watched sum reached its limit.
        watch: where the sum goes on from the next time.
    """

    whole: Comparison
    recent: Comparison
    confidence: float
    has_alarm: bool
    watch: Watch
    first_seen_ms: int | None
    last_seen_ms: int | None


def least_log_odds(pattern: Pattern, thresholds: PatternThresholds) -> float:
    """The log odds ratio that a pattern is held to from now on.

    It is that of the smallest effect which the 95 % interval leaves possible, and of `min_effect` at least: a
    pattern whose effect looked larger than it is must not be deprecated for that.
    """
    low, high = pattern.effect_interval
    is_better = pattern.effect > 0
    effect = max(low, thresholds.min_effect) if is_better else min(high, -thresholds.min_effect)
    return log_odds_ratio(pattern.base_rate + effect, pattern.base_rate)


def population_of(record: Record, features: Sequence[str]) -> bytes:
    """A digest of which decisions match: equal for two wordings of the same decisions."""
    return hashlib.sha256(np.packbits(record.table.facts.holding(features)).tobytes()).digest()


def follow(
    record: Record,
    features: Sequence[str],
    watch: Watch,
    *,
    judged_from_ms: int,
    settled_ms: int,
    thresholds: PatternThresholds,
) -> Standing:
    """Work out how a pattern stands.

    Args:
        record: the evidence of its decision type.
        features: its features.
        watch: where the sum on its outcomes goes on.
        judged_from_ms: decisions from then on played no part in finding it.
        settled_ms: outcomes of decisions before do not change any more.
        thresholds: half-life, prior and rate of false alarms.
    """
    matching = record.table.facts.holding(features)
    times = record.times_ms[matching]
    recent = record.compare_recent(matching, from_ms=judged_from_ms, half_life_ms=thresholds.half_life_ms)
    before = record.compare_before(matching, from_ms=judged_from_ms, half_life_ms=thresholds.half_life_ms)
    whole = record.compare_all(matching)
    base_rates = local_base_rates(record.times_ms, record.success, matching, prior_decisions=thresholds.prior_decisions)
    # Outcomes that share their luck count as many times as the effective sample size says.
    worth = whole.matching.effective / max(1, whole.matching.occurrences)
    first = int(np.searchsorted(times, watch.through_ms))
    steps = worth * steps_towards_change(record.success[matching][first:], base_rates[first:], watch.log_odds)
    sums = running_sums(-steps if watch.for_return else steps, watch.total)
    settled = int(np.searchsorted(times[first:], settled_ms))
    return Standing(
        whole=whole,
        recent=recent,
        confidence=recent.confidence(higher=watch.is_better, prior_decisions=thresholds.prior_decisions, before=before),
        has_alarm=bool(np.max(sums) >= log(thresholds.false_alarm_decisions)),
        watch=replace(watch, total=float(sums[settled]), through_ms=max(watch.through_ms, settled_ms)),
        first_seen_ms=int(times[0]) if len(times) else None,
        last_seen_ms=int(times[-1]) if len(times) else None,
    )
