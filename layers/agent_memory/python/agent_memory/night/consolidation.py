"""Turns an agent's decisions into learned patterns."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from agent_memory.clock import DAY_MS, FixedClock, day_start_ms, to_iso
from agent_memory.learning.patterns import Pattern, PatternThresholds, identify_in, records_of
from agent_memory.learning.tables import tables_of
from agent_memory.memories import LongTermMemory
from agent_memory.models import Decision, Memory, MemoryType
from agent_memory.night import NIGHT
from agent_memory.night.evidence import fresh_span, renew_evidence
from agent_memory.stores.base import BlobStore, DecisionStore, MemoryStore, Selection, StateStore
from agent_memory.stores.concurrently import map_concurrently

_DEFAULTS = PatternThresholds()


def consolidate(
    agent_id: str,
    day: date,
    *,
    decisions: DecisionStore,
    memories: MemoryStore,
    states: StateStore,
    blobs: BlobStore,
    thresholds: PatternThresholds = _DEFAULTS,
) -> dict[str, Any]:
    """Learn from all evidence up to the end of a UTC day, and say what was learned.

    A pattern that the evidence bears out is stored as active; one that it no longer bears out is kept
    as deprecated. Doing the same night twice ends in the same memories.
    """
    span = fresh_span(day)
    registered = states.registration(agent_id)

    def read(kind: str) -> list[Decision]:
        return list(decisions.scan(Selection(agent_id, kind, shards=registered.write_shards), span))

    by_kind = map_concurrently(read, registered.decision_types)
    fresh = [decision for of_kind in by_kind for decision in of_kind]
    records = records_of(tables_of(renew_evidence(blobs, agent_id, day, fresh)), thresholds)
    identification = identify_in(records, thresholds)
    long_term = LongTermMemory(agent_id, memories, FixedClock(day_start_ms(day) + DAY_MS), writer=NIGHT)
    known = {memory.pattern_id: memory for memory in long_term.find(MemoryType.PATTERN)}
    learned = _store(long_term, known, identification.patterns)
    deprecated = _deprecate(long_term, known, {pattern.pattern_id for pattern in identification.patterns}, day)
    return {
        "decisions_read": len(fresh),
        "evidence_rows": sum(len(record.table) for record in records),
        "candidates_tried": identification.candidates_tried,
        "active": len(identification.patterns),
        "learned": learned,
        "deprecated": deprecated,
    }


def _store(long_term: LongTermMemory, known: Mapping[str, Memory], patterns: Sequence[Pattern]) -> int:
    """Store each pattern; returns how many are new."""

    def store(pattern: Pattern) -> Memory:
        data = {**pattern.as_data(), "status": "active"}
        reason = "borne out by the evidence"
        return long_term.put_after(
            known.get(pattern.pattern_id), MemoryType.PATTERN, pattern.pattern_id, data, reason=reason
        )

    return sum(1 for memory in map_concurrently(store, patterns) if memory.pattern_id not in known)


def _deprecate(long_term: LongTermMemory, known: Mapping[str, Memory], borne_out: set[str], day: date) -> int:
    """Mark every active pattern that this night did not bear out; returns how many."""
    fallen = [
        memory
        for memory in known.values()
        if memory.data.get("status") == "active" and memory.pattern_id not in borne_out and _learned_at_night(memory)
    ]
    since = to_iso(day_start_ms(day) + DAY_MS)
    for memory in fallen:
        data = {**memory.data, "confidence": memory.confidence, "status": "deprecated", "deprecated_at": since}
        reason = "not borne out by the evidence any more"
        long_term.put_after(memory, MemoryType.PATTERN, memory.pattern_id, data, reason=reason)
    return len(fallen)


def _learned_at_night(memory: Memory) -> bool:
    """Whether a pattern came from consolidation; what agents store themselves is theirs to judge."""
    return "p_value" in memory.data
