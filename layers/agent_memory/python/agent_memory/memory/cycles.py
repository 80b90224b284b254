"""The data of a cycle in short-term memory, and the result of a check of a rate limit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from agent_memory.core.checks import check_list, check_text
from agent_memory.core.ids import check_source
from agent_memory.core.json_values import Document, check_object, pointer

Performance = Mapping[str, Mapping[str, Document]]
"""The figures of each source in each market context: source -> market -> figures."""

_MAX_CYCLE_ID = 64


@dataclass(frozen=True, slots=True)
class Cycle:
    """The data that one cycle stores; `InvalidInput` names an invalid field.

    Attributes:
        context: the current market context; kept for an hour.
        queries: the results of this cycle's queries; those of the last ten cycles are kept for a day.
        signals: the signals that are active from now on, for four hours.
        performance: the figures of sources by source and market; kept for a quarter of an hour.
        decision_ids: the ids of this cycle's decisions, in order; kept for two hours.
        cycle_id: identifies a cycle that is sent again.
    """

    context: Document | None = None
    queries: Sequence[Any] = ()
    signals: Sequence[Any] = ()
    performance: Performance | None = None
    decision_ids: Sequence[str] = ()
    cycle_id: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self) -> None:
        for name in ("queries", "signals", "decision_ids"):
            self._set(name, check_list(name, getattr(self, name), f"/{name}"))
        for name in ("context", "performance"):
            if getattr(self, name) is not None:
                self._set(name, check_object(name, getattr(self, name), f"/{name}"))
        for source, markets in (self.performance or {}).items():
            path = ("performance", source)
            check_source(source, pointer(path))
            for market, figures in check_object(pointer(path), markets).items():
                market_path = pointer((path, market))
                check_source(market, market_path)
                check_object(market_path, figures)
        for index, decision_id in enumerate(self.decision_ids):
            check_text(f"decision_ids/{index}", decision_id)
        self._set("cycle_id", check_text("cycle_id", self.cycle_id, _MAX_CYCLE_ID))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """The cycle as a JSON object."""
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
    """The data of the last cycles in short-term memory.

    `queries` has one list of results per cycle. `queries`, `signals` and `decision_ids` are ordered newest first.
    `missing` names the fields that the cache did not return; `unreadable` has the keys whose values cannot be read,
    with the reason.
    """

    context: Document | None = None
    queries: list[list[Any]] = field(default_factory=list)
    signals: list[Any] = field(default_factory=list)
    decision_ids: list[str] = field(default_factory=list)
    performance: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The fields as a dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Whether a query is allowed, how many remain, and in how many seconds the window ends.

    `is_shared` is false if the cache did not respond: then only the queries of this process were counted.
    """

    allowed: bool
    remaining: int
    resets_in_seconds: float
    is_shared: bool

    def as_dict(self) -> dict[str, Any]:
        """The fields as a dictionary."""
        return asdict(self)
