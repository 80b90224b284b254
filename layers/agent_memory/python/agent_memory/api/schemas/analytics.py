"""Responses of the analytics routes."""

from typing import Annotated, Any

from typing_extensions import TypedDict

from agent_memory.api.schemas.listings import ListingMembers
from agent_memory.api.schemas.rates import SuccessRate
from agent_memory.core.fields import Described, strict


@strict
class Rate(SuccessRate):
    """Outcomes of decisions of one type."""

    decision_type: str
    decisions: int


@strict
class DayRate(Rate):
    """Outcomes of the decisions of a UTC day."""

    date: str


@strict
class ContextRate(Rate):
    """Outcomes of the decisions in a market context."""

    context_type: str


@strict
class SourceRate(Rate):
    """Outcomes of the decisions that name a source."""

    source: str


@strict
class Performance(ListingMembers):
    """Counts and success rates, each of one decision type; counts of several answers add up."""

    agent_id: str
    time_range: list[str | None]
    interval: str
    decisions: int
    with_outcome: int
    by_type: list[Rate]
    by_day: list[DayRate]
    by_context: list[ContextRate]
    by_source: Annotated[list[SourceRate], Described("Decisions that were judged by what came of them")]
    by_selection: Annotated[
        list[SourceRate], Described("Selections and queries, whose success does not say whether a source was right")
    ]


@strict
class PatternFigures(TypedDict):
    """A pattern with its figures; null for those that an agent that stored it itself left out."""

    pattern_id: str
    description: Any
    status: Any
    confidence: float | None
    success_rate: Any
    low: Any
    high: Any
    base_rate: Any
    effect: Any
    sample_size: Any
    learned_at: str


@strict
class PatternList(ListingMembers):
    """Patterns, active ones first, then the most confident."""

    patterns: list[PatternFigures]


@strict
class PatternVersion(TypedDict):
    """The confidence of one version of a pattern, and what it rests on."""

    at: str
    version: int
    confidence: float | None
    status: Any
    removed: bool
    success_rate: Any
    low: Any
    high: Any
    base_rate: Any
    sample_size: Any


@strict
class ConfidenceTrend(ListingMembers):
    """Every version of a pattern, oldest first."""

    versions: list[PatternVersion]
