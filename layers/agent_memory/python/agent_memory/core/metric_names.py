"""Every metric of the product: its name, its unit and its meaning. `docs/metrics.md` lists the same.

`service` is the only dimension, because each combination of dimensions is charged as a separate metric; only
`SuccessRate` has the decision type as a second one. Other figures by decision type are in log lines, for CloudWatch
Logs Insights. A metric is charged for the hours in which it is sent, so one that is sent once per day costs next to
nothing.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """The CloudWatch units in use."""

    COUNT = "Count"
    PERCENT = "Percent"
    MILLISECONDS = "Milliseconds"
    NONE = "None"


class Frequency(StrEnum):
    """How often a metric is sent, which determines its cost."""

    HOURLY = "in every hour with requests"
    NIGHTLY = "once per nightly job"
    ON_FAILURE = "on failures"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    unit: Unit
    meaning: str
    frequency: Frequency = Frequency.NIGHTLY


DECISIONS_LOGGED = Metric("DecisionsLogged", Unit.COUNT, "new decisions, however they were logged", Frequency.HOURLY)
DECISION_LATENCY = Metric(
    "DecisionLatency",
    Unit.MILLISECONDS,
    "time that a decision took (its `latency_ms`), else that of logging a request's decisions",
    Frequency.HOURLY,
)
STM_HIT_RATE = Metric(
    "STMHitRate", Unit.PERCENT, "share of answered reads of short-term memory that found a value", Frequency.HOURLY
)
STM_FAILURES = Metric(
    "STMFailures",
    Unit.COUNT,
    "calls to the cache that failed or were skipped as the circuit was open",
    Frequency.ON_FAILURE,
)
CONSOLIDATION_SUCCESS = Metric(
    "ConsolidationSuccess", Unit.PERCENT, "100 for an agent's consolidation that succeeded, 0 for one that failed"
)
DECISIONS_INFLUENCED = Metric(
    "DecisionsInfluenced",
    Unit.COUNT,
    "decisions of an agent's day that name the memories they are based on (`memory_ids`)",
)
PATTERNS_LEARNED = Metric("PatternsLearned", Unit.COUNT, "patterns of an agent that became active")
PATTERNS_DEPRECATED = Metric("PatternsDeprecated", Unit.COUNT, "patterns of an agent that were deprecated")
PATTERN_CONFIDENCE = Metric("PatternConfidence", Unit.NONE, "confidence (0-1) of each active pattern")
ACTIVE_PATTERNS = Metric("ActivePatterns", Unit.COUNT, "active patterns of an agent")
MEMORY_CORRELATION = Metric(
    "MemoryOutcomeCorrelation",
    Unit.NONE,
    "correlation (-1 to 1) of being based on a memory with success within decision types, over the decisions that a "
    "nightly job reads",
)
MEMORIES_PRUNED = Metric("MemoriesPruned", Unit.COUNT, "memories of an agent that were pruned")
DECISIONS_ARCHIVED = Metric("DecisionsArchived", Unit.COUNT, "decisions of an agent that were archived")
ARCHIVE_DAYS_REMAINING = Metric(
    "ArchiveDaysRemaining", Unit.COUNT, "days that are due for archival and left for the next nightly job"
)
ARCHIVE_DAYS_POSTPONED = Metric("ArchiveDaysPostponed", Unit.COUNT, "days that could not be archived, or written again")
ARCHIVE_DAYS_DAMAGED = Metric(
    "ArchiveDaysDamaged", Unit.COUNT, "archived days that were left as they are, because they contradict their seals"
)
SUCCESS_RATE = Metric(
    "SuccessRate",
    Unit.PERCENT,
    "success rate of an agent's decisions of a day, of one type that is judged by what came of it",
)
OUTCOMES_STOPPED = Metric(
    "OutcomesStopped", Unit.COUNT, "decision types of an agent that are still decided, but get no outcomes any more"
)
LEARNING_STOPPED = Metric(
    "LearningStopped", Unit.COUNT, "1 for an agent that decides, but of which nothing is learned any more; else 0"
)
BEHAVIOR_CHANGED = Metric(
    "BehaviorChanged", Unit.COUNT, "1 for an agent whose last week is far from its own past; else 0"
)
MEMORIES_CROWDED = Metric(
    "MemoriesCrowded", Unit.COUNT, "memories on which five or more agents acted alike within an hour of the day"
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
