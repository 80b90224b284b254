"""Forgets long-term memories that have long stopped holding."""

from datetime import date
from typing import Any

from agent_memory.clock import DAY_MS, FixedClock, day_start_ms
from agent_memory.codec import canonical_json
from agent_memory.keys import pruned_key
from agent_memory.memories import LongTermMemory
from agent_memory.models import Memory, MemoryType
from agent_memory.night import NIGHT
from agent_memory.retention import DEPRECATED_DAYS, LOW_CONFIDENCE, LOW_CONFIDENCE_DAYS
from agent_memory.stores.base import BlobStore, MemoryStore


def prune(agent_id: str, day: date, *, memories: MemoryStore, blobs: BlobStore) -> dict[str, Any]:
    """Remove what its retention has run out for by the end of a UTC day; its last version goes to S3 first."""
    now_ms = day_start_ms(day) + DAY_MS
    kinds = [kind for kind in MemoryType if kind is not MemoryType.CONFIGURATION]  # that has no confidence to lose
    present = [memory for kind in kinds for memory in memories.by_confidence(agent_id, kind)]
    long_term = LongTermMemory(agent_id, memories, FixedClock(now_ms), writer=NIGHT)
    due = [memory for memory in present if _is_due(memory, now_ms)]
    for memory in due:
        key = pruned_key(agent_id, memory.memory_type, memory.pattern_id, memory.version)
        blobs.write(key, canonical_json(memory.as_dict()).encode())
        long_term.remove(memory, reason=_why(memory))
    return {"memories": len(present), "pruned": len(due)}


def _is_due(memory: Memory, now_ms: int) -> bool:
    unchanged_days = (now_ms - memory.updated_ms) / DAY_MS
    is_doubtful = memory.confidence < LOW_CONFIDENCE
    return (_is_deprecated(memory) and unchanged_days >= DEPRECATED_DAYS) or (
        is_doubtful and unchanged_days >= LOW_CONFIDENCE_DAYS
    )


def _is_deprecated(memory: Memory) -> bool:
    return memory.data.get("status") == "deprecated"


def _why(memory: Memory) -> str:
    if memory.confidence < LOW_CONFIDENCE:
        return f"confidence below {LOW_CONFIDENCE} for {LOW_CONFIDENCE_DAYS} days"
    return f"deprecated for {DEPRECATED_DAYS} days"
