"""What the domain asks of a store of long-term memories; `base` says what holds for every store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from agent_memory.model.memories import Memory


@dataclass(frozen=True, slots=True)
class Access:
    """How often a memory was read, and when last."""

    memory_type: str
    pattern_id: str
    count: int
    last_ms: int


class MemoryStore(Protocol):
    """Long-term memory: the current version of every memory, and every version before it."""

    def put(self, memory: Memory, *, after: int | None) -> None:
        """Write a version, given that `after` is the current one (None: there is none); else `Conflict`.

        It stands in the history too, where nothing is ever overwritten.
        """
        ...

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        ...

    def by_confidence(self, agent_id: str, memory_type: str, min_confidence: float = 0.0) -> Iterator[Memory]:
        """Memories of a type, most confident first."""
        ...

    def history(self, agent_id: str, memory_type: str, pattern_id: str) -> list[Memory]:
        """Every version of a memory, oldest first, those that say it was removed included."""
        ...

    def last_version(self, agent_id: str, memory_type: str, pattern_id: str) -> int:
        """Number of the last version that a memory ever had; 0 where it never was."""
        ...

    def all_versions(self, agent_id: str, memory_type: str) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory side by side, oldest first."""
        ...

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to memories that are there, once: of this day and later ones none may have been added.

        No version comes of it. Returns how many memories it was done for.
        """
        ...

    def remove(self, removal: Memory, *, after: int) -> None:
        """Remove a memory, given that `after` is still its version; else `Conflict`.

        `removal` is the version that says so in the history.
        """
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many items."""
        ...
