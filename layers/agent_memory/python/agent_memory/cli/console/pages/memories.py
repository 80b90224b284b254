"""The memories of an agent by type, as they are or were at a time, and its estimates as heat maps."""

from collections.abc import Mapping
from typing import Any

from agent_memory.cli.console.heat_map import heat_map
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.core.clock import to_iso
from agent_memory.memory.pattern_figures import sentence_of
from agent_memory.model.memories import MemoryType

_COLUMNS = columns(
    """
    pattern_id    memory    Memory
    description   sentence  What it says
    status        status    Status
    confidence    percent   Confidence
    success_rate  rate      Success rate
    base_rate     percent   Otherwise
    sample_size   number    Decisions
    updated_at    time      Updated
    version       number    Version
    """
)
_QUARANTINES = columns(
    """
    memory_id  text  Memory
    reason     text  Why
    by         text  By
    at         time  Since
    """
)


async def memories_page(visit: Visit) -> Page:
    """The memories of one type."""
    memory = visit.source.memory(visit.agent_id)
    memory_type = visit.text("type") or str(MemoryType.PATTERN)
    found = await memory.retrieve_ltm(memory_type, as_of=as_of(visit))
    words = (visit.text("text") or "").casefold().split()
    rows = [one for one in map(memory_row, found) if all(word in _searchable(one) for word in words)]
    quarantines = await memory.list_quarantines()
    tables = [
        Table("memories", _COLUMNS, rows, empty=f"No {memory_type} is stored."),
        Table("quarantines", _QUARANTINES, quarantines, empty="No memory is quarantined."),
    ]
    is_estimate = memory_type == MemoryType.ESTIMATE
    values = {
        "memory_type": memory_type,
        "types": sorted({*map(str, MemoryType), *await _own_types(visit), memory_type}),
        "missing": found.missing,
        "maps": [one for one in map(heat_map, found) if one] if is_estimate else [],
        "quarantined": [one["memory_id"] for one in quarantines],
    }
    return Page("memories.html.j2", "Memory", values, tables, is_dated=True)


def as_of(visit: Visit) -> Any:
    """The time of which memories are shown, by default now: reads as of a time are not counted as an agent's."""
    return visit.as_of or to_iso(visit.source.clock.now_ms())


async def _own_types(visit: Visit) -> list[str]:
    if not visit.source.is_direct:
        return []
    return await visit.source.memory(visit.agent_id).list_memory_types()


def memory_row(memory: Mapping[str, Any]) -> dict[str, Any]:
    """A memory as a row of a table; figures that it does not state are None."""
    interval = memory.get("interval")
    low, high = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)  # noqa: PLR2004
    return {
        **{
            name: memory[name]
            for name in ("agent_id", "pattern_id", "memory_type", "confidence", "updated_at", "version")
        },
        **{name: memory.get(name) for name in ("status", "success_rate", "base_rate")},
        "description": sentence_of(memory),
        "low": low,
        "high": high,
        "sample_size": memory.get("occurrences", memory.get("sample_size", memory.get("decisions"))),
    }


def _searchable(row: Mapping[str, Any]) -> str:
    return " ".join(str(row[name]) for name in ("pattern_id", "description", "status")).casefold()
