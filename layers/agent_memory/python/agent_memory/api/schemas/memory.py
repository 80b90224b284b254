"""Models of memory and state in the OpenAPI document."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from agent_memory.api.schemas.base import AGENT_ID, MADE_AT, Json, Shape
from agent_memory.api.schemas.decisions import DECISION

_MEMORY: Json = {
    "agent_id": AGENT_ID,
    "pattern_id": "whale_pump_correlation",
    "memory_type": "PATTERN",
    "confidence": 0.7,
    "learned_at": MADE_AT,
    "updated_at": MADE_AT,
    "version": 1,
    "changed_by": AGENT_ID,
    "reason": None,
    "changed_as": None,
    "access_count": 0,
    "last_accessed": None,
    "description": "whale movements predict pumps in bullish trends",
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


class ShortTermErased(Shape):
    """How many keys were erased."""

    erased: int
    example: ClassVar[Json] = {"erased": 3}


class MemoryData(BaseModel):
    """What to remember: any JSON object."""

    confidence: float = Field(0.0, ge=0, le=1, description="Orders memories of a type")
    example: ClassVar[Json] = {"confidence": 0.7, "description": _MEMORY["description"]}


class Memory(BaseModel):
    """One version of a memory, its data beside its own fields."""

    agent_id: str = Field(description="Whose memory it is: an agent or a pool")
    pattern_id: str
    memory_type: str
    confidence: float
    learned_at: str
    updated_at: str
    version: int
    changed_by: str | None = Field(description="The agent that made this version")
    reason: str | None
    changed_as: str | None = Field(description="The IAM principal that signed the change")
    access_count: int = Field(description="Reads up to the last night")
    last_accessed: str | None
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
    changed_as: str | None
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
                "changed_as": "arn:aws:sts::123456789012:assumed-role/market-hunter/session",
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
    off: list[str]
    example: ClassVar[Json] = {
        "entries": [{**DECISION, "level": "historical", "kind": "decision"}],
        "complete": True,
        "missing": [],
        "levels": ["immediate", "recent", "historical", "archive"],
        "off": [],
    }


class Recalled(BaseModel):
    """A memory or a decision, with its score."""

    kind: str
    score: float
    why: Json | None = None
    memory: Memory | None = None
    decision: Json | None = None


class Recollection(Shape):
    """What was found, the highest score first."""

    found: list[Recalled]
    example: ClassVar[Json] = {"found": [{"kind": "PATTERN", "score": 0.68, "memory": _MEMORY}]}


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
