"""Models of cycles and rate limits in the OpenAPI document."""

from typing import Any, ClassVar

from pydantic import Field

from agent_memory.api.schemas.base import DECISION_ID, Json, Shape

_MARKET: Json = {"volatility": "high", "trend": "bullish"}
_QUERY: Json = {"source": "derivatives", "reading": 0.45}
_SIGNAL: Json = {"symbol": "BTC-USD", "expected": "up"}
_PERFORMANCE: Json = {"derivatives": {"bullish": {"success_rate": 0.71}}}


class CycleGiven(Shape):
    """What a cycle brought; everything may be left out."""

    context: Json | None = Field(None, description="The market now, kept for an hour")
    queries: list[Any] = Field([], description="Results of this cycle's queries")
    signals: list[Any] = Field([], description="Signals that are active from now on, for four hours")
    performance: dict[str, dict[str, Json]] | None = Field(None, description="Figures by source and market")
    decision_ids: list[str] = Field([], description="This cycle's decisions, in order, kept for two hours")
    cycle_id: str = Field("", max_length=64, description="By which a cycle that is sent again is recognised")
    example: ClassVar[Json] = {
        "context": _MARKET,
        "queries": [_QUERY],
        "signals": [_SIGNAL],
        "performance": _PERFORMANCE,
        "decision_ids": [DECISION_ID],
        "cycle_id": "cycle-142",
    }


class CycleKept(Shape):
    """A cycle that is kept now."""

    cycle_id: str
    example: ClassVar[Json] = {"cycle_id": "cycle-142"}


class CyclesRemembered(Shape):
    """What the last cycles left, newest first."""

    context: Json | None
    queries: list[list[Any]] = Field(description="The results of each cycle")
    signals: list[Any]
    decision_ids: list[str]
    performance: dict[str, dict[str, Any]]
    missing: list[str] = Field(description="What the cache did not answer")
    example: ClassVar[Json] = {
        "context": _MARKET,
        "queries": [[_QUERY]],
        "signals": [_SIGNAL],
        "decision_ids": [DECISION_ID],
        "performance": _PERFORMANCE,
        "missing": [],
    }


class SignalRemoval(Shape):
    """A signal as it was given."""

    signal: Any
    example: ClassVar[Json] = {"signal": _SIGNAL}


class SignalRemoved(Shape):
    """Whether it was active."""

    removed: bool
    example: ClassVar[Json] = {"removed": True}


class QueryCounted(Shape):
    """How many queries a source allows in a window that begins with the first."""

    limit: int = Field(ge=1, le=1_000_000)
    window_seconds: int = Field(ge=1, le=86_400)
    example: ClassVar[Json] = {"limit": 60, "window_seconds": 300}


class RateLimit(Shape):
    """Whether the query may go out."""

    allowed: bool
    remaining: int
    resets_in_seconds: float
    is_shared: bool = Field(description="False while the cache is away and each process counts for itself")
    example: ClassVar[Json] = {"allowed": True, "remaining": 59, "resets_in_seconds": 300.0, "is_shared": True}
