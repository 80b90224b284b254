"""What a cycle leaves in short-term memory, what is read back of the last ones, and how many queries remain."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import Document, check_json

Performance = Mapping[str, Mapping[str, Document]]
"""How each source does in each market context: source -> market -> figures."""

_MAX_CYCLE_ID = 64


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle brought; `InvalidInput` names the field that cannot be used.

    Attributes:
        context: the market now, for an hour.
        queries: the results of this cycle's queries; those of the last ten cycles are kept, for a day.
        signals: that are active from now on, for four hours.
        performance: how sources do, by source and market, for a quarter of an hour.
        decision_ids: of this cycle's decisions, in order, for two hours.
        cycle_id: by which a cycle that is sent again is recognised.
    """

    context: Document | None = None
    queries: Sequence[Any] = ()
    signals: Sequence[Any] = ()
    performance: Performance | None = None
    decision_ids: Sequence[str] = ()
    cycle_id: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self) -> None:
        for name in ("queries", "signals", "decision_ids"):
            check_list(getattr(self, name), name)
        for name in ("context", "performance"):
            if getattr(self, name) is not None:
                _check_object(getattr(self, name), name)
        for source, markets in (self.performance or {}).items():
            _check_object(markets, f"performance/{source}")
            for market, figures in markets.items():
                _check_object(figures, f"performance/{source}/{market}")
        for place, decision_id in enumerate(self.decision_ids):
            if not isinstance(decision_id, str):
                raise InvalidInput(f"decision_ids/{place}", f"expected text, got {type(decision_id).__name__}")
        if not isinstance(self.cycle_id, str) or not 1 <= len(self.cycle_id) <= _MAX_CYCLE_ID:
            raise InvalidInput("cycle_id", f"{self.cycle_id!r:.80} is not text of 1 to {_MAX_CYCLE_ID} characters")
        check_json(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return {
            "context": self.context,
            "queries": list(self.queries),
            "signals": list(self.signals),
            "performance": self.performance,
            "decision_ids": list(self.decision_ids),
            "cycle_id": self.cycle_id,
        }


@dataclass(frozen=True, slots=True)
class CycleSnapshot:
    """What short-term memory holds of the last cycles; what is missing because the cache did not respond is named.

    `queries` holds the results of each cycle, `signals` and `decision_ids` single ones, all newest first.
    """

    context: Document | None = None
    queries: list[list[Any]] = field(default_factory=list)
    signals: list[Any] = field(default_factory=list)
    decision_ids: list[str] = field(default_factory=list)
    performance: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The same as a dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Whether one more query may go out, how many remain, and in how many seconds the window ends.

    `is_shared` is false while the cache is away: each process counts for itself then.
    """

    allowed: bool
    remaining: int
    resets_in_seconds: float
    is_shared: bool

    def as_dict(self) -> dict[str, Any]:
        """The same as a dictionary."""
        return asdict(self)


def check_list(value: object, field_name: str) -> None:
    """Raise `InvalidInput` unless a value is a list."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InvalidInput(field_name, f"expected a list, got {type(value).__name__}")


def _check_object(value: object, field_name: str) -> None:
    if not isinstance(value, Mapping):
        raise InvalidInput(field_name, f"expected a JSON object, got {type(value).__name__}")
