"""Requests and responses of the decision log that are not domain types."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import SkipValidation
from typing_extensions import TypedDict

from agent_memory.api.schemas.errors import ErrorBody
from agent_memory.api.schemas.listings import ListingMembers
from agent_memory.api.schemas.rates import SuccessRate
from agent_memory.core.fields import Described, extensible, strict
from agent_memory.core.http_limits import MAX_BATCH
from agent_memory.decisions.inputs import DecisionInput, OutcomeItem
from agent_memory.model.decisions import DecisionDict
from agent_memory.model.listings import MissingItem

_ITEMS = "Up to a hundred; the result of one that is not as described is `invalid`, and the others are logged"
_BATCH = {"minItems": 1, "maxItems": MAX_BATCH}


@strict
class DecisionBatch(TypedDict):
    """Decisions to log; each is checked by itself, so that one does not affect the others."""

    decisions: Annotated[list[SkipValidation[DecisionInput] | Any], Described(_ITEMS, _BATCH)]


@strict
class OutcomeBatch(TypedDict):
    """Outcomes to log; each is checked by itself, so that one does not affect the others."""

    outcomes: Annotated[list[SkipValidation[OutcomeItem] | Any], Described(_ITEMS, _BATCH)]


@strict
class LoggedDecision(TypedDict):
    """A logged decision."""

    decision_id: str
    status: Literal["created", "unchanged"]


@strict
class LoggedOutcome(TypedDict):
    """A logged outcome."""

    decision_id: str
    status: Literal["recorded", "unchanged"]


@strict
class DecisionResult(TypedDict):
    """The result for one decision of a batch."""

    decision_id: str | None
    status: Literal["created", "unchanged", "conflict", "invalid"]
    error: NotRequired[ErrorBody]


@strict
class OutcomeResult(TypedDict):
    """The result for one outcome of a batch."""

    decision_id: str | None
    status: Literal["recorded", "unchanged", "conflict", "not_found", "invalid"]
    error: NotRequired[ErrorBody]


@strict
class DecisionResults(TypedDict):
    """The result for each decision of a batch, in order."""

    results: list[DecisionResult]


@strict
class OutcomeResults(TypedDict):
    """The result for each outcome of a batch, in order."""

    results: list[OutcomeResult]


@strict
class DecisionPage(ListingMembers):
    """Some decisions in order."""

    decisions: list[DecisionDict]


@extensible
class ChainEntry(TypedDict):
    """A decision and why it is in a chain; one that is `missing` has only its id and time."""

    decision_id: str
    timestamp: str
    relation: Literal["ancestor", "descendant", "before", "after"]
    distance: int
    why: str
    missing: bool


@strict
class DecisionChain(ListingMembers):
    """The decisions that led to a decision and those that followed from it."""

    chain: list[ChainEntry]


@strict
class Measurements(TypedDict):
    """A measurement over a group."""

    count: int
    mean: float
    median: float
    p95: float
    min: float
    max: float


@strict
class TypeTally(SuccessRate):
    """Outcomes of one decision type."""

    decision_type: str
    count: int


@strict
class Tally(SuccessRate):
    """Outcomes of decisions; the rate is null for decisions of several types, see `by_type`."""

    count: int
    by_type: list[TypeTally]
    latency_ms: Measurements | None
    quality: Measurements | None


@strict
class Group(Tally):
    """Outcomes of the decisions of one group."""

    group: str | None


@strict
class DecisionStatistics(TypedDict):
    """Outcomes of decisions by group."""

    agent_id: str
    decision_type: str | None
    time_range: list[str | None]
    group_by: str
    interval: str
    total: Tally
    groups: list[Group]
    complete: Annotated[bool, Described("Whether all decisions could be read")]
    missing: list[MissingItem]
