"""Every store in plain Python: for tests, notebooks, and agents that run without a cloud.

Each behaves as its real sibling does; one contract suite holds them all to that. Documents go
through the codec on their way in, so that what DynamoDB would refuse is refused here too.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from threading import Lock

from agent_memory.core.errors import Conflict
from agent_memory.model.memories import Memory
from agent_memory.ports.memories import Access
from agent_memory.storage.dynamodb.items import (
    ACCESSES_OF_MEMORY,
    Item,
    history_item,
    memory_from,
    memory_item,
    number,
    seconds,
    text,
)


class InMemoryMemories:
    """`MemoryStore` in a dictionary."""

    def __init__(self) -> None:
        self._current: dict[tuple[str, str, str], Item] = {}
        self._history: dict[tuple[str, str, str], list[Item]] = {}
        self._writing = Lock()

    def put(self, memory: Memory, *, after: int | None) -> None:
        """Write a version, given that `after` is the current one (None: there is none); else `Conflict`."""
        with self._writing:
            self._keep(memory, after)
            before = self._current.get(_address(memory), {})
            accesses = {name: before[name] for name in ACCESSES_OF_MEMORY if name in before}
            self._current[_address(memory)] = memory_item(memory) | accesses

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        item = self._current.get((agent_id, memory_type, pattern_id))
        return memory_from(item) if item else None

    def by_confidence(self, agent_id: str, memory_type: str, min_confidence: float = 0.0) -> Iterator[Memory]:
        """Memories of a type, most confident first."""
        current = list(self._current.items())
        memories = [memory_from(item) for address, item in current if address[:2] == (agent_id, memory_type)]
        memories.sort(key=lambda memory: memory.confidence, reverse=True)
        return iter([memory for memory in memories if memory.confidence >= min_confidence])

    def history(self, agent_id: str, memory_type: str, pattern_id: str) -> list[Memory]:
        """Every version of a memory, oldest first, those that say it was removed included."""
        return [memory_from(item) for item in self._history.get((agent_id, memory_type, pattern_id), [])]

    def last_version(self, agent_id: str, memory_type: str, pattern_id: str) -> int:
        """Number of the last version that a memory ever had; 0 where it never was."""
        return max((memory.version for memory in self.history(agent_id, memory_type, pattern_id)), default=0)

    def all_versions(self, agent_id: str, memory_type: str) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory side by side, oldest first."""
        addresses = sorted(address for address in self._history if address[:2] == (agent_id, memory_type))
        return (memory for address in addresses for memory in self.history(*address))

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to memories that are there, once; returns how many memories it was done for."""
        added = 0
        with self._writing:
            for access in accesses:
                item = self._current.get((agent_id, access.memory_type, access.pattern_id))
                if item is None or ("accesses_through" in item and item["accesses_through"]["S"] >= day.isoformat()):
                    continue
                before = int(item["access_count"]["N"]) if "access_count" in item else 0
                item["access_count"] = number(before + access.count)
                item["last_accessed"] = seconds(access.last_ms)
                item["accesses_through"] = text(day.isoformat())
                added += 1
        return added

    def remove(self, removal: Memory, *, after: int) -> None:
        """Remove a memory, given that `after` is still its version; else `Conflict`."""
        with self._writing:
            self._keep(removal, after)
            del self._current[_address(removal)]

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many items."""
        kept = [address for address in self._history if address[0] == agent_id]
        count = sum(len(self._history[address]) + (address in self._current) for address in kept)
        if not dry_run:
            for address in kept:
                del self._history[address]
                self._current.pop(address, None)
        return count

    def _keep(self, memory: Memory, after: int | None) -> None:
        present = self.get(*_address(memory))
        if (present.version if present else None) != after or memory.version <= self.last_version(*_address(memory)):
            raise Conflict(f"{memory.memory_type} {memory.pattern_id}: another writer came first")
        self._history.setdefault(_address(memory), []).append(history_item(memory))


def _address(memory: Memory) -> tuple[str, str, str]:
    return memory.agent_id, memory.memory_type, memory.pattern_id
