"""The nightly update of performance memories: strategies, sources and market conditions."""

from collections.abc import Iterable, Sequence

from agent_memory.core.clock import to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.lifecycle import Status
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.performance import (
    PerformanceSummary,
    market_archetypes,
    source_performance,
    strategy_performance,
)
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly.stored_memories import StoredMemories, has_status

# Present in the memories that this job stores, and in no other.
_HALF_LIFE_FIELD = "tallied_with_half_life_ms"


def update_performance(
    stored: StoredMemories,
    datasets: Sequence[Dataset],
    thresholds: PatternThresholds,
    end_ms: int,
    *,
    caused: Sequence[tuple[str, Dataset]],
) -> dict[str, int]:
    """Store the current figures; returns how many memories of each type are active.

    `caused` is what strategies are measured by, see `learning.performance.strategy_performance`.
    A memory whose subject has too few decisions left in the evidence is deprecated and otherwise unchanged.
    """
    summaries = {
        MemoryType.STRATEGY: strategy_performance(datasets, thresholds, caused),
        MemoryType.SOURCE_PERFORMANCE: source_performance(datasets, thresholds),
        MemoryType.ARCHETYPE: market_archetypes(datasets, thresholds),
    }
    return {
        memory_type.lower(): _update(stored, memory_type, current, thresholds, end_ms)
        for memory_type, current in summaries.items()
    }


def _update(
    memories: StoredMemories,
    memory_type: MemoryType,
    summaries: Iterable[PerformanceSummary],
    thresholds: PatternThresholds,
    end_ms: int,
) -> int:
    stored = memories.of_type(memory_type)
    # A memory that an agent stored itself under such an id is left alone.
    current = [one for one in summaries if one.pattern_id not in stored or _is_own(stored[one.pattern_id])]
    names = {one.pattern_id for one in current}
    outdated = [memory for memory in stored.values() if _is_own(memory) and memory.pattern_id not in names]

    def store(summary: PerformanceSummary) -> None:
        status = _status_data(stored.get(summary.pattern_id), Status.ACTIVE, end_ms)
        data = {**summary.data, **status, _HALF_LIFE_FIELD: thresholds.half_life_ms}
        memories.put(memory_type, summary.pattern_id, data, reason="figures updated")

    map_concurrently(store, current)
    for memory in outdated:
        data = {**memory.data, "confidence": memory.confidence, **_status_data(memory, Status.DEPRECATED, end_ms)}
        memories.put(memory_type, memory.pattern_id, data, reason="too few recent decisions")
    return len(current)


def _status_data(before: Memory | None, status: Status, end_ms: int) -> dict[str, str]:
    """The status, and the time since which the memory has had it."""
    if before is not None and before.data.get("status") == status:
        return {"status": str(status), "status_since": min(before.data["status_since"], to_iso(end_ms))}
    return {"status": str(status), "status_since": to_iso(end_ms)}


def _is_own(memory: Memory) -> bool:
    return _HALF_LIFE_FIELD in memory.data and has_status(memory)
