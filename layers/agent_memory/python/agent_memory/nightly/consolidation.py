"""Turns an agent's decisions into learned patterns."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, FixedClock, Span, day_start_ms, parse_date
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.keys import LEARNING_PROGRESS
from agent_memory.learning.patterns import PatternThresholds, identify_in, records_of
from agent_memory.learning.tables import tables_of
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.decisions import Decision
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.nightly.evidence import refresh_evidence, spans_to_read
from agent_memory.nightly.pattern_lifecycle import PatternNight, update_patterns
from agent_memory.nightly.performance import update_performance
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

_DEFAULTS = PatternThresholds()
# A pattern is watched by outcomes in their order: a day waits until its last ones have come, after midnight.
_SETTLED_AFTER_MS = 2 * DAY_MS


def consolidate(
    agent_id: str, day: date, stores: Stores, *, thresholds: PatternThresholds = _DEFAULTS
) -> dict[str, Any]:
    """Learn from all evidence up to the end of a UTC day, and say what was learned.

    What the evidence bears out is stored as an active pattern, what may become one as emerging; each known pattern is
    judged by its outcomes since (`learning.life`). Tallies of strategies, sources and market conditions follow
    (`learning.performance`). Doing the same night twice ends in the same memories; days of nights that were missed are
    read by the next one (the progress is a state of the agent).
    """
    decisions, states = stores.decisions, stores.states
    registered = states.registration(agent_id)
    progress = states.get(agent_id, LEARNING_PROGRESS)
    learned_through = parse_date(progress.data["learned_through"]) if progress else None
    spans = spans_to_read(day, learned_through)

    def read(part: tuple[str, Span]) -> list[Decision]:
        kind, span = part
        return list(decisions.scan(Selection(agent_id, kind, shards=registered.write_shards), span))

    parts = [(kind, span) for kind in registered.decision_types for span in spans]
    fresh = [decision for of_part in map_concurrently(read, parts) for decision in of_part]
    records = records_of(tables_of(refresh_evidence(stores.bucket().evidence, agent_id, day, fresh, spans)), thresholds)
    identification = identify_in(records, thresholds)
    end_ms = day_start_ms(day) + DAY_MS
    long_term = LongTermMemory(agent_id, stores.memories, FixedClock(end_ms), writer=NIGHTLY_JOB)
    by_type = {record.decision_type: record for record in records}
    night = PatternNight(by_type, thresholds, end_ms=end_ms, settled_ms=end_ms - _SETTLED_AFTER_MS)
    figures = {
        "decisions_read": len(fresh),
        "memory_correlation": memory_correlation(fresh),
        "evidence_rows": sum(len(record.table) for record in records),
        "candidates_tried": identification.candidates_tried,
        **update_patterns(long_term, identification, night),
        **update_performance(long_term, records, thresholds, end_ms),
    }
    if learned_through is None or learned_through < day:
        states.put(
            agent_id,
            LEARNING_PROGRESS,
            {"learned_through": day.isoformat()},
            expected_version=progress.version if progress else 0,
            now_ms=end_ms,
        )
    return figures


def memory_correlation(decisions: Sequence[Decision]) -> float | None:
    """How resting on a memory (`memory_ids`) goes with success, over decisions with an outcome.

    The phi coefficient (n11·n00 - n10·n01) / √(n1·n0·m1·m0) of the two by two table, which is Pearson's correlation of
    two yes-or-no facts (Yule 1912): -1 to 1. None where either fact is the same for all of them.
    """
    table = Counter((bool(one.memory_ids), one.outcome.success) for one in decisions if one.outcome)
    both, only_memory = table[True, True], table[True, False]
    only_success, neither = table[False, True], table[False, False]
    edges = (both + only_memory) * (only_success + neither) * (both + only_success) * (only_memory + neither)
    return (both * neither - only_memory * only_success) / math.sqrt(edges) if edges else None
