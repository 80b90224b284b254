"""Forgets long-term memories that have long stopped holding."""

from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, FixedClock, day_start_ms, parse_instant
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import pruned_key
from agent_memory.core.retention import DEPRECATED_DAYS, LOW_CONFIDENCE, LOW_CONFIDENCE_DAYS
from agent_memory.learning.life import Status
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.ports.stores import Stores


def prune(agent_id: str, day: date, stores: Stores, *, dry_run: bool = False) -> dict[str, Any]:
    """Remove what its retention has run out for by the end of a UTC day; its last version goes to S3 first.

    With `dry_run` nothing is removed: `due` lists what would be, with the reason.
    """
    now_ms = day_start_ms(day) + DAY_MS
    kinds = [kind for kind in MemoryType if kind is not MemoryType.CONFIGURATION]  # that has no confidence to lose
    present = [memory for kind in kinds for memory in stores.memories.by_confidence(agent_id, kind)]
    due = [(memory, why) for memory in present if (why := _why_due(memory, now_ms))]
    if dry_run:
        told = [{"memory_type": m.memory_type, "pattern_id": m.pattern_id, "reason": why} for m, why in due]
        return {"memories": len(present), "pruned": 0, "due": told}
    long_term = LongTermMemory(agent_id, stores.memories, FixedClock(now_ms), writer=NIGHTLY_JOB)
    blobs = stores.bucket().blobs
    for memory, why in due:
        key = pruned_key(agent_id, memory.memory_type, memory.pattern_id, memory.version)
        blobs.write(key, canonical_json(memory.as_dict()).encode())
        long_term.remove(memory, reason=why)
    return {"memories": len(present), "pruned": len(due)}


def _why_due(memory: Memory, now_ms: int) -> str | None:
    """Why a memory is to go; None while it may stay."""
    if memory.confidence < LOW_CONFIDENCE and _days_since(memory, "doubtful_since", now_ms) >= LOW_CONFIDENCE_DAYS:
        return f"confidence below {LOW_CONFIDENCE} for {LOW_CONFIDENCE_DAYS} days"
    if _is_deprecated(memory) and _days_since(memory, "status_since", now_ms) >= DEPRECATED_DAYS:
        return f"deprecated for {DEPRECATED_DAYS} days"
    return None


def _days_since(memory: Memory, field: str, now_ms: int) -> float:
    """Days since a night noted in this field; what agents store themselves counts from its last change."""
    noted = memory.data.get(field)
    since_ms = parse_instant(noted, field) if noted else memory.updated_ms
    return (now_ms - since_ms) / DAY_MS


def _is_deprecated(memory: Memory) -> bool:
    return memory.data.get("status") == Status.DEPRECATED
