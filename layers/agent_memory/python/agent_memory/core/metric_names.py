"""Every metric of the product: its name, its unit and what it says. `docs/metrics.md` lists the same.

None has a dimension but the namespace's own, because each combination of dimensions costs money as a metric of its own;
what is known by decision type stands in the log lines, which CloudWatch Logs Insights counts. A metric costs by the
hour in which it is sent, so that one a night costs next to nothing.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """CloudWatch's units that are used."""

    COUNT = "Count"
    PERCENT = "Percent"
    MILLISECONDS = "Milliseconds"
    NONE = "None"


class Sent(StrEnum):
    """When a metric is sent, which decides what it costs."""

    BY_REQUESTS = "in every hour with requests"
    BY_NIGHTS = "once a night"
    ON_FAILURE = "when something failed"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    unit: Unit
    meaning: str
    sent: Sent = Sent.BY_NIGHTS


DECISIONS_LOGGED = Metric("DecisionsLogged", Unit.COUNT, "decisions that were new to the table", Sent.BY_REQUESTS)
DECISION_LATENCY = Metric(
    "DecisionLatency", Unit.MILLISECONDS, "time that logging a request's decisions took", Sent.BY_REQUESTS
)
DECISIONS_INFLUENCED = Metric(
    "DecisionsInfluenced",
    Unit.COUNT,
    "new decisions that name the memories they rest on (`memory_ids`)",
    Sent.BY_REQUESTS,
)
STM_HIT_RATE = Metric(
    "STMHitRate", Unit.PERCENT, "answered reads of short-term memory that found a value", Sent.BY_REQUESTS
)
STM_FAILURES = Metric("STMFailures", Unit.COUNT, "calls that the cache did not answer, or was spared", Sent.ON_FAILURE)
CONSOLIDATION_SUCCESS = Metric(
    "ConsolidationSuccess", Unit.PERCENT, "100 for an agent's night that learned, 0 for one that failed"
)
PATTERNS_LEARNED = Metric("PatternsLearned", Unit.COUNT, "patterns that became known in an agent's night")
PATTERNS_DEPRECATED = Metric("PatternsDeprecated", Unit.COUNT, "patterns that ceased to hold in an agent's night")
PATTERN_CONFIDENCE = Metric("PatternConfidence", Unit.NONE, "confidence (0-1) of each active pattern, once a night")
ACTIVE_PATTERNS = Metric("ActivePatterns", Unit.COUNT, "active patterns of an agent, once a night")
MEMORY_CORRELATION = Metric(
    "MemoryOutcomeCorrelation",
    Unit.NONE,
    "correlation (-1 to 1) of resting on a memory with success, over the decisions that a night reads",
)
MEMORIES_PRUNED = Metric("MemoriesPruned", Unit.COUNT, "memories that an agent's night forgot")
DECISIONS_ARCHIVED = Metric("DecisionsArchived", Unit.COUNT, "decisions that an agent's night archived")
ARCHIVE_DAYS_REMAINING = Metric(
    "ArchiveDaysRemaining", Unit.COUNT, "days that are due for the archive and wait for the next night"
)
ARCHIVE_DAYS_POSTPONED = Metric("ArchiveDaysPostponed", Unit.COUNT, "archived days that could not be written again")
SUCCESS_RATE = Metric("SuccessRate", Unit.PERCENT, "an agent's decisions of a day, with outcome, that succeeded")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
