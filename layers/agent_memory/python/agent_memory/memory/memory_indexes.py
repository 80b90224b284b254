"""Keeps an index of each agent's current memories, and brings it up to date by what has changed since.

first recall       everything is read        and the position in the store's log of changes is noted
later recalls      the log from there on     and the changed memories by key
after ten minutes  everything again          for changes that other programs have made
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from agent_memory.core.concurrency import run_concurrently
from agent_memory.core.errors import Damaged
from agent_memory.memory.entry_index import EntryIndex, memory_entry_id
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.memory.recall_indexes import KeptIndex, indexes_of
from agent_memory.memory.recalled_entries import memory_entry
from agent_memory.model.listings import Unreadable
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.ports.memories import Change

_MAX_AGE_SECONDS = 600.0
# Estimates are coefficients, which no words describe; `advise` reads them.
RECALLED_TYPES = tuple(str(one) for one in MemoryType if one is not MemoryType.ESTIMATE)


@dataclass(frozen=True, slots=True)
class _State:
    """Where the index is in the log of changes, when everything was read, and what could not be."""

    cursor: str
    loaded_at: float
    unreadable: tuple[Unreadable, ...] = ()


def current_index(namespace: LongTermMemory, *, fresh: bool = False) -> KeptIndex:
    """The index of the current memories of an agent or pool, up to date; with `fresh`, everything is read again."""
    kept = indexes_of(namespace.store).of(namespace.agent_id, "memories")
    with kept.lock:
        state = kept.state
        is_old = state is None or not 0 <= time.monotonic() - state.loaded_at < _MAX_AGE_SECONDS
        if fresh or is_old or not _apply_changes(kept, state, namespace):
            _load(kept, namespace)
    return kept


def unreadable_in(kept: KeptIndex) -> Sequence[Unreadable]:
    """What could not be read when the index was made."""
    return kept.state.unreadable if kept.state else ()


def entry_id_of(memory: Memory) -> str:
    """The id of a memory's entry."""
    return memory_entry_id(memory.agent_id, memory.memory_type, memory.pattern_id)


def _load(kept: KeptIndex, namespace: LongTermMemory) -> None:
    # First the position: what is written meanwhile is then read twice rather than never.
    cursor, loaded_at = namespace.store.changes(namespace.agent_id, None).cursor, time.monotonic()
    unreadable: list[Unreadable] = []
    standard, own_types = run_concurrently(
        lambda: namespace.find_all(RECALLED_TYPES, on_unreadable=unreadable.append), namespace.own_types
    )
    found = [*standard, *namespace.find_all(own_types, on_unreadable=unreadable.append)]
    agent_id = namespace.agent_id
    by_id = {memory_entry_id(agent_id, one.memory_type, one.pattern_id): one for one in found}
    kept.index.sync(by_id, memory_entry)
    kept.state = _State(cursor, loaded_at, tuple(unreadable))


def _apply_changes(kept: KeptIndex, state: _State, namespace: LongTermMemory) -> bool:
    """Read what has changed since the index was brought up to date; returns whether that could be said."""
    changes = namespace.store.changes(namespace.agent_id, state.cursor)
    if changes is None or (changes.versions and state.unreadable):
        return False
    last = {
        memory_entry_id(namespace.agent_id, one.memory_type, one.pattern_id): one
        for one in changes.versions
        if one.memory_type != MemoryType.ESTIMATE
    }
    wanted = {
        entry_id: (namespace.agent_id, one.memory_type, one.pattern_id)
        for entry_id, one in last.items()
        if not _is_known(kept.index, entry_id, one)
    }
    if wanted:
        try:
            found = {entry_id_of(one): one for one in namespace.store.get_many(list(wanted.values()))}
        except Damaged:
            return False
        for entry_id in wanted.keys() - found.keys():
            kept.index.discard(entry_id)
        kept.index.put([memory_entry(entry_id, one) for entry_id, one in found.items()])
    kept.state = _State(changes.cursor, state.loaded_at, state.unreadable)
    return True


def _is_known(index: EntryIndex, entry_id: str, change: Change) -> bool:
    """Whether the index has this version of a memory."""
    entry = index.get(entry_id)
    if entry is None or entry.payload.version != change.version:
        return False
    return bool(change.updated_ms == entry.payload.updated_ms)
