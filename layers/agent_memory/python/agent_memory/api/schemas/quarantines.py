"""Requests and responses of quarantine, and of who acted on a memory with what result."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from agent_memory.api.schemas.listings import ListingMembers
from agent_memory.api.schemas.rates import SuccessRate
from agent_memory.core.fields import Described, strict


@strict
class QuarantineInput(TypedDict):
    """Why a memory is quarantined."""

    reason: Annotated[str, Described("For the history; 1 to 500 characters", {"minLength": 1, "maxLength": 500})]
    memory_type: NotRequired[Annotated[str | None, Described("The memory's type, if it is a type of your own")]]


@strict
class QuarantinedMemory(TypedDict):
    """A memory with the version that took it out of use, or back into it."""

    memory_type: str
    version: int


@strict
class QuarantineEntry(TypedDict):
    """A memory that is quarantined."""

    memory_id: str
    by: str
    reason: str
    at: str


@strict
class QuarantineDict(QuarantineEntry):
    """A memory that is quarantined, and the memories with its id that are out of use."""

    agent_id: str
    memories: list[QuarantinedMemory]


@strict
class QuarantineList(TypedDict):
    """The memories that are quarantined, in the order in which they were."""

    quarantines: list[QuarantineEntry]


@strict
class Released(TypedDict):
    """A memory that is not quarantined any more."""

    agent_id: str
    memory_id: str
    memories: list[QuarantinedMemory]


@strict
class InfluencedDecision(TypedDict):
    """A decision that is based on the memory."""

    decision_id: str
    decision_type: str
    timestamp: str
    success: bool | None


@strict
class InfluencedOutcomes(SuccessRate):
    """What came of the decisions of one type."""

    decisions: int


@strict
class FedMemory(TypedDict):
    """A memory that was learned from decisions of these types."""

    memory_type: str
    pattern_id: str
    decisions: Annotated[int, Described("How many of the decisions are its evidence")]
    matching: Annotated[int, Described("How many of them have its features; the others are compared with them")]


@strict
class InfluenceDict(ListingMembers):
    """The decisions that are based on a memory, oldest first, what came of them, and what they fed."""

    memory_id: str
    quarantined: bool
    outcomes: Annotated[dict[str, InfluencedOutcomes], Described("By decision type")]
    fed: list[FedMemory]
    decisions: list[InfluencedDecision]


_OVERLAP = {"minimum": 0, "maximum": 1}


@strict
class CrowdedMemory(TypedDict):
    """A memory that several agents acted on, in the hour with the most agents."""

    memory_id: str
    agents: Annotated[int, Described("How many acted on it", {"minimum": 2})]
    decisions: Annotated[int, Described("That they based on it")]
    start: Annotated[str, Described("Of the first of these decisions")]
    end: Annotated[str, Described("Of the last of these decisions")]
    alike: Annotated[
        float | None, Described("How alike they decided; null if no two agents made the same kind of choice", _OVERLAP)
    ]
    alike_otherwise: Annotated[float | None, Described("The same of their other decisions on that day", _OVERLAP)]
    crowded: Annotated[bool, Described("Whether five or more agents decided alike")]


@strict
class CrowdingDict(TypedDict):
    """The memories of an agent or pool that several agents acted on within an hour of a day."""

    agent_id: str
    date: str
    measured: Annotated[bool, Described("Whether the nightly job of that day has ended")]
    memories: list[CrowdedMemory]
