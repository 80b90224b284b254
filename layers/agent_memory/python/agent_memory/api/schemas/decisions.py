"""Models of the decision log in the OpenAPI document."""

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from agent_memory.api.schemas.base import AGENT_ID, DECISION_ID, MADE_AT, PARENT_ID, ErrorBody, Json, Shape

_DRAFT: Json = {
    "decision_type": "SOURCE_SELECTION",
    "context": {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "trading_hours": "american"},
    "reasoning": {
        "scores": {"whaleMovements": 0.92, "derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives"],
        "exploration_triggered": False,
    },
    "metadata": {"version": "1.0"},
    "decision_id": DECISION_ID,
    "parent_ids": [PARENT_ID],
    "memory_ids": ["whale_pump_correlation"],
}
_REPORT: Json = {
    "outcome": {"signals_generated": 2},
    "success": True,
    "metrics": {"quality": 0.85, "latency_ms": 1200},
    "horizon": "1h",
}
DECISION: Json = {
    **_DRAFT,
    "agent_id": AGENT_ID,
    "timestamp": MADE_AT,
    "outcome": _REPORT["outcome"],
    "success": True,
    "metrics": _REPORT["metrics"],
    "horizon": "1h",
    "outcome_recorded_at": "2026-10-18T11:30:00.000Z",
    "other_outcomes": [],
    "superseded_outcomes": [],
}
_MEASURED: Json = {"count": 1, "mean": 1200.0, "median": 1200.0, "p95": 1200.0, "min": 1200.0, "max": 1200.0}
_GROUP: Json = {
    "count": 2,
    "with_outcome": 1,
    "succeeded": 1,
    "success_rate": 1.0,
    "low": 0.206,
    "high": 1.0,
    "latency_ms": _MEASURED,
    "quality": None,
}


class DecisionDraft(Shape):
    """A decision to log."""

    decision_type: str = Field(description="In capitals: SOURCE_SELECTION, QUERY, SIGNAL_GENERATION, LEARNING or own")
    context: Json = Field(description="The situation; `market` is what it is later grouped by")
    reasoning: Json = Field(description="Why it was made; `selected` lists the sources that were chosen")
    metadata: Json | None = Field(None, description="Whatever else belongs to it")
    decision_id: str | None = Field(None, description="Made beforehand by a caller who may repeat the request")
    timestamp: str | None = Field(None, description="When it was made, ISO 8601 with an offset; left out, now")
    parent_ids: list[str] = Field([], description="Earlier decisions of this agent that led to it")
    memory_ids: list[str] = Field([], description="Long-term memories that it rests on")
    example: ClassVar[Json] = _DRAFT


class OutcomeReport(Shape):
    """What came of a decision."""

    outcome: Json = Field(description="What happened")
    success: bool = Field(description="Whether that is a success")
    metrics: Json | None = Field(None, description="Measurements such as `quality` or `latency_ms`")
    horizon: str | None = Field(None, description="When the decision was judged: `1h`, `exit`")
    amend: bool = Field(False, description="Take the place of a different outcome of this horizon, which is kept")
    headline: bool = Field(False, description="Be what `success` and queries by outcome show")
    timestamp: str | None = Field(None, description="When it became known, ISO 8601 with an offset; left out, now")
    example: ClassVar[Json] = _REPORT


class OutcomeItem(OutcomeReport):
    """What came of one decision among several."""

    decision_id: str
    example: ClassVar[Json] = {**_REPORT, "decision_id": DECISION_ID}


class DecisionBatch(Shape):
    """Decisions to log."""

    decisions: list[DecisionDraft] = Field(min_length=1, max_length=100)
    example: ClassVar[Json] = {"decisions": [DecisionDraft.example]}


class OutcomeBatch(Shape):
    """Outcomes to log."""

    outcomes: list[OutcomeItem] = Field(min_length=1, max_length=100)
    example: ClassVar[Json] = {"outcomes": [OutcomeItem.example]}


class LoggedDecision(Shape):
    """A decision that is in the log now."""

    decision_id: str
    status: Literal["created", "unchanged"]
    example: ClassVar[Json] = {"decision_id": DECISION_ID, "status": "created"}


class LoggedOutcome(Shape):
    """An outcome that is in the log now."""

    decision_id: str
    status: Literal["recorded", "unchanged"]
    example: ClassVar[Json] = {"decision_id": DECISION_ID, "status": "recorded"}


class DecisionResult(Shape):
    """What became of one decision of a batch."""

    decision_id: str | None
    status: Literal["created", "unchanged", "conflict", "invalid"]
    error: ErrorBody | None = None


class OutcomeResult(Shape):
    """What became of one outcome of a batch."""

    decision_id: str | None
    status: Literal["recorded", "unchanged", "conflict", "not_found", "invalid"]
    error: ErrorBody | None = None


class DecisionResults(Shape):
    """What became of each decision of a batch, in order."""

    results: list[DecisionResult]
    example: ClassVar[Json] = {"results": [LoggedDecision.example]}


class OutcomeResults(Shape):
    """What became of each outcome of a batch, in order."""

    results: list[OutcomeResult]
    example: ClassVar[Json] = {"results": [LoggedOutcome.example]}


class OtherOutcome(Shape):
    """An outcome that is not the headline."""

    horizon: str | None
    outcome: Json
    success: bool
    metrics: Json
    recorded_at: str


class SupersededOutcome(OtherOutcome):
    """An outcome that an amendment replaced."""

    replaced_at: str


class Decision(Shape):
    """A decision with its outcomes."""

    decision_id: str
    agent_id: str
    timestamp: str
    decision_type: str
    context: Json
    reasoning: Json
    outcome: Json | None = Field(description="The headline outcome, null while there is none")
    success: bool | None
    metrics: Json | None
    horizon: str | None
    outcome_recorded_at: str | None
    other_outcomes: list[OtherOutcome]
    superseded_outcomes: list[SupersededOutcome]
    parent_ids: list[str]
    memory_ids: list[str]
    metadata: Json
    example: ClassVar[Json] = DECISION


class DecisionPage(Shape):
    """Some decisions in order."""

    decisions: list[Decision]
    cursor: str | None = Field(description="Where the next page begins; null after the last")
    example: ClassVar[Json] = {"decisions": [DECISION], "cursor": None}


class ChainEntry(BaseModel):
    """A decision and why it is in a chain; one that is `missing` has its id, time and no more."""

    decision_id: str
    timestamp: str
    relation: Literal["ancestor", "descendant", "before", "after"]
    distance: int
    why: str
    missing: bool


class DecisionChain(Shape):
    """What led to a decision and what came of it."""

    chain: list[ChainEntry]
    example: ClassVar[Json] = {
        "chain": [
            {
                "decision_id": PARENT_ID,
                "decision_type": None,
                "timestamp": "2026-10-18T10:29:00.000Z",
                "relation": "ancestor",
                "distance": 1,
                "why": "named as a parent",
                "missing": True,
            }
        ]
    }


class Measurements(Shape):
    """A measurement over a group."""

    count: int
    mean: float
    median: float
    p95: float
    min: float
    max: float


class Tally(Shape):
    """How decisions turned out; `low` and `high` are a 95 % Wilson score interval of the success rate."""

    count: int
    with_outcome: int
    succeeded: int
    success_rate: float | None
    low: float | None
    high: float | None
    latency_ms: Measurements | None
    quality: Measurements | None


class Group(Tally):
    """The same of one group."""

    group: str | None


class DecisionStatistics(Shape):
    """How decisions turned out, group by group."""

    agent_id: str
    decision_type: str | None
    time_range: list[str | None]
    group_by: str
    interval: str
    total: Tally
    groups: list[Group]
    example: ClassVar[Json] = {
        "agent_id": AGENT_ID,
        "decision_type": None,
        "time_range": [None, None],
        "group_by": "source",
        "interval": "Wilson score interval, 95 %",
        "total": _GROUP,
        "groups": [{**_GROUP, "group": "derivatives"}],
    }
