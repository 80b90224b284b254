"""Consolidates an agent's decisions into learned patterns and performance memories."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy import stats

from agent_memory.core.clock import DAY_MS, FixedClock, Span, day_start_ms, parse_date
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.keys import LEARNING_PROGRESS
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.decisions import Decision
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.nightly.evidence import refresh_evidence, spans_to_read
from agent_memory.nightly.patterns import PatternUpdate, update_patterns
from agent_memory.nightly.performance import update_performance
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

_DEFAULTS = PatternThresholds()
# Monitors process outcomes in order of their decisions, so they wait until the outcomes of a day have all come in.
_FINAL_AFTER_MS = 2 * DAY_MS


def consolidate(
    agent_id: str, day: date, stores: Stores, *, thresholds: PatternThresholds = _DEFAULTS
) -> dict[str, Any]:
    """Learn from all evidence up to the end of a UTC day; returns counts of what was read and learned.

    Confirmed patterns are stored as active, possible ones as emerging; each known pattern is evaluated by its outcomes
    since it was found (`learning.lifecycle`). The performance of strategies, sources and market conditions follows
    (`learning.performance`). Running the job again for the same day leads to the same memories; a job also reads the
    days of those that were missed, because its progress is stored as a state of the agent.
    """
    decisions, states = stores.decisions, stores.states
    registered = states.registration(agent_id)
    progress = states.get(agent_id, LEARNING_PROGRESS)
    learned_through = parse_date(progress.data["learned_through"]) if progress else None
    spans = spans_to_read(day, learned_through)

    def read(part: tuple[str, Span]) -> list[Decision]:
        decision_type, span = part
        return list(decisions.scan(Selection(agent_id, decision_type, shards=registered.write_shards), span))

    parts = [(decision_type, span) for decision_type in registered.decision_types for span in spans]
    recent = [decision for found in map_concurrently(read, parts) for decision in found]
    evidence = refresh_evidence(stores.bucket().evidence, agent_id, day, recent, spans)
    datasets = build_datasets(build_tables(evidence), thresholds)
    identification = identify_in_datasets(datasets, thresholds)
    end_ms = day_start_ms(day) + DAY_MS
    long_term = LongTermMemory(agent_id, stores.memories, FixedClock(end_ms), writer=NIGHTLY_JOB)
    by_type = {dataset.decision_type: dataset for dataset in datasets}
    update = PatternUpdate(by_type, thresholds, now_ms=end_ms, final_before_ms=end_ms - _FINAL_AFTER_MS)
    figures = {
        "decisions_read": len(recent),
        "memory_correlation": memory_correlation(recent),
        "evidence_rows": sum(len(dataset.table) for dataset in datasets),
        "candidates_tried": identification.candidates_tried,
        **update_patterns(long_term, identification, update),
        **update_performance(long_term, datasets, thresholds, end_ms),
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
    """Correlation of resting on a memory (`memory_ids`) with success, over decisions with an outcome: -1 to 1.

    This is the phi coefficient, Pearson's correlation of two binary variables (Yule 1912). None if either variable is
    the same for all decisions.
    """
    resolved = [(bool(one.memory_ids), one.outcome.success) for one in decisions if one.outcome]
    uses_memory, success = np.array(resolved, dtype=np.float64).reshape(-1, 2).T
    if len(np.unique(uses_memory)) < 2 or len(np.unique(success)) < 2:  # noqa: PLR2004
        return None
    return float(stats.pearsonr(uses_memory, success).statistic)
