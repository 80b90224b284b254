"""The shapes of requests and replies, for the OpenAPI document only: the routes check nothing by them.

What may be sent is checked by the domain, whose errors name the field. These models describe it, with an example each;
tests send the examples to the routes and hold the replies against the models.
"""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent_memory.ids import decision_id_for

Json = dict[str, Any]

AGENT_ID = "market-hunter"
MADE_AT = "2026-10-18T10:30:00.000Z"
DECISION_ID = decision_id_for("SOURCE_SELECTION", MADE_AT, "cycle 142")
PARENT_ID = decision_id_for("LEARNING", "2026-10-18T10:29:00Z", "cycle 141")

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
_DECISION: Json = {
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
_MEMORY: Json = {
    "pattern_id": "whale_pump_correlation",
    "memory_type": "PATTERN",
    "confidence": 0.7,
    "learned_at": MADE_AT,
    "updated_at": MADE_AT,
    "version": 1,
    "changed_by": AGENT_ID,
    "reason": None,
    "description": "whale movements predict pumps in bullish trends",
}


class Shape(BaseModel):
    """A JSON object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")
    example: ClassVar[Json] = {}


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


class ErrorBody(Shape):
    """What went wrong; `field` is a JSON Pointer into the body or the name of a parameter."""

    code: str
    message: str
    field: str | None = None
    request_id: str | None = None


class Error(Shape):
    """A refusal."""

    error: ErrorBody
    example: ClassVar[Json] = {
        "error": {"code": "invalid_input", "message": "/context: is missing", "field": "/context"}
    }


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
    example: ClassVar[Json] = _DECISION


class DecisionPage(Shape):
    """Some decisions in order."""

    decisions: list[Decision]
    cursor: str | None = Field(description="Where the next page begins; null after the last")
    example: ClassVar[Json] = {"decisions": [_DECISION], "cursor": None}


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


class ShortTermValue(Shape):
    """A value to keep for a while."""

    data: Any = Field(description="Any JSON value")
    ttl_seconds: int = Field(ge=1, le=86_400)
    example: ClassVar[Json] = {"data": {"volatility": "high", "trend": "bullish"}, "ttl_seconds": 3600}


class ShortTermKept(Shape):
    """A value that is kept now."""

    key: str
    example: ClassVar[Json] = {"key": "context:current"}


class ShortTermFound(Shape):
    """What lies under a key; null once it has vanished."""

    key: str
    data: Any
    example: ClassVar[Json] = {"key": "context:current", "data": ShortTermValue.example["data"]}


class MemoryData(BaseModel):
    """What to remember: any JSON object."""

    confidence: float = Field(0.0, ge=0, le=1, description="Orders memories of a type")
    example: ClassVar[Json] = {"confidence": 0.7, "description": _MEMORY["description"]}


class Memory(BaseModel):
    """One version of a memory, its data beside its own fields."""

    pattern_id: str
    memory_type: str
    confidence: float
    learned_at: str
    updated_at: str
    version: int
    changed_by: str | None
    reason: str | None
    example: ClassVar[Json] = _MEMORY


class Memories(Shape):
    """Memories, most confident first."""

    memories: list[Memory]
    example: ClassVar[Json] = {"memories": [_MEMORY]}


class NewConfidence(Shape):
    """Another confidence."""

    new_confidence: float = Field(ge=0, le=1)
    example: ClassVar[Json] = {"new_confidence": 0.9}


class FieldChange(Shape):
    """One field from what to what."""

    before: Any
    after: Any


class MemoryChange(Shape):
    """One change of a memory."""

    version: int
    at: str
    changed_by: str | None
    reason: str | None
    removed: bool
    changes: dict[str, FieldChange]


class MemoryHistory(Shape):
    """Every change of a memory, oldest first."""

    changes: list[MemoryChange]
    example: ClassVar[Json] = {
        "changes": [
            {
                "version": 1,
                "at": MADE_AT,
                "changed_by": AGENT_ID,
                "reason": "seen twice",
                "removed": False,
                "changes": {"confidence": {"before": None, "after": 0.7}},
            }
        ]
    }


class Consolidation(Shape):
    """Which value of short-term memory to keep, and as what."""

    stm_key: str
    pattern_type: str
    example: ClassVar[Json] = {"stm_key": "context:current", "pattern_type": "ARCHETYPE"}


class ContextEntry(BaseModel):
    """A decision, or the current market context, and the level that had it."""

    level: Literal["immediate", "recent", "historical", "archive"]
    kind: Literal["decision", "current"]
    timestamp: str
    context: Json


class MissingLevel(Shape):
    """A level that did not answer."""

    level: str
    why: str


class ContextMemory(Shape):
    """What an agent met, newest first."""

    entries: list[ContextEntry]
    complete: bool
    missing: list[MissingLevel]
    levels: list[str]
    example: ClassVar[Json] = {
        "entries": [{**_DECISION, "level": "historical", "kind": "decision"}],
        "complete": True,
        "missing": [],
        "levels": ["immediate", "recent", "historical", "archive"],
    }


class StateData(BaseModel):
    """The agent's state: any JSON object; changes of `configuration` are kept."""

    example: ClassVar[Json] = {"current_cycle": 142, "configuration": {"learning_rate": 0.1}}


class State(Shape):
    """One version of a state."""

    data: Json
    version: int
    updated_at: str
    example: ClassVar[Json] = {"data": StateData.example, "version": 1, "updated_at": MADE_AT}


class CurrentState(Shape):
    """The current state, if there is one."""

    state: State | None
    example: ClassVar[Json] = {"state": State.example}


class Checkpoint(Shape):
    """A state that was kept under a name."""

    name: str
    version: int
    saved_at: str


class Checkpoints(Shape):
    """Every checkpoint, in order of their names."""

    checkpoints: list[Checkpoint]
    example: ClassVar[Json] = {"checkpoints": [{"name": "before-open", "version": 1, "saved_at": MADE_AT}]}


class Configuration(Shape):
    """A configuration, and the version of the state that brought it."""

    configuration: Any
    state_version: int
    since: str


class Configurations(Shape):
    """Every configuration the agent had, oldest first."""

    configurations: list[Configuration]
    example: ClassVar[Json] = {
        "configurations": [{"configuration": {"learning_rate": 0.1}, "state_version": 1, "since": MADE_AT}]
    }
