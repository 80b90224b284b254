"""Prunes long-term memories that have been doubtful or deprecated for long."""

from contextlib import suppress
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, FixedClock, check_day_has_ended, day_start_ms, parse_instant
from agent_memory.core.errors import Conflict, InvalidInput
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import pruned_key
from agent_memory.core.retention import DEPRECATED_DAYS, LOW_CONFIDENCE, LOW_CONFIDENCE_DAYS
from agent_memory.learning.lifecycle import Status
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.listings import Damages
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.ports.stores import Stores


def prune(agent_id: str, day: date, stores: Stores, *, dry_run: bool = False) -> dict[str, Any]:
    """Remove the memories whose retention has ended by the end of a UTC day, after copying their last version to S3.

    Damaged memories are left alone; `damaged` counts them. With `dry_run` nothing is removed: `due` lists the memories
    that would be, with the reason.

    Raises:
        InvalidInput: the day has not ended. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    now_ms = day_start_ms(day) + DAY_MS
    memory_types = [one for one in MemoryType if one is not MemoryType.CONFIGURATION]  # which has no confidence
    damages = Damages()
    present = [
        memory for one in memory_types for memory in stores.memories.by_confidence(agent_id, one, on_unreadable=damages)
    ]
    due = [(memory, reason) for memory in present if (reason := _reason_to_prune(memory, now_ms))]
    if dry_run:
        listed = [{"memory_type": m.memory_type, "pattern_id": m.pattern_id, "reason": reason} for m, reason in due]
        return {"memories": len(present), "pruned": 0, "due": listed, **damages.figures()}
    long_term = LongTermMemory(agent_id, stores.memories, FixedClock(now_ms), writer=NIGHTLY_JOB)
    blobs = stores.bucket().blobs
    pruned = 0
    for memory, reason in due:
        key = pruned_key(agent_id, memory.memory_type, memory.pattern_id, memory.version)
        blobs.write(key, canonical_json(memory.as_dict()).encode())
        with suppress(Conflict):  # it was changed or removed in the meantime; the next job looks at it again
            long_term.remove(memory, reason=reason)
            pruned += 1
    return {"memories": len(present), "pruned": pruned, **damages.figures()}


def _reason_to_prune(memory: Memory, now_ms: int) -> str | None:
    """The reason to remove a memory; None while it is kept."""
    is_doubtful = memory.confidence is not None and memory.confidence < LOW_CONFIDENCE
    if is_doubtful and _days_since(memory, "doubtful_since", now_ms) >= LOW_CONFIDENCE_DAYS:
        return f"confidence below {LOW_CONFIDENCE} for {LOW_CONFIDENCE_DAYS} days"
    if _is_deprecated(memory) and _days_since(memory, "status_since", now_ms) >= DEPRECATED_DAYS:
        return f"deprecated for {DEPRECATED_DAYS} days"
    return None


def _days_since(memory: Memory, field: str, now_ms: int) -> float:
    """Days since the time in a field that the nightly job sets; since the last change if it is missing or no time."""
    since_ms = memory.updated_ms
    if memory.data.get(field):
        with suppress(InvalidInput):  # an agent stored something else there
            since_ms = parse_instant(memory.data[field], field)
    return (now_ms - since_ms) / DAY_MS


def _is_deprecated(memory: Memory) -> bool:
    return memory.data.get("status") == Status.DEPRECATED
