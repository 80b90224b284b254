"""Imports long-term memories: the versions that follow those that are stored."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from agent_memory.admin.importing.report import ImportReport, Status
from agent_memory.core.clock import date_of
from agent_memory.core.errors import Conflict, Damaged
from agent_memory.memory.text_words import stored_words
from agent_memory.model.memories import Memory
from agent_memory.model.recalled_parts import memory_texts
from agent_memory.ports.memories import Access, MemoryStore

KIND = "memories"


def import_memories(exported: Iterable[Memory], store: MemoryStore, report: ImportReport, *, write: bool) -> None:
    """Write the versions of memories that follow the stored ones, and the counts of their reads.

    A memory of which a stored item is damaged is a conflict; the others are imported.
    """
    for (memory_type, pattern_id), versions in groupby(exported, key=lambda one: (one.memory_type, one.pattern_id)):
        name = f"{memory_type} {pattern_id}"
        try:
            _import_versions(name, list(versions), store, report, write=write)
        except Damaged as error:
            report.conflict(KIND, name, f"the table has it, but an item of it is damaged: {error}")


def _import_versions(
    name: str, exported: list[Memory], store: MemoryStore, report: ImportReport, *, write: bool
) -> None:
    last = exported[-1]
    stored = store.history(last.agent_id, last.memory_type, last.pattern_id)
    store.get(last.agent_id, last.memory_type, last.pattern_id)  # the current version is an item of its own
    common = min(len(stored), len(exported))
    for before, one in zip(stored[:common], exported[:common], strict=True):
        if before != one:
            report.conflict(KIND, name, f"version {before.version} is stored with other content than was exported")
            return
    for _ in range(common):
        report.count(KIND, Status.UNCHANGED)
    current = stored[-1] if stored else None
    for one in exported[common:]:
        if write:
            try:
                _write(one, current, store)
            except Conflict as error:
                report.conflict(KIND, name, f"{error}: the agent is running; stop it and import again")
                return
        report.count(KIND, Status.CREATED)
        current = one
    if write and len(stored) <= len(exported):
        _add_reads(last, store)


def _write(one: Memory, current: Memory | None, store: MemoryStore) -> None:
    """Write a version after the current one, which is None if there is none; a removal is none either."""
    before = current if current is not None and not current.is_removed else None
    if one.is_removed and before is not None:
        store.remove(one, after=before)
    else:
        store.put(replace(one, words=stored_words(*memory_texts(one.pattern_id, one.data))), after=before)


def _add_reads(one: Memory, store: MemoryStore) -> None:
    """Set the count of reads of a memory that has none yet; adding it again changes nothing."""
    if one.is_removed or not one.access_count or one.last_accessed_ms is None:
        return
    stored = store.get(one.agent_id, one.memory_type, one.pattern_id)
    if stored is not None and not stored.access_count:
        access = Access(one.memory_type, one.pattern_id, one.access_count, one.last_accessed_ms)
        store.add_accesses(one.agent_id, [access], date_of(one.last_accessed_ms))
