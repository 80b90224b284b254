"""Identifies patterns: from decisions with outcomes to the few statements that hold.

A combination of features becomes a pattern if it stands out in the train part among all that were tested (exact test,
false discovery rate controlled), differs by enough to matter, and is confirmed in the holdout, which was not used to
find it. A combination that only repeats a more general pattern is dropped.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from agent_memory.learning.array_types import BoolArray, ByteArray
from agent_memory.learning.comparison import Comparison
from agent_memory.learning.counting import CombinationCounts
from agent_memory.learning.dataset import Dataset, build_dataset
from agent_memory.learning.descriptions import description_of, pattern_id_of
from agent_memory.learning.discovery import Candidate, discover
from agent_memory.learning.evidence_table import EvidenceTable, build_tables
from agent_memory.learning.patterns import Holdout, Identification, Pattern, PatternThresholds, Rate
from agent_memory.model.evidence import Evidence

_DEFAULTS = PatternThresholds()


def identify_patterns(evidence: Iterable[Evidence], thresholds: PatternThresholds = _DEFAULTS) -> Identification:
    """Find the combinations of features under which decisions succeed more, or less, often than otherwise.

    The evidence is read once, and its order does not matter. Decisions are compared with others of their type; the
    false discovery rate is controlled over the candidates of all types together.
    """
    return identify_in_datasets(build_datasets(build_tables(evidence), thresholds), thresholds)


def build_datasets(tables: Iterable[EvidenceTable], thresholds: PatternThresholds = _DEFAULTS) -> list[Dataset]:
    """Prepare tables of evidence for the search."""
    return [build_dataset(table, thresholds) for table in tables]


def identify_in_datasets(datasets: Sequence[Dataset], thresholds: PatternThresholds = _DEFAULTS) -> Identification:
    """The same as `identify_patterns`, for evidence that is arranged in datasets already."""
    discovery = discover(datasets, thresholds)
    candidates = _without_repetitions(_without_synonyms(discovery.found), discovery.tested, thresholds)
    confirmed = _confirm(candidates, thresholds)
    patterns = [_pattern(one, holdout, thresholds) for one, holdout, is_confirmed in confirmed if is_confirmed]
    # A candidate that the holdout contradicts is most likely a false discovery.
    emerging = [
        _pattern(one, holdout, thresholds)
        for one, holdout, is_confirmed in confirmed
        if not is_confirmed and holdout.effect and (holdout.effect > 0) == one.is_better
    ]
    return Identification(
        patterns=_by_significance(patterns),
        emerging=_by_significance(emerging),
        candidates_tried=sum(len(counts) for counts in discovery.tested.values()),
        discovered=len(discovery.found),
        base_rates={
            one.decision_type: Rate(occurrences=len(one.success), successes=int(np.count_nonzero(one.success)))
            for one in datasets
        },
    )


def match_digest(matching: BoolArray) -> bytes:
    """Return a digest of which decisions match: it is equal for two combinations that match the same decisions."""
    return hashlib.sha256(np.packbits(matching).tobytes()).digest()


def _by_significance(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    return tuple(sorted(patterns, key=lambda pattern: (pattern.q_value, pattern.pattern_id)))


def _without_synonyms(found: Sequence[Candidate]) -> list[Candidate]:
    """Keep one of the candidates that match the same decisions: the fewest features, then the shortest text."""

    def brevity(candidate: Candidate) -> tuple[int, int, tuple[str, ...]]:
        features = candidate.features
        return len(features), sum(map(len, features)), features

    first: dict[tuple[str, bytes], Candidate] = {}
    for candidate in sorted(found, key=brevity):
        first.setdefault((candidate.dataset.decision_type, match_digest(candidate.matching())), candidate)
    return list(first.values())


def _without_repetitions(
    found: Sequence[Candidate], tested: Mapping[str, CombinationCounts], thresholds: PatternThresholds
) -> list[Candidate]:
    """Drop a combination that does no better or worse than a more general one that is kept.

    The two are compared among the general one's decisions, in the train part. Each refinement that was tested there had
    a chance to look special, so the level is divided by their number (Bonferroni). This precedes the holdout: the fewer
    candidates it has to confirm, the less it must ask of each.
    """
    kept: list[tuple[Candidate, ByteArray]] = []
    for candidate in sorted(found, key=lambda one: (len(one.members), one.features)):
        dataset, members, matching = candidate.dataset, set(candidate.members), candidate.matching()
        counts = tested[dataset.decision_type]
        is_different = True
        for general, general_matching in kept:
            if is_different and general.dataset is dataset and set(general.members) < members:
                level = thresholds.false_discovery_rate / _count_refinements(general, counts)
                is_different = dataset.differs_within(matching, general_matching, level)
        if is_different:
            kept.append((candidate, np.packbits(matching[: dataset.train_size])))
    return [candidate for candidate, _ in kept]


def _count_refinements(general: Candidate, tested: CombinationCounts) -> int:
    """Count the combinations tested that contain a more general one."""
    has_all = np.all([np.any(tested.members == member, axis=1) for member in general.members], axis=0)
    return max(1, int(np.count_nonzero(has_all)) - 1)


def _confirm(
    candidates: Sequence[Candidate], thresholds: PatternThresholds
) -> list[tuple[Candidate, Comparison, bool]]:
    """Return each candidate with its comparison in the holdout, and whether that confirms the direction found."""
    if not candidates:
        return []
    holdouts = [candidate.dataset.compare_holdout(candidate.matching()) for candidate in candidates]
    p_values = [
        holdout.one_sided_p_value(higher=candidate.is_better)
        for candidate, holdout in zip(candidates, holdouts, strict=True)
    ]
    q_values = stats.false_discovery_control(p_values, method="by")
    is_confirmed = map(bool, q_values <= thresholds.holdout_false_discovery_rate)
    return list(zip(candidates, holdouts, is_confirmed, strict=True))


def _pattern(candidate: Candidate, holdout: Comparison, thresholds: PatternThresholds) -> Pattern:
    dataset, features, matching = candidate.dataset, candidate.features, candidate.matching()
    overall = dataset.compare_all(matching)
    times, begins_ms = dataset.times_ms[matching], dataset.holdout_begins_ms
    before = dataset.compare_before(matching, until_ms=begins_ms, half_life_ms=thresholds.half_life_ms)
    return Pattern(
        pattern_id=pattern_id_of(dataset.decision_type, features),
        decision_type=dataset.decision_type,
        features=features,
        description=description_of(dataset.decision_type, features, overall),
        occurrences=overall.matching.occurrences,
        successes=overall.matching.successes,
        success_rate=overall.matching.rate,
        interval=overall.matching.interval,
        base_rate=overall.rest.rate,
        base_occurrences=overall.rest.occurrences,
        effect=overall.effect,
        effect_interval=overall.effect_interval,
        confidence=holdout.confidence(
            higher=candidate.is_better, prior_decisions=thresholds.prior_decisions, before=before
        ),
        p_value=candidate.p_value,
        q_value=candidate.q_value,
        effective_sample_size=overall.matching.effective_size,
        holdout=Holdout(
            occurrences=holdout.matching.occurrences,
            successes=holdout.matching.successes,
            base_rate=holdout.rest.rate,
            p_value=holdout.one_sided_p_value(higher=candidate.is_better),
            begins_ms=begins_ms,
        ),
        first_seen_ms=int(times[0]),
        last_seen_ms=int(times[-1]),
    )
