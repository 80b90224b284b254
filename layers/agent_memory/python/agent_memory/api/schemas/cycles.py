"""Requests and responses of cycles and rate limits."""

from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from agent_memory.core.fields import Described, Json, strict
from agent_memory.core.retention import STM_MAX_SECONDS
from agent_memory.memory.cycles import MAX_RATE_LIMIT


@strict
class CycleInput(TypedDict):
    """The results of a cycle; all fields are optional."""

    context: NotRequired[Annotated[Json | None, Described("The current market or context, kept for an hour")]]
    queries: NotRequired[Annotated[list[Any], Described("Results of this cycle's queries")]]
    signals: NotRequired[Annotated[list[Any], Described("Signals that are active from now on, for four hours")]]
    performance: NotRequired[Annotated[dict[str, Any] | None, Described("Figures by source and market")]]
    decision_ids: NotRequired[Annotated[list[str], Described("This cycle's decisions, in order, kept for two hours")]]
    cycle_id: NotRequired[Annotated[str, Described("Identifies a cycle that is sent again")]]
    asked: NotRequired[Annotated[list[str], Described("Queried sources, counted against their limits of five minutes")]]
    values: NotRequired[
        Annotated[dict[str, Any] | None, Described("Other values by key, each with `data` and `ttl_seconds`")]
    ]
    at: NotRequired[Annotated[str | None, Described("When the cycle was, the time of its signals; by default now")]]


@strict
class CycleKept(TypedDict):
    """A stored cycle."""

    cycle_id: str


@strict
class CyclesDict(TypedDict):
    """The results of the last cycles, newest first."""

    context: Annotated[Any, Described("The current market; a JSON object, unless something else was stored")]
    queries: Annotated[list[list[Any]], Described("The results of each cycle")]
    signals: list[Any]
    decision_ids: list[str]
    performance: dict[str, dict[str, Any]]
    missing: Annotated[list[str], Described("What the cache did not return")]
    unreadable: Annotated[dict[str, str], Described("Keys whose values cannot be read, with the reason")]


@strict
class SignalRemoval(TypedDict):
    """An active signal, as it was stored."""

    signal: Any


@strict
class SignalRemoved(TypedDict):
    """Whether it was active."""

    removed: bool


@strict
class RateLimitInput(TypedDict):
    """How many queries a source allows in a window that begins with the first."""

    limit: Annotated[int, Described("Queries", {"minimum": 1, "maximum": MAX_RATE_LIMIT})]
    window_seconds: Annotated[int, Described("Seconds", {"minimum": 1, "maximum": STM_MAX_SECONDS})]


@strict
class RateLimitDict(TypedDict):
    """Whether the query may be sent."""

    allowed: bool
    remaining: int
    resets_in_seconds: float
    is_shared: Annotated[bool, Described("False while the cache is unavailable and each process counts for itself")]
