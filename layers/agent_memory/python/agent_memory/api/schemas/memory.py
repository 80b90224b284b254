"""Requests and responses of short-term and long-term memory."""

from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from agent_memory.api.schemas.listings import ListingMembers
from agent_memory.core.fields import Described, Json, extensible, strict
from agent_memory.core.retention import STM_MAX_SECONDS
from agent_memory.model.listings import MissingItem

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
class MemoryRemoved(TypedDict):
    """A memory that was removed, and the version that records it in the history."""

    agent_id: str
    memory_type: str
    pattern_id: str
    version: int
    removed_at: str
    changed_by: str | None
    reason: str | None


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


@extensible
class RankingStatistics(TypedDict):
    """How frequent the words of the query are in what was ranked, and when it was ranked."""

    entries: int
    length: float
    containing: Annotated[dict[str, int], Described("The number of entries that contain each stem")]
    ranked_at: str


@strict
class RecallResult(ListingMembers):
    """Entries, the highest score first. It is complete if everything that meets the filters was ranked."""

    found: list[RecalledEntry]
    statistics: RankingStatistics


_PAIR = {"minItems": 2, "maxItems": 2}


@strict
class SimilarDecision(TypedDict):
    """A decision, and how similar its context is."""

    similarity: Annotated[float, Described("0 to 1", {"minimum": 0, "maximum": 1})]
    decision: Json


@strict
class SimilarResult(TypedDict):
    """Decisions in a like context, the most similar first, and how often they and all that were compared succeeded."""

    similar: list[SimilarDecision]
    decisions: int
    with_outcome: int
    success_rate: float | None
    interval: Annotated[list[float] | None, Described("Wilson score interval, 95 %")]
    base_decisions: Annotated[int, Described("All that were compared")]
    base_with_outcome: int
    base_success_rate: float | None
    base_interval: list[float] | None
    as_of: str
    complete: bool
    missing: list[MissingItem]


@strict
class Claim(TypedDict):
    """A pattern whose facts hold in the context."""

    agent_id: str
    memory_id: str
    status: str | None
    confidence: float | None
    features: list[str]
    description: str | None
    success_rate: float | None


@strict
class Expectation(TypedDict):
    """What to expect of one option."""

    expected: Annotated[float, Described("The expected result; a success rate is from 0 to 1")]
    deviation: Annotated[float, Described("The standard deviation of the expectation")]
    interval: Annotated[list[float], Described("The 95 % interval of the expectation", _PAIR)]
    is_prior: Annotated[bool, Described("Whether no decision that chose the option has a result yet")]
    effective_decisions: Annotated[float, Described("How many decisions chose it, by their age")]


@strict
class AdvisedOption(Expectation):
    """What to expect of one option: its `result`, and beside it the reward."""

    option: str
    reward: Annotated[Expectation | None, Described("Of the mean reward; null while no decision has any")]
    claims: Annotated[list[Claim], Described("Patterns about the option")]


@strict
class EstimateOrigin(TypedDict):
    """The estimate that expectations come from."""

    agent_id: str
    memory_id: str
    version: int
    updated_at: str
    decision_type: str
    choice: str
    decisions: int
    half_life_days: float
    reward: Annotated[str | None, Described("The path of the reward in outcomes, as `outcome.pnl`")]
    recent_results: Annotated[
        int | None, Described("With `recent`, how many results came since, and count beside the estimate")
    ]


@strict
class Propensity(TypedDict):
    """The probability of an option to be among the chosen ones."""

    option: str
    propensity: float


@strict
class AdvisedChoice(TypedDict):
    """What was chosen, best first, and with which probability."""

    chosen: list[str]
    policy: Literal["thompson", "greedy"]
    policy_version: str
    propensities: list[Propensity]
    joint_propensity: Annotated[float, Described("The probability of exactly this set")]
    propensity_error: Annotated[float, Described("By how much a probability may be off")]
    seed: str


@strict
class LogWith(TypedDict):
    """The fields of the decision that keep the advice."""

    memory_ids: list[str]
    policy: NotRequired[str]
    policy_version: NotRequired[str]
    propensity: NotRequired[float]
    joint_propensity: NotRequired[float]


@strict
class Advice(TypedDict):
    """What to expect of each option, and a choice among them."""

    decision_type: str
    result: Literal["success", "reward"]
    facts: Annotated[list[str], Described("The facts of the context")]
    estimated_from: Annotated[EstimateOrigin | None, Described("Null while there is no estimate: priors only")]
    options: list[AdvisedOption]
    claims: Annotated[list[Claim], Described("Patterns about none of the options")]
    choice: AdvisedChoice | None
    memory_ids: list[str]
    log_with: LogWith
    missing: list[MissingItem]
