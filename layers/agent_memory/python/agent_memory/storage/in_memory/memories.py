"""Long-term memory in this process."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import overload

from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import history_sk
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.memories import STANDARD_TYPES, Memory
from agent_memory.model.records import memory_from, memory_record
from agent_memory.ports.memories import Access, Change, Changes, VersionTime, current_at
from agent_memory.storage.dynamodb.items import check_item_size, history_item

_Key = tuple[str, str, str]
"""Agent, type and id of a memory."""


@dataclass(slots=True)
class _Accesses:
    """How often a memory was read, when it was read last, and the last day whose accesses were added."""

    count: int = 0
    last_ms: int | None = None
    through: str = ""


class InMemoryMemories:
    """`MemoryStore` in a dictionary of JSON texts, so that changes to a returned object do not change the store."""

    def __init__(self) -> None:
        self._current: dict[_Key, str] = {}
        self._history: dict[_Key, list[str]] = {}
        self._accesses: dict[_Key, _Accesses] = {}
        self._changes: list[tuple[str, Change]] = []
        self._erasures = 0
        self._lock = fork_safe_lock()

    def put(self, memory: Memory, *, after: Memory | None) -> None:
        """Write a version if the current one is `after` (None: there is none); else raise `Conflict`."""
        check_item_size(history_item(memory), "data")
        with self._lock:
            self._current[_key(memory)] = self._append(memory, after)
            self._log(memory)

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        key = (agent_id, memory_type, pattern_id)
        text = self._current.get(key)
        if text is None:
            return None
        accesses = self._accesses.get(key, _Accesses())
        counts = {"access_count": accesses.count, "last_accessed_ms": accesses.last_ms}
        return parsed(pattern_id, lambda: memory_from(json.loads(text) | counts))

    def get_many(self, keys: Sequence[tuple[str, str, str]]) -> list[Memory]:
        """The current versions of those memories that exist, by agent, type and id, in no particular order."""
        return [memory for key in keys if (memory := self.get(*key)) is not None]

    def by_confidence(
        self, agent_id: str, memory_type: str, min_confidence: float = 0.0, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Memories of a type, most confident first, then all that state no confidence, whatever the minimum."""
        keys = [key for key in list(self._current) if key[:2] == (agent_id, memory_type)]
        memories: list[Memory] = []
        for key in keys:
            try:
                memory = self.get(*key)
            except Damaged as error:
                on_unreadable(Unreadable(key[2], error, key[2]))
                continue
            if memory is not None:
                memories.append(memory)
        memories.sort(key=lambda memory: memory.rank, reverse=True)
        return iter([one for one in memories if one.confidence is None or one.confidence >= min_confidence])

    def history(
        self, agent_id: str, memory_type: str, pattern_id: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[Memory]:
        """Every version of a memory, oldest first, including those that record a removal."""
        versions: list[Memory] = []
        for number, text in enumerate(self._history.get((agent_id, memory_type, pattern_id), []), 1):
            name = history_sk(pattern_id, number)
            try:
                versions.append(parsed(name, lambda text: memory_from(json.loads(text)), text))
            except Damaged as error:
                on_unreadable(Unreadable(name, error, name))
        return versions

    def last_removal(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The version that records the removal of a memory that has no current version; None if it never existed."""
        return next(reversed(self.history(agent_id, memory_type, pattern_id)), None)

    def agents(self) -> list[str]:
        """Every agent and pool that has or had memories, sorted."""
        return sorted({key[0] for key in self._history})

    def types(self, agent_id: str) -> list[str]:
        """The types of which the agent has or had memories, sorted."""
        return sorted({key[1] for key in self._history if key[0] == agent_id})

    @overload
    def changes(self, agent_id: str, cursor: None) -> Changes: ...
    @overload
    def changes(self, agent_id: str, cursor: str) -> Changes | None: ...
    def changes(self, agent_id: str, cursor: str | None) -> Changes | None:
        """What has changed since a position, and the next one; see `MemoryStore`."""
        position, erasures = len(self._changes), str(self._erasures)
        before, _, erasures_before = (cursor or f"{position}/{erasures}").partition("/")
        if erasures != erasures_before:
            return None
        since = self._changes[int(before) : position]
        return Changes([change for agent, change in since if agent == agent_id], f"{position}/{erasures}")

    def own_types(self, agent_id: str) -> list[str]:
        """The types that are none of `MemoryType`, of which the agent has or had memories, sorted."""
        return [one for one in self.types(agent_id) if one not in STANDARD_TYPES]

    def all_versions(
        self, agent_id: str, memory_type: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory are adjacent, oldest first."""
        keys = sorted(key for key in self._history if key[:2] == (agent_id, memory_type))
        return (memory for key in keys for memory in self.history(*key, on_unreadable=on_unreadable))

    def versions_at(
        self,
        agent_id: str,
        memory_type: str,
        at_ms: int,
        *,
        pattern_id: str | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> list[Memory]:
        """The memories of a type, or the one of an id, as they were at a time, in order of their ids."""
        if pattern_id is None:
            found = self.all_versions(agent_id, memory_type, on_unreadable=on_unreadable)
        else:
            found = iter(self.history(agent_id, memory_type, pattern_id, on_unreadable=on_unreadable))
        versions = {(one.pattern_id, one.version): one for one in found}
        times = (VersionTime(*key, one.updated_ms, one.is_removed) for key, one in versions.items())
        return [versions[one.pattern_id, one.version] for one in current_at(times, at_ms)]

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to existing memories, once per day; returns how many memories were changed."""
        added = 0
        with self._lock:
            for access in accesses:
                key = (agent_id, access.memory_type, access.pattern_id)
                stored = self._accesses.setdefault(key, _Accesses())
                if key not in self._current or stored.through >= day.isoformat():
                    continue
                stored.count += access.count
                stored.last_ms, stored.through = access.last_ms, day.isoformat()
                added += 1
        return added

    def remove(self, removal: Memory, *, after: Memory) -> None:
        """Remove a memory if its current version is `after`; else raise `Conflict`."""
        with self._lock:
            self._append(removal, after)
            del self._current[_key(removal)]
            self._accesses.pop(_key(removal), None)
            self._log(removal)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many."""
        keys = [key for key in self._history if key[0] == agent_id]
        count = sum(len(self._history[key]) + (key in self._current) for key in keys)
        if not dry_run:
            self._erasures += 1
            for key in keys:
                del self._history[key]
                self._current.pop(key, None)
                self._accesses.pop(key, None)
        return count

    def _append(self, memory: Memory, after: Memory | None) -> str:
        """Add a version to the history; returns its JSON text."""
        current = self.get(*_key(memory))
        last = self.last_removal(*_key(memory)) if current is None else current
        before, now = (one.version if one else None for one in (after, current))
        if now != before or (last is not None and memory.version <= last.version):
            raise Conflict(f"{memory.memory_type} {memory.pattern_id}: another writer came first")
        record = memory_record(memory) | {"access_count": 0, "last_accessed_ms": None}
        text = canonical_json(record)
        self._history.setdefault(_key(memory), []).append(text)
        return text

    def _log(self, memory: Memory) -> None:
        """Log a version once it can be read: who reads the log does not wait for the lock."""
        change = Change(memory.memory_type, memory.pattern_id, memory.version, memory.updated_ms)
        self._changes.append((memory.agent_id, change))


def _key(memory: Memory) -> _Key:
    return memory.agent_id, memory.memory_type, memory.pattern_id
