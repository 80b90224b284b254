"""Requests and responses of short-term and long-term memory."""

from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from agent_memory.api.schemas.listings import ListingMembers
from agent_memory.core.fields import Described, Json, extensible, strict
from agent_memory.core.retention import STM_MAX_SECONDS

_NUMBER_OR_NULL = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_CLAIMED = Annotated[
    bool, Described("Whether `changed_by` is only what the caller said; the principal that said it is `changed_as`")
]


@strict
class ShortTermValue(TypedDict):
    """A value for short-term memory."""

    data: Annotated[Any, Described("Any JSON value")]
    ttl_seconds: Annotated[int, Described("Seconds until it expires", {"minimum": 1, "maximum": STM_MAX_SECONDS})]


@strict
class ShortTermKept(TypedDict):
    """A stored value."""

    key: str


@strict
class ShortTermFound(TypedDict):
    """The value under a key; null once it has expired."""

    key: str
    data: Any


@strict
class ShortTermErased(TypedDict):
    """How many keys were erased."""

    erased: int


@extensible
class MemoryData(TypedDict):
    """What to remember: any JSON object."""

    confidence: NotRequired[
        Annotated[Any, Described("0 to 1; orders memories of a type; null: not stated", _NUMBER_OR_NULL)]
    ]


@extensible
class MemoryDict(TypedDict):
    """One version of a memory, its data beside its own fields."""

    agent_id: Annotated[str, Described("The agent or pool that the memory belongs to")]
    pattern_id: str
    memory_type: str
    confidence: Annotated[float | None, Described("0 to 1; null if it is not stated")]
    learned_at: str
    updated_at: str
    version: int
    changed_by: Annotated[str | None, Described("The agent that made this version")]
    reason: str | None
    changed_as: Annotated[str | None, Described("The IAM principal that signed the change")]
    changed_by_claimed: _CLAIMED
    access_count: Annotated[int, Described("Number of reads until the last nightly job")]
    last_accessed: str | None


@strict
class Memories(ListingMembers):
    """Memories, most confident first."""

    memories: list[MemoryDict]


@strict
class NewConfidence(TypedDict):
    """Another confidence."""

    new_confidence: Annotated[float, Described("0 to 1", {"minimum": 0, "maximum": 1})]


@strict
class FieldChange(TypedDict):
    """The values of one field before and after a change."""

    before: Any
    after: Any


@strict
class MemoryChange(TypedDict):
    """One change of a memory."""

    version: int
    at: str
    changed_by: str | None
    changed_as: str | None
    changed_by_claimed: _CLAIMED
    reason: str | None
    removed: bool
    changes: dict[str, FieldChange]


@strict
class MemoryHistory(ListingMembers):
    """Every change of a memory, oldest first."""

    changes: list[MemoryChange]


@strict
class Consolidation(TypedDict):
    """A value of short-term memory, and the memory type to store it as."""

    stm_key: str
    pattern_type: str


@extensible
class ContextEntry(TypedDict):
    """A decision, or the current market context, with its level."""

    level: Literal["immediate", "recent", "historical", "archive"]
    kind: Literal["decision", "current"]
    timestamp: str
    context: Json


@strict
class ContextMemory(ListingMembers):
    """Contexts of a time range, newest first; a missing level has its name as `level` too."""

    entries: list[ContextEntry]
    levels: list[str]
    off: list[str]


@extensible
class RecalledEntry(TypedDict):
    """A memory or a decision, with its score."""

    kind: str
    score: float
    why: NotRequired[Json]
    memory: NotRequired[MemoryDict]
    decision: NotRequired[Json]


@strict
class RecallResult(ListingMembers):
    """Entries, the highest score first."""

    found: list[RecalledEntry]
