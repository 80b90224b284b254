"""Every night the tallies of strategies, sources and market conditions are stored as long-term memories."""

from collections.abc import Iterable, Sequence

from agent_memory.core.clock import to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.learning.discovery import Record
from agent_memory.learning.life import Status
from agent_memory.learning.model import PatternThresholds
from agent_memory.learning.performance import Summary, archetypes, sources, strategies
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import Memory, MemoryType

_KINDS = {
    MemoryType.STRATEGY: strategies,
    MemoryType.SOURCE_PERFORMANCE: sources,
    MemoryType.ARCHETYPE: archetypes,
}
_BY_NIGHT = "tallied_with_half_life_ms"


def update_performance(
    long_term: LongTermMemory, records: Sequence[Record], thresholds: PatternThresholds, end_ms: int
) -> dict[str, int]:
    """Store what tonight's evidence says; returns how many memories of each type are active.

    What too few decisions of the evidence speak of any more stays as it was, deprecated.
    """
    return {
        kind.lower(): _renew(long_term, kind, tally(records, thresholds), thresholds, end_ms)
        for kind, tally in _KINDS.items()
    }


def _renew(
    long_term: LongTermMemory,
    kind: MemoryType,
    summaries: Iterable[Summary],
    thresholds: PatternThresholds,
    end_ms: int,
) -> int:
    stored = {memory.pattern_id: memory for memory in long_term.find(kind)}
    # What an agent stored itself under such an id is its own.
    fresh = [one for one in summaries if one.pattern_id not in stored or _is_by_night(stored[one.pattern_id])]
    names = {one.pattern_id for one in fresh}
    gone = [memory for memory in stored.values() if _is_by_night(memory) and memory.pattern_id not in names]

    def keep(one: Summary) -> None:
        before = stored.get(one.pattern_id)
        status = _status(before, Status.ACTIVE, end_ms)
        data = {**one.data, **status, _BY_NIGHT: thresholds.half_life_ms}
        long_term.put_after(before, kind, one.pattern_id, data, reason="its figures of tonight")

    map_concurrently(keep, fresh)
    for memory in gone:
        data = {**memory.data, "confidence": memory.confidence, **_status(memory, Status.DEPRECATED, end_ms)}
        long_term.put_after(memory, kind, memory.pattern_id, data, reason="too few decisions of late")
    return len(fresh)


def _status(before: Memory | None, status: Status, end_ms: int) -> dict[str, str]:
    """The status, and since when it has been that."""
    if before is not None and before.data.get("status") == status:
        return {"status": str(status), "status_since": before.data["status_since"]}
    return {"status": str(status), "status_since": to_iso(end_ms)}


def _is_by_night(memory: Memory) -> bool:
    return _BY_NIGHT in memory.data
