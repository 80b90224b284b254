"""Consolidates an agent's decisions into learned patterns and performance memories."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy import stats

from agent_memory.core.clock import DAY_MS, FixedClock, Span, check_day_has_ended, date_of, day_start_ms
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.retries import retry_conflicts
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.outcome_delays import hold_back, learn_delays, mature
from agent_memory.learning.patterns import NIGHTLY_ERROR_RATE, PatternThresholds
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.decisions import Decision
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import Damages
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.nightly.activity import DayRead, days_read, update_activity
from agent_memory.nightly.days import LearnedDays, Progress
from agent_memory.nightly.evidence import changed_decisions, evidence_span, refresh_evidence, spans_to_read
from agent_memory.nightly.learning_controls import Controls, read_controls
from agent_memory.nightly.patterns import PatternUpdate, pattern_counts, update_patterns
from agent_memory.nightly.performance import update_performance
from agent_memory.nightly.stored_memories import StoredMemories
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

_DEFAULTS = PatternThresholds(familywise_error_rate=NIGHTLY_ERROR_RATE)
# Monitors process outcomes in order of their decisions, so they wait until the outcomes of a day have all come in.
_FINAL_AFTER_MS = 2 * DAY_MS
# Figures that are added up over the days of a job; the others are those of its last day.
_SUMMED = ("learned", "deprecated", "revived", "influenced")
_NOTHING_LEARNED: dict[str, Any] = {
    "memory_correlation": None,
    "evidence_rows": 0,
    "outcomes": {},
    "candidates_tried": 0,
}


def consolidate(
    agent_id: str, day: date, stores: Stores, *, thresholds: PatternThresholds = _DEFAULTS
) -> dict[str, Any]:
    """Learn from all evidence up to the end of a UTC day; returns counts of what was read and learned.

    Confirmed patterns are stored as active, possible ones as emerging; each known pattern is evaluated by its outcomes
    since it was found (`learning.lifecycle`). The performance of strategies, sources and market conditions follows
    (`learning.performance`).

    Days that were missed are learned first (`nightly.days`). The last day that was learned may be learned again, which
    leads to the same memories. A day before it changes nothing; `days`, the number of days learned, is then 0. Of two
    jobs at once, the one that comes second begins again with what the first has stored. Nothing is learned from damaged
    decisions and memories: `damaged` counts them. Nor is anything from excluded decisions, and of a paused agent
    nothing at all (`nightly.learning_controls`): `days` is 0 then, and the days are learned once it is resumed.

    Raises:
        InvalidInput: the day has not ended. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    job = _Consolidation(agent_id, stores, thresholds)
    return retry_conflicts(lambda: job.learn_through(day))


class _Consolidation:
    """The consolidation of one agent. Progress is checked before memories are written and stored afterwards."""

    def __init__(self, agent_id: str, stores: Stores, thresholds: PatternThresholds) -> None:
        self._agent_id = agent_id
        self._stores = stores
        self._thresholds = thresholds
        self._days = LearnedDays(agent_id, stores)
        self._registered = stores.states.registration(agent_id)
        self._read: set[str] = set()
        self._damages = Damages()
        self._controls = Controls()

    def learn_through(self, day: date) -> dict[str, Any]:
        """Learn the days that are due, in order; returns figures. `Conflict` if another job comes first."""
        progress = self._days.progress()
        # After the progress: a rebuild, which follows the exclusions that it is for, changes that.
        self._controls = read_controls(self._stores.states, self._agent_id)
        due = [] if self._controls.paused else self._days.due(day, progress)
        figures: dict[str, Any] = dict.fromkeys(_SUMMED, 0)
        self._read.clear()
        if not due:
            long_term = LongTermMemory(self._agent_id, self._stores.memories, self._stores.clock)
            stored = StoredMemories(long_term, on_unreadable=self._damages)
            figures |= {**_NOTHING_LEARNED, **pattern_counts(stored)}
        for one in due:
            progress = self._days.begin(one, progress)
            learned, seen = self._learn(one, progress, due)
            figures = {**learned, **{name: figures[name] + learned[name] for name in _SUMMED}}
            progress = self._days.advance(one, progress)
            update_activity(
                self._stores.states, self._agent_id, one, seen, candidates_tried=learned["candidates_tried"]
            )
        return {**figures, "decisions_read": len(self._read), "days": len(due), **self._damages.figures()}

    def _learn(self, day: date, progress: Progress, due: Sequence[date]) -> tuple[dict[str, Any], list[DayRead]]:
        """Learn from a day, one of those that are due; returns figures, and what was read to learn from."""
        spans = spans_to_read(day, progress.learned_through)
        decisions, rows = self._refresh_evidence(day, progress, due)
        self._read.update(one.decision_id for one in decisions)
        learned = [one for one in decisions if self._is_learned(one)]
        recent = [one for one in learned if any(span.start_ms <= one.timestamp_ms < span.end_ms for span in spans)]
        tables = build_tables(filter(self._is_learned, rows))
        end_ms = day_start_ms(day) + DAY_MS
        delays = [learn_delays(table, end_ms) for table in tables]
        before_ms = {one.decision_type: one.mature_before_ms for one in delays}
        tables = [mature(table, before_ms[table.decision_type]) for table in tables]
        datasets = build_datasets([table for table in tables if len(table)], self._thresholds)
        identification = hold_back(identify_in_datasets(datasets, self._thresholds), tables, delays)
        long_term = LongTermMemory(self._agent_id, self._stores.memories, FixedClock(end_ms), writer=NIGHTLY_JOB)
        by_type = {dataset.decision_type: dataset for dataset in datasets}
        update = PatternUpdate(
            by_type,
            self._thresholds,
            now_ms=end_ms,
            final_before_ms=end_ms - _FINAL_AFTER_MS,
            mature_before_ms=before_ms,
        )
        stored = StoredMemories(long_term, on_unreadable=self._damages)
        # So what was read is of this day or the one before it. A memory that changes from here on causes a conflict.
        self._days.check_unchanged(progress)
        figures = {
            "memory_correlation": memory_correlation(recent),
            "influenced": len([one for one in recent if one.memory_ids and date_of(one.timestamp_ms) == day]),
            "evidence_rows": sum(one.decisions - one.without_outcome for one in delays),
            "outcomes": {one.decision_type: one.as_data() for one in delays},
            "candidates_tried": identification.candidates_tried,
            **update_patterns(stored, identification, update),
            **update_performance(stored, datasets, self._thresholds, end_ms),
        }
        return figures, days_read(recent, spans)

    def _is_learned(self, one: Decision | Evidence) -> bool:
        return not self._controls.excludes(one.decision_id, one.decision_type, one.timestamp_ms)

    def _refresh_evidence(
        self, day: date, progress: Progress, due: Sequence[date]
    ) -> tuple[list[Decision], Iterator[Evidence]]:
        """Read what is due at a day into the evidence; returns it, and the evidence as known at the day's end.

        What changed since the last job is looked for once, on the first day that is due. After days without a job
        everything is read, because an outcome may have changed there and back.
        """
        snapshot = self._stores.bucket().evidence.snapshot(self._agent_id)
        spans, seen_through = spans_to_read(day, progress.learned_through), progress.seen_through
        is_first = day == due[0]
        if progress.learned_through is None or not snapshot.is_complete:
            spans, seen_through = [evidence_span(day)], None
        elif is_first and len(due) > 1:
            spans = [evidence_span(day)]

        def read(part: tuple[str, Span]) -> list[Decision]:
            decision_type, span = part
            selection = Selection(self._agent_id, decision_type, shards=self._registered.write_shards)
            return list(self._stores.decisions.scan(selection, span, on_unreadable=self._damages))

        parts = [(decision_type, span) for decision_type in self._registered.decision_types for span in spans]
        decisions = {one.decision_id: one for found in map_concurrently(read, parts) for one in found}
        if is_first and spans != [evidence_span(day)]:
            changed = changed_decisions(
                snapshot,
                self._stores.decisions,
                self._agent_id,
                evidence_span(day),
                shards=self._registered.write_shards,
            )
            keys = [key for key in changed if key.decision_id not in decisions]
            found = self._stores.decisions.get(keys, on_unreadable=self._damages) if keys else []
            decisions |= {one.decision_id: one for one in found if one is not None}
        self._days.check_unchanged(progress)
        rows = refresh_evidence(
            snapshot, day, list(decisions.values()), seen_through, now_ms=self._stores.clock.now_ms()
        )
        return list(decisions.values()), rows


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
