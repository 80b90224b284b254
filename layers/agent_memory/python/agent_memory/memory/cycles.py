"""The data of a cycle in short-term memory, and the result of a check of a rate limit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from agent_memory.core.checks import check_integer, check_list, check_text
from agent_memory.core.clock import Instant, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import check_source
from agent_memory.core.json_values import Document, check_object, pointer
from agent_memory.core.retention import STM_MAX_SECONDS

Performance = Mapping[str, Mapping[str, Document]]
"""The figures of each source in each market context: source -> market -> figures."""

Values = Mapping[str, Mapping[str, Any]]
"""Other values by key, each with its `data` and `ttl_seconds`, as `store_stm` takes them."""

MAX_RATE_LIMIT = 1_000_000
"""How many queries of a source a window may allow."""

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
        asked: the sources that the cycle queried, each counted once against its rate limit of five minutes.
        values: other values by key, each with its `data` and `ttl_seconds`.
        at: when the cycle was, which is the time of its signals; by default when it is stored.
    """

    context: Document | None = None
    queries: Sequence[Any] = ()
    signals: Sequence[Any] = ()
    performance: Performance | None = None
    decision_ids: Sequence[str] = ()
    cycle_id: str = field(default_factory=lambda: str(uuid4()))
    asked: Sequence[str] = ()
    values: Values | None = None
    at: Instant | None = None

    def __post_init__(self) -> None:
        for name in ("queries", "signals", "decision_ids", "asked"):
            self._set(name, check_list(name, getattr(self, name), f"/{name}"))
        for name in ("context", "performance", "values"):
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
        for index, source in enumerate(self.asked):
            check_source(source, pointer(("asked", index)))
        for key, value in (self.values or {}).items():
            _check_value(pointer(("values", key)), value)
        if self.at is not None:
            parse_instant(self.at, "at")
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
            **({"asked": list(self.asked)} if self.asked else {}),
            **({"values": self.values} if self.values else {}),
            **({"at": to_iso(parse_instant(self.at, "at"))} if self.at is not None else {}),
        }


def _check_value(path: str, value: object) -> None:
    """Check that a value has `data` and `ttl_seconds`; its key is checked where it is stored."""
    fields = check_object(path, value)
    for name in ("data", "ttl_seconds"):
        if name not in fields:
            raise InvalidInput(f"{path}/{name}", "is missing")
    for name in fields:
        if name not in ("data", "ttl_seconds"):
            raise InvalidInput(f"{path}/{name}", "unknown field; the fields are data, ttl_seconds")
    check_integer(f"{path}/ttl_seconds", fields["ttl_seconds"], minimum=1, maximum=STM_MAX_SECONDS)


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
