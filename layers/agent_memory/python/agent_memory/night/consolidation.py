"""Turns an agent's decisions into learned patterns."""

from datetime import date
from typing import Any

from agent_memory.clock import FixedClock
from agent_memory.learning.patterns import PatternThresholds, identify_in, records_of
from agent_memory.learning.tables import tables_of
from agent_memory.memories import LongTermMemory
from agent_memory.models import Decision
from agent_memory.night import NIGHT
from agent_memory.night.evidence import fresh_span, renew_evidence
from agent_memory.night.pattern_life import PatternNight, renew_patterns
from agent_memory.night.performance import renew_performance
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

    What the evidence bears out is stored as an active pattern, what may become one as emerging; each known pattern is
    judged by its outcomes since (`learning.life`). Tallies of strategies, sources and market conditions follow
    (`learning.performance`). Doing the same night twice ends in the same memories.
    """
    span = fresh_span(day)
    registered = states.registration(agent_id)

    def read(kind: str) -> list[Decision]:
        return list(decisions.scan(Selection(agent_id, kind, shards=registered.write_shards), span))

    by_kind = map_concurrently(read, registered.decision_types)
    fresh = [decision for of_kind in by_kind for decision in of_kind]
    records = records_of(tables_of(renew_evidence(blobs, agent_id, day, fresh)), thresholds)
    identification = identify_in(records, thresholds)
    long_term = LongTermMemory(agent_id, memories, FixedClock(span.end_ms), writer=NIGHT)
    by_type = {record.decision_type: record for record in records}
    night = PatternNight(by_type, thresholds, end_ms=span.end_ms, settled_ms=span.start_ms)
    return {
        "decisions_read": len(fresh),
        "evidence_rows": sum(len(record.table) for record in records),
        "candidates_tried": identification.candidates_tried,
        **renew_patterns(long_term, identification, night),
        **renew_performance(long_term, records, thresholds, span.end_ms),
    }
