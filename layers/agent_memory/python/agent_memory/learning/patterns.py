"""Pattern identification: from decisions with outcomes to the few statements that hold.

A combination of facts becomes a pattern when it stands out in the older part of the record among everything that
was tried (exact test, false discovery rate controlled), differs by enough to matter, and holds again in the newest
part, which played no part in finding it. What only repeats a more general pattern is left out.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from agent_memory.learning.comparison import Comparison
from agent_memory.learning.counting import Counts
from agent_memory.learning.discovery import Candidate, Record, discover, record_of
from agent_memory.learning.model import Holdout, Identification, Pattern, PatternThresholds, Rate
from agent_memory.learning.tables import ByteArray, EvidenceTable, tables_of
from agent_memory.learning.wording import description_of, pattern_id_of
from agent_memory.model.evidence import Evidence

__all__ = [
    "Holdout",
    "Identification",
    "Pattern",
    "PatternThresholds",
    "Rate",
    "identify_in",
    "identify_patterns",
    "records_of",
]

_DEFAULTS = PatternThresholds()


def identify_patterns(evidence: Iterable[Evidence], thresholds: PatternThresholds = _DEFAULTS) -> Identification:
    """Find the combinations of facts under which decisions succeed more, or less, often than otherwise.

    The evidence is read once, as it comes, and its order does not matter. Each decision type is compared with
    itself; the false discovery rate is controlled over the candidates of all types together.
    """
    return identify_in(records_of(tables_of(evidence), thresholds), thresholds)


def records_of(tables: Iterable[EvidenceTable], thresholds: PatternThresholds = _DEFAULTS) -> list[Record]:
    """Prepare tables of evidence for the search."""
    return [record_of(table, thresholds) for table in tables]


def identify_in(records: Sequence[Record], thresholds: PatternThresholds = _DEFAULTS) -> Identification:
    """`identify_patterns` for evidence that lies in columns already."""
    discovery = discover(records, thresholds)
    statements = _without_repetition(_distinct(discovery.found), discovery.tried, thresholds)
    judged = _judged(statements, thresholds)
    promoted = [_pattern(one, newer, thresholds) for one, newer, holds in judged if holds]
    # What the newest decisions contradict is no more than what luck left behind.
    emerging = [
        _pattern(one, newer, thresholds)
        for one, newer, holds in judged
        if not holds and newer.effect and (newer.effect > 0) == one.is_better
    ]
    return Identification(
        patterns=_most_certain_first(promoted),
        emerging=_most_certain_first(emerging),
        candidates_tried=sum(len(counts) for counts in discovery.tried.values()),
        discovered=len(discovery.found),
        base_rates={
            record.decision_type: Rate(occurrences=len(record.success), successes=int(np.count_nonzero(record.success)))
            for record in records
        },
    )


def _most_certain_first(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    return tuple(sorted(patterns, key=lambda pattern: (pattern.q_value, pattern.pattern_id)))


def _distinct(found: Sequence[Candidate]) -> list[Candidate]:
    """Keep one of the candidates that match the same decisions: fewest features, then the shortest text."""

    def brevity(candidate: Candidate) -> tuple[int, int, tuple[str, ...]]:
        features = candidate.features
        return len(features), sum(map(len, features)), features

    first: dict[tuple[str, bytes], Candidate] = {}
    for candidate in sorted(found, key=brevity):
        population = hashlib.sha256(np.packbits(candidate.matching()).tobytes()).digest()
        first.setdefault((candidate.record.decision_type, population), candidate)
    return list(first.values())


def _without_repetition(
    found: Sequence[Candidate], tried: Mapping[str, Counts], thresholds: PatternThresholds
) -> list[Candidate]:
    """Drop a combination that does no better or worse than a more general one that is kept.

    The two are compared inside the general one's decisions, in the older part. All combinations tried there were
    chances to look special, so the level is divided by their number (Bonferroni). This comes before the holdout:
    the fewer statements it has to judge, the less it must ask of each.
    """
    kept: list[tuple[Candidate, ByteArray]] = []
    for candidate in sorted(found, key=lambda one: (len(one.members), one.features)):
        record, members, matching = candidate.record, set(candidate.members), candidate.matching()
        counts = tried[record.decision_type]
        adds = True
        for general, population in kept:
            if adds and general.record is record and set(general.members) < members:
                level = thresholds.false_discovery_rate / _refinements(general, counts)
                adds = record.differs_within(matching, population, level)
        if adds:
            kept.append((candidate, np.packbits(matching[: record.older])))
    return [candidate for candidate, _ in kept]


def _refinements(general: Candidate, tried: Counts) -> int:
    """Count the combinations tried that a general one is part of."""
    has_all = np.all([np.any(tried.members == member, axis=1) for member in general.members], axis=0)
    return max(1, int(np.count_nonzero(has_all)) - 1)


def _judged(found: Sequence[Candidate], thresholds: PatternThresholds) -> list[tuple[Candidate, Comparison, bool]]:
    """Say which hold in the holdout, in the direction found, among all that are looked at there."""
    if not found:
        return []
    newer = [candidate.record.compare_newer(candidate.matching()) for candidate in found]
    p_values = [
        comparison.p_value_of(higher=candidate.is_better) for candidate, comparison in zip(found, newer, strict=True)
    ]
    holds = stats.false_discovery_control(p_values, method="by") <= thresholds.holdout_p
    return list(zip(found, newer, map(bool, holds), strict=True))


def _pattern(candidate: Candidate, newer: Comparison, thresholds: PatternThresholds) -> Pattern:
    record, features = candidate.record, candidate.features
    matching = candidate.matching()
    whole = record.compare_all(matching)
    ours, rest = whole.matching, whole.rest
    times = record.times_ms[matching]
    begins_ms = int(record.times_ms[record.older])
    before = record.compare_before(matching, from_ms=begins_ms, half_life_ms=thresholds.half_life_ms)
    return Pattern(
        pattern_id=pattern_id_of(record.decision_type, features),
        decision_type=record.decision_type,
        features=features,
        description=description_of(
            record.decision_type,
            features,
            success_rate=ours.rate,
            occurrences=ours.occurrences,
            base_rate=rest.rate,
        ),
        occurrences=ours.occurrences,
        successes=ours.successes,
        success_rate=ours.rate,
        interval=ours.interval,
        base_rate=rest.rate,
        base_occurrences=rest.occurrences,
        effect=whole.effect,
        effect_interval=whole.effect_interval,
        confidence=newer.confidence(
            higher=candidate.is_better, prior_decisions=thresholds.prior_decisions, before=before
        ),
        p_value=candidate.p_value,
        q_value=candidate.q_value,
        effective_sample_size=ours.effective,
        holdout=Holdout(
            occurrences=newer.matching.occurrences,
            successes=newer.matching.successes,
            base_rate=newer.rest.rate,
            p_value=newer.p_value_of(higher=candidate.is_better),
            begins_ms=begins_ms,
        ),
        first_seen_ms=int(times.min()),
        last_seen_ms=int(times.max()),
    )
