"""What analytics read of an agent, directly from its stores or through any client of this package."""

from collections.abc import Iterator
from typing import Any, Protocol

from agent_memory.client.backends import AnalyticsBackend, DecisionBackend
from agent_memory.client.decision_logger import DirectDecisions
from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.client.memory import AsyncMemory, SyncMemory
from agent_memory.client.memory_manager import DirectMemory
from agent_memory.core.clock import parse_instant
from agent_memory.core.errors import InColdStorage, InvalidInput
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.decisions.queries import MAX_PAGE, DecisionFilter, TimeRange
from agent_memory.model.decisions import Decision, DecisionDict, Outcome
from agent_memory.model.listings import Damages, Listing, skip_damaged
from agent_memory.ports.stores import Places

Json = dict[str, Any]


class Missing:
    """What could not be read, each item once."""

    def __init__(self) -> None:
        self.damages = Damages()
        self._items: dict[str, Json] = {}

    def add(self, items: list[Json]) -> None:
        """Add items of a listing."""
        self._items |= {one["id"]: one for one in items}

    def as_dicts(self) -> list[Json]:
        """Each with `id`, `reason` and `why`."""
        return [*self.damages.as_dicts(), *self._items.values()]


class DecisionRecord(Protocol):
    """The decisions of one agent."""

    def decisions(self, criteria: DecisionFilter, missing: Missing) -> Iterator[Decision]:
        """The decisions that match, oldest first, read as they are consumed."""
        ...

    def first_ms(self, criteria: DecisionFilter, *, newest_first: bool) -> int | None:
        """The time of the oldest or the newest decision that matches and can be read; None if there is none."""
        ...

    def performance(self, time_range: TimeRange | None, missing: Missing) -> PerformanceCounts:
        """The counts of the decisions of a time range; those of counted days are not read."""
        ...


class MemoryRecord(Protocol):
    """The patterns and the short-term memory of one agent."""

    agent_id: str
    places: Places

    def patterns(self, missing: Missing) -> list[Json]:
        """The agent's own patterns, as `memory.pattern_figures` shows them."""
        ...

    def confidence_trend(self, pattern_id: str) -> Listing[Json]:
        """Every version of a pattern."""
        ...

    def short_term_entries(self) -> int | None:
        """The number of entries in short-term memory; None if there is no cache, or if it cannot be counted."""
        ...


def decisions_of(source: object) -> DecisionRecord:
    """The decisions that a `DecisionLogger`, a client or any other decision log of this package reads.

    Raises:
        InvalidInput: it is none of them.
    """
    if not isinstance(source, AsyncDecisions | SyncDecisions):
        raise InvalidInput(
            "decision_logger", f"expected a DecisionLogger or an AgentMemoryClient, got {type(source).__qualname__}"
        )
    backend = source._decisions  # noqa: SLF001  a class of this package
    return _DirectDecisions(backend) if isinstance(backend, DirectDecisions) else _PagedDecisions(backend)


def memory_of(source: object) -> MemoryRecord:
    """The memory that a `MemoryManager` or a client reads.

    Raises:
        InvalidInput: it is none of them.
    """
    if isinstance(source, AsyncMemory | SyncMemory):
        backend = source._memory  # noqa: SLF001  a class of this package
        if isinstance(backend, DirectMemory):
            return _DirectMemory(backend)
        if isinstance(backend, AnalyticsBackend):  # that of an API
            return _RemoteMemory(backend)
    raise InvalidInput(
        "memory_manager", f"expected a MemoryManager or an AgentMemoryClient, got {type(source).__qualname__}"
    )


class _DirectDecisions:
    def __init__(self, backend: DirectDecisions) -> None:
        self._log = backend.log

    def decisions(self, criteria: DecisionFilter, missing: Missing) -> Iterator[Decision]:
        return self._log.stream(criteria, newest_first=False, on_unreadable=missing.damages)

    def first_ms(self, criteria: DecisionFilter, *, newest_first: bool) -> int | None:
        found = self._log.stream(criteria, newest_first=newest_first, first=1, on_unreadable=skip_damaged)
        return next((one.timestamp_ms for one in found), None)

    def performance(self, time_range: TimeRange | None, missing: Missing) -> PerformanceCounts:
        counts, cursor = PerformanceCounts(), None
        while True:
            part = self._log.performance(time_range, cursor=cursor)
            counts.add_rows(part)
            missing.add(part["missing"])
            cursor = part["cursor"]
            if cursor is None:
                return counts


class _PagedDecisions:
    """The decisions of a log that can only be read page by page, as over HTTP."""

    def __init__(self, backend: DecisionBackend) -> None:
        self._backend = backend

    def decisions(self, criteria: DecisionFilter, missing: Missing) -> Iterator[Decision]:
        for page in self._pages(criteria, limit=MAX_PAGE, newest_first=False):
            yield from map(_decision, page["decisions"])
            missing.add(page.get("missing", []))

    def first_ms(self, criteria: DecisionFilter, *, newest_first: bool) -> int | None:
        pages = self._pages(criteria, limit=1, newest_first=newest_first)
        return next((parse_instant(one["timestamp"]) for page in pages for one in page["decisions"]), None)

    def performance(self, time_range: TimeRange | None, missing: Missing) -> PerformanceCounts:
        counts = PerformanceCounts()
        if isinstance(self._backend, AnalyticsBackend):  # that of an API
            found = self._backend.performance(time_range)
            missing.add(found["missing"])
            return counts.add_rows(found)
        for one in self.decisions(DecisionFilter(time_range=time_range).validated(), missing):
            counts.add(one)
        return counts

    def _pages(self, criteria: DecisionFilter, *, limit: int, newest_first: bool) -> Iterator[Json]:
        """The pages of a query, each read when it is consumed, up to a day in cold storage."""
        cursor: str | None = None
        while True:
            page = self._backend.page_decisions(criteria, limit=limit, newest_first=newest_first, cursor=cursor)
            yield page
            cursor = page["cursor"]
            if cursor is None or any(one["reason"] == InColdStorage.code for one in page.get("missing", ())):
                return


class _DirectMemory:
    def __init__(self, backend: DirectMemory) -> None:
        self.agent_id = backend.agent_id
        self._memory = backend.memory
        self.places = backend.memory.stores.places

    def patterns(self, missing: Missing) -> list[Json]:
        found = self._memory.pattern_figures()
        missing.add(found.missing)
        return list(found)

    def confidence_trend(self, pattern_id: str) -> Listing[Json]:
        return self._memory.confidence_trend(pattern_id)

    def short_term_entries(self) -> int | None:
        return self._memory.short_term.count() if self._memory.stores.short_term is not None else None


class _RemoteMemory:
    def __init__(self, backend: AnalyticsBackend) -> None:
        self.agent_id = backend.agent_id
        self.places = Places()  # an API runs on AWS
        self._backend = backend

    def patterns(self, missing: Missing) -> list[Json]:
        found = self._backend.patterns(status=None, min_occurrences=0)
        missing.add(found.missing)
        return list(found)

    def confidence_trend(self, pattern_id: str) -> Listing[Json]:
        return self._backend.confidence_trend(pattern_id)

    def short_term_entries(self) -> int | None:
        return None


def _decision(found: DecisionDict) -> Decision:
    """A decision as the APIs return it, with its headline outcome."""
    outcome = None
    if found["success"] is not None:
        recorded = parse_instant(found["outcome_recorded_at"] or found["timestamp"])
        outcome = Outcome(found["success"], found["outcome"] or {}, found["metrics"] or {}, recorded, found["horizon"])
    return Decision(
        agent_id=found["agent_id"],
        decision_id=found["decision_id"],
        decision_type=found["decision_type"],
        timestamp_ms=parse_instant(found["timestamp"]),
        context=found["context"],
        reasoning=found["reasoning"],
        metadata=found["metadata"],
        outcome=outcome,
        parent_ids=tuple(found["parent_ids"]),
        memory_ids=tuple(found["memory_ids"]),
    )
