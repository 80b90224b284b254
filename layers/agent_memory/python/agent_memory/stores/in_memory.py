"""Every store in plain Python: for tests, notebooks, and agents that run without a cloud.

Each behaves as its real sibling does; one contract suite holds them all to that. Documents go
through the codec on their way in, so that what DynamoDB would refuse is refused here too.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from threading import Lock

from agent_memory.errors import Conflict
from agent_memory.models import Document, Memory, State
from agent_memory.stores.base import Part, Registration
from agent_memory.stores.dynamodb_items import (
    ACCESSES_OF_MEMORY,
    Item,
    document,
    documents,
    history_item,
    memory_from,
    memory_item,
    number,
    seconds,
    text,
)
from agent_memory.stores.memory_store import Access


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


class InMemoryStates:
    """`StateStore` in a dictionary."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], tuple[Item, int, int]] = {}
        self._registered: dict[str, Registration] = {}
        self._writing = Lock()

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        if (agent_id, state_type) not in self._states:
            return None
        item, version, updated_ms = self._states[agent_id, state_type]
        return State(document(item, "data"), version, updated_ms)

    def put(
        self,
        agent_id: str,
        state_type: str,
        data: Document,
        *,
        expected_version: int,
        now_ms: int,
        beside: Mapping[str, Document] | None = None,
    ) -> State:
        """Write the state, given that its version is `expected_version` (0: none yet); else `Conflict`."""
        items = {state_type: (documents(data=data), expected_version + 1, now_ms)}
        items |= {other: (documents(data=kept), 1, now_ms) for other, kept in (beside or {}).items()}
        with self._writing:
            for name in items:
                present = self.get(agent_id, name)
                if (present.version if present else 0) != (expected_version if name == state_type else 0):
                    raise Conflict(f"state {state_type} is no longer at version {expected_version}")
            self._states |= {(agent_id, name): item for name, item in items.items()}
        return State(data, expected_version + 1, now_ms)

    def below(self, agent_id: str, prefix: str) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, in order of their type, with the rest of that."""
        names = sorted(name for owner, name in list(self._states) if owner == agent_id and name.startswith(prefix))
        states = [(name, self.get(agent_id, name)) for name in names]
        return [(name.removeprefix(prefix), state) for name, state in states if state is not None]

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state, if it is there."""
        with self._writing:
            self._states.pop((agent_id, state_type), None)

    def register(
        self,
        agent_id: str,
        decision_types: Iterable[str],
        write_shards: int,
        now_ms: int,  # noqa: ARG002  kept by the table only
    ) -> None:
        """Note that an agent makes decisions of these types, spread over so many shards."""
        known = self.registration(agent_id)
        types = tuple(sorted({*known.decision_types, *decision_types}))
        self._registered[agent_id] = Registration(types, max(known.write_shards, write_shards))

    def registration(self, agent_id: str) -> Registration:
        """What is registered of an agent; nothing of an unknown one."""
        return self._registered.get(agent_id, Registration())

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        return sorted(self._registered)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        kept = [address for address in self._states if address[0] == agent_id]
        count = len(kept) + (agent_id in self._registered)
        if not dry_run:
            for address in kept:
                del self._states[address]
            self._registered.pop(agent_id, None)
        return count


class InMemoryBlobs:
    """`BlobStore` in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        return self._objects.get(key)

    def restore(self, key: str) -> None:
        """Nothing: memory has no cold storage."""

    def write(self, key: str, body: bytes) -> None:
        """Write the object, replacing an earlier one."""
        self._objects[key] = bytes(body)

    def read_part(self, key: str, start: int, end: int | None = None) -> Part | None:
        """Bytes `start` up to, not including, `end`; a negative start counts from the end. None where there is none."""
        body = self._objects.get(key)
        if body is None:
            return None
        first, last, _ = slice(start, end).indices(len(body))
        return Part(body[first:last], first, len(body), hashlib.sha256(body).hexdigest())

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects below a prefix, in key order."""
        return sorted(key for key in list(self._objects) if key.startswith(prefix))

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, in key order, each ending in '/'."""
        below = (key[len(prefix) :] for key in self._objects if key.startswith(prefix))
        return sorted({f"{prefix}{rest.split('/', 1)[0]}/" for rest in below if "/" in rest})

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects below a prefix, or only count them; returns how many."""
        below = [key for key in self._objects if key.startswith(prefix)]
        if not dry_run:
            for key in below:
                del self._objects[key]
        return len(below)


def _address(memory: Memory) -> tuple[str, str, str]:
    return memory.agent_id, memory.memory_type, memory.pattern_id
