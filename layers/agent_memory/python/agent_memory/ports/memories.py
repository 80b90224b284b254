"""The interface of a store of long-term memories."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol, overload

from agent_memory.model.listings import OnUnreadable, raise_error
from agent_memory.model.memories import Memory


@dataclass(frozen=True, slots=True)
class Access:
    """How often a memory was read, and when it was read last."""

    memory_type: str
    pattern_id: str
    count: int
    last_ms: int


class Change(NamedTuple):
    """A version that was written, or that records a removal.

    After an agent was erased, numbers of versions are given again: number and time together say which version it is.
    """

    memory_type: str
    pattern_id: str
    version: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The versions of memories that were written since a position in a log of changes, oldest first.

    A memory may be named several times, also with versions that were current before the position, or with its last
    version only.
    """

    versions: Sequence[Change]
    cursor: str


class VersionTime(NamedTuple):
    """When a version was written, or a removal recorded."""

    pattern_id: str
    version: int
    updated_ms: int
    is_removed: bool


def current_at(versions: Iterable[VersionTime], at_ms: int) -> list[VersionTime]:
    """Of versions, the one of each memory that was current at a time, without memories that were removed by then.

    A version cannot have been current before the one that it replaced: the nightly job dates its versions by the day
    that they are learned from, which may be long before they are written.

    Args:
        versions: those of one memory are adjacent, oldest first.
        at_ms: the time.
    """
    last: dict[str, VersionTime] = {}
    since_ms: dict[str, int] = {}
    for one in versions:
        since_ms[one.pattern_id] = max(one.updated_ms, since_ms.get(one.pattern_id, 0))
        if since_ms[one.pattern_id] <= at_ms:
            last[one.pattern_id] = one
    return [one for one in last.values() if not one.is_removed]


class MemoryStore(Protocol):
    """Long-term memory: the current version of every memory, and the history of all its versions."""

    def put(self, memory: Memory, *, after: Memory | None) -> None:
        """Write a version if the current one is `after`, as it was read (None: there is none); else raise `Conflict`.

        The version is also added to the history, where nothing is overwritten. Without a current version, its number
        has to be greater than that of every version before.
        """
        ...

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        ...

    def get_many(self, keys: Sequence[tuple[str, str, str]]) -> list[Memory]:
        """The current versions of those memories that exist, by agent, type and id, in no particular order."""
        ...

    def by_confidence(
        self, agent_id: str, memory_type: str, min_confidence: float = 0.0, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Memories of a type, most confident first, then all that state no confidence, whatever the minimum."""
        ...

    def history(
        self, agent_id: str, memory_type: str, pattern_id: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[Memory]:
        """Every version of a memory, oldest first, including those that record a removal."""
        ...

    def last_removal(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The version that records the removal of a memory which has no current version; None if it never existed.

        What is answered for a memory that has a current version is not specified.
        """
        ...

    def agents(self) -> list[str]:
        """Every agent and pool that has or had memories, sorted; the table is scanned for them."""
        ...

    def types(self, agent_id: str) -> list[str]:
        """The types of which the agent has or had memories, sorted; the table is scanned for them."""
        ...

    @overload
    def changes(self, agent_id: str, cursor: None) -> Changes: ...
    @overload
    def changes(self, agent_id: str, cursor: str) -> Changes | None: ...
    def changes(self, agent_id: str, cursor: str | None) -> Changes | None:
        """What has changed since a position, and the next one; without a cursor, only the present position.

        None if that cannot be said, because the position is too old or the agent was erased.
        """
        ...

    def own_types(self, agent_id: str) -> list[str]:
        """The types that are none of `MemoryType`, of which the agent has or had memories, sorted; one request."""
        ...

    def all_versions(
        self, agent_id: str, memory_type: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory are adjacent, oldest first."""
        ...

    def versions_at(
        self,
        agent_id: str,
        memory_type: str,
        at_ms: int,
        *,
        pattern_id: str | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> list[Memory]:
        """The memories of a type, or the one of an id, as they were at a time (`current_at`), in order of their ids.

        Of the other versions only their times are read.
        """
        ...

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to existing memories, once per day; returns how many memories were changed.

        A memory to which accesses of this or a later day were added before is not changed. No new version is written.
        """
        ...

    def remove(self, removal: Memory, *, after: Memory) -> None:
        """Remove a memory if its current version is `after`, as it was read; else raise `Conflict`.

        `removal` is the version that records the removal in the history.
        """
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many."""
        ...
