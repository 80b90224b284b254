"""What is stated about the demo's record, and whether it holds within each question by a plain comparison."""

from collections import defaultdict
from collections.abc import Sequence

from agent_memory.learning.evidence import evidence_of
from agent_memory.learning.identification import identify_patterns
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.model.evidence import Evidence
from benchmarks.archive_size import demo_decisions

_DAYS = 121


def demo_evidence() -> list[Evidence]:
    """The decisions of the demo's 121 days that have an outcome."""
    return [row for decision in demo_decisions(_DAYS) if (row := evidence_of(decision))]


def count_statements(evidence: Sequence[Evidence], error_rate: float) -> tuple[int, int]:
    """How many statements one search makes, and how many keep their sign within their questions.

    Args:
        evidence: of the decisions.
        error_rate: probability that the search states anything false.
    """
    thresholds = PatternThresholds(familywise_error_rate=error_rate)
    found = identify_patterns(evidence, thresholds).patterns
    keep = sum(
        pattern.effect * _effect_within_questions(evidence, pattern.decision_type, pattern.features) > 0
        for pattern in found
    )
    return len(found), keep


def _effect_within_questions(evidence: Sequence[Evidence], decision_type: str, features: Sequence[str]) -> float:
    """The difference of success rates within each question, weighted as by Mantel and Haenszel; 0 without any."""
    counts: dict[str, list[list[bool]]] = defaultdict(lambda: [[], []])
    for row in evidence:
        if row.decision_type == decision_type:
            counts[row.question][set(features) <= set(row.features)].append(bool(row.success))
    total = weights = 0.0
    for others, matching in counts.values():
        if others and matching:
            weight = len(others) * len(matching) / (len(others) + len(matching))
            total += weight * (sum(matching) / len(matching) - sum(others) / len(others))
            weights += weight
    return total / weights if weights else 0.0
