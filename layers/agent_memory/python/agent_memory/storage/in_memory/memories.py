"""Long-term memories in plain Python."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock

from agent_memory.core.errors import Conflict
from agent_memory.core.json_values import canonical_json, check_json
from agent_memory.model.memories import Memory
from agent_memory.model.records import memory_from, memory_record
from agent_memory.ports.memories import Access

_Address = tuple[str, str, str]


@dataclass(slots=True)
class _Accesses:
    """How often a memory was read, when last, and the last day that was added."""

    count: int = 0
    last_ms: int | None = None
    through: str = ""


class InMemoryMemories:
    """`MemoryStore` in a dictionary of JSON texts: nothing that is changed outside changes what is stored."""

    def __init__(self) -> None:
        self._current: dict[_Address, str] = {}
        self._history: dict[_Address, list[str]] = {}
        self._accesses: dict[_Address, _Accesses] = {}
        self._writing = Lock()

    def put(self, memory: Memory, *, after: int | None) -> None:
        """Write a version, given that `after` is the current one (None: there is none); else `Conflict`."""
        check_json(memory.data, "/data")
        with self._writing:
            self._current[_address(memory)] = self._append(memory, after)

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        address = (agent_id, memory_type, pattern_id)
        text = self._current.get(address)
        if text is None:
            return None
        accesses = self._accesses.get(address, _Accesses())
        return memory_from(json.loads(text) | {"access_count": accesses.count, "last_accessed_ms": accesses.last_ms})

    def by_confidence(self, agent_id: str, memory_type: str, min_confidence: float = 0.0) -> Iterator[Memory]:
        """Memories of a type, most confident first."""
        addresses = [address for address in list(self._current) if address[:2] == (agent_id, memory_type)]
        memories = [memory for address in addresses if (memory := self.get(*address)) is not None]
        memories.sort(key=lambda memory: memory.confidence, reverse=True)
        return iter([memory for memory in memories if memory.confidence >= min_confidence])

    def history(self, agent_id: str, memory_type: str, pattern_id: str) -> list[Memory]:
        """Every version of a memory, oldest first, those that say it was removed included."""
        return [memory_from(json.loads(text)) for text in self._history.get((agent_id, memory_type, pattern_id), [])]

    def last_version(self, agent_id: str, memory_type: str, pattern_id: str) -> int:
        """Number of the last version that a memory ever had; 0 if it never existed."""
        return max((memory.version for memory in self.history(agent_id, memory_type, pattern_id)), default=0)

    def all_versions(self, agent_id: str, memory_type: str) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory are adjacent, oldest first."""
        addresses = sorted(address for address in self._history if address[:2] == (agent_id, memory_type))
        return (memory for address in addresses for memory in self.history(*address))

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to memories that are there, once; returns how many memories it was done for."""
        added = 0
        with self._writing:
            for access in accesses:
                address = (agent_id, access.memory_type, access.pattern_id)
                known = self._accesses.setdefault(address, _Accesses())
                if address not in self._current or known.through >= day.isoformat():
                    continue
                known.count += access.count
                known.last_ms, known.through = access.last_ms, day.isoformat()
                added += 1
        return added

    def remove(self, removal: Memory, *, after: int) -> None:
        """Remove a memory, given that `after` is still its version; else `Conflict`."""
        with self._writing:
            self._append(removal, after)
            del self._current[_address(removal)]
            self._accesses.pop(_address(removal), None)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many items."""
        addresses = [address for address in self._history if address[0] == agent_id]
        count = sum(len(self._history[address]) + (address in self._current) for address in addresses)
        if not dry_run:
            for address in addresses:
                del self._history[address]
                self._current.pop(address, None)
                self._accesses.pop(address, None)
        return count

    def _append(self, memory: Memory, after: int | None) -> str:
        """Add a version to the history; returns it as text."""
        present = self.get(*_address(memory))
        if (present.version if present else None) != after or memory.version <= self.last_version(*_address(memory)):
            raise Conflict(f"{memory.memory_type} {memory.pattern_id}: another writer came first")
        record = memory_record(memory) | {"access_count": 0, "last_accessed_ms": None}
        text = canonical_json(record)
        self._history.setdefault(_address(memory), []).append(text)
        return text


def _address(memory: Memory) -> _Address:
    return memory.agent_id, memory.memory_type, memory.pattern_id
