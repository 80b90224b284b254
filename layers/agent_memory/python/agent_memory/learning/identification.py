"""Identifies patterns: from decisions with outcomes to the few statements that hold.

`learning.discovery` finds the combinations of facts that differ from comparable decisions. One of them becomes a
pattern if its effect probably lasts (`learning.persistence`).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from agent_memory.learning.array_types import BoolArray
from agent_memory.learning.dataset import Dataset, build_dataset, with_known_questions, with_outcomes
from agent_memory.learning.descriptions import pattern_id_of
from agent_memory.learning.discovery import Candidate, discover
from agent_memory.learning.evidence_table import EvidenceTable, build_tables
from agent_memory.learning.monitoring import confidence
from agent_memory.learning.patterns import Identification, Pattern, PatternThresholds, Rate
from agent_memory.learning.wording import DEFAULT_WORDING, Wording
from agent_memory.model.evidence import Evidence

_DEFAULTS = PatternThresholds()


def identify_patterns(evidence: Iterable[Evidence], thresholds: PatternThresholds = _DEFAULTS) -> Identification:
    """Find the combinations of features under which decisions succeed more, or less, often than otherwise.

    The evidence is read once, and its order does not matter. Decisions are compared with others of their type; the
    error rate is that of all types together.
    """
    return identify_in_datasets(build_datasets(build_tables(evidence), thresholds), thresholds)


def build_datasets(
    tables: Iterable[EvidenceTable], thresholds: PatternThresholds = _DEFAULTS, wording: Wording = DEFAULT_WORDING
) -> list[Dataset]:
    """Prepare tables of evidence for the search; patterns are described in the words of `wording`."""
    known = (with_known_questions(table, thresholds.min_occurrences) for table in tables)
    return [build_dataset(table, thresholds, wording) for table in known]


def identify_in_datasets(datasets: Sequence[Dataset], thresholds: PatternThresholds = _DEFAULTS) -> Identification:
    """The same as `identify_patterns`, for evidence that is arranged in datasets already."""
    discovery = discover(datasets, thresholds)
    found = [_pattern(one, thresholds) for one in discovery.found]
    noticed = [_pattern(one, thresholds) for one in discovery.noticed]
    return Identification(
        patterns=_by_significance(one for one in found if one.confidence >= thresholds.min_confidence),
        emerging=_by_significance([one for one in found if one.confidence < thresholds.min_confidence] + noticed),
        candidates_tried=discovery.tested,
        discovered=len(found),
        base_rates={
            one.decision_type: Rate(occurrences=len(one.success), successes=int(np.count_nonzero(one.success)))
            for one in datasets
        },
    )


def identify_in_permutations(
    datasets: Sequence[Dataset], thresholds: PatternThresholds, count: int
) -> Iterator[Identification]:
    """The negative control: what is found in the same decisions with their outcomes permuted, which is chance.

    Outcomes are permuted within each decision type, `count` times; features, times and success rates are unchanged. The
    result is determined by the datasets.
    """
    for seed in range(count):
        generator = np.random.default_rng(seed)
        permuted = [with_outcomes(one, generator.permutation(one.success)) for one in datasets]
        yield identify_in_datasets(permuted, thresholds)


def match_digest(matching: BoolArray) -> bytes:
    """Return a digest of which decisions match: it is equal for two combinations that match the same decisions."""
    return hashlib.sha256(np.packbits(matching).tobytes()).digest()


def _by_significance(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    return tuple(sorted(patterns, key=lambda pattern: (pattern.adjusted_p_value, pattern.pattern_id)))


def _pattern(candidate: Candidate, thresholds: PatternThresholds) -> Pattern:
    dataset, features, matching = candidate.dataset, candidate.features, candidate.matching()
    design_effect = candidate.test.design_effect
    overall = dataset.compare_all(matching, design_effect=design_effect)
    times, begins_ms = dataset.times_ms[matching], dataset.newest_begins_ms(thresholds.newest_fraction)
    return Pattern(
        pattern_id=pattern_id_of(dataset.decision_type, features),
        decision_type=dataset.decision_type,
        features=features,
        description=dataset.describe(features, matching, overall),
        occurrences=overall.matching.occurrences,
        successes=overall.matching.successes,
        success_rate=overall.matching.rate,
        interval=overall.matching.interval,
        base_rate=overall.rest.rate,
        base_occurrences=overall.rest.occurrences,
        effect=overall.effect,
        effect_interval=overall.effect_interval,
        confidence=confidence(
            dataset,
            matching,
            thresholds,
            is_better=candidate.is_better,
            design_effect=candidate.test.shared_design_effect,
        ),
        p_value=candidate.test.p_value,
        adjusted_p_value=candidate.adjusted_p_value,
        effective_sample_size=overall.matching.effective_size,
        newest_begins_ms=begins_ms,
        first_seen_ms=int(times[0]),
        last_seen_ms=int(times[-1]),
    )
