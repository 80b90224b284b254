"""Consolidates an agent's decisions into learned patterns and performance memories."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from agent_memory.core.clock import DAY_MS, FixedClock, Span, check_day_has_ended, date_of, day_start_ms
from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.errors import InvalidInput
from agent_memory.core.retention import EVIDENCE_KEPT_DAYS
from agent_memory.core.retries import retry_conflicts
from agent_memory.learning.array_types import FloatArray
from agent_memory.learning.consequences import ConsequenceCollector
from agent_memory.learning.dataset import Dataset, build_dataset
from agent_memory.learning.evidence_table import EvidenceTable, build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.outcome_delays import hold_back, learn_delays, mature
from agent_memory.learning.patterns import NIGHTLY_ERROR_RATE, PatternThresholds
from agent_memory.learning.wording import DEFAULT_WORDING, WORDING, Wording
from agent_memory.memory.learning_controls import Controls, read_controls
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import Damages
from agent_memory.model.memories import MemoryType
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.nightly.activity import DayRead, DecisionRead, days_read, update_activity
from agent_memory.nightly.days import LearnedDays, Progress
from agent_memory.nightly.estimates import estimate_settings, update_estimates
from agent_memory.nightly.evidence import (
    KnownEvidence,
    KnownSuccess,
    evidence_span,
    known_evidence,
    refresh_evidence,
    spans_to_read,
)
from agent_memory.nightly.experiments import has_experiments, update_experiments
from agent_memory.nightly.late_outcomes import LateOutcomes, noted_outcomes, remove_notes
from agent_memory.nightly.number_limits import NumberLimits
from agent_memory.nightly.patterns import PatternUpdate, pattern_counts, update_patterns
from agent_memory.nightly.performance import update_performance
from agent_memory.nightly.reading import (
    Part,
    ReadDecision,
    delete_earlier_parts,
    parts_to_read,
    stored_reader,
    table_reader,
)
from agent_memory.nightly.relearning import forget_quarantined
from agent_memory.nightly.stored_memories import StoredMemories
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART
from agent_memory.ports.stores import Stores

_READ_AT_ONCE = 1_600
_DEFAULTS = PatternThresholds(familywise_error_rate=NIGHTLY_ERROR_RATE)
# Monitors process outcomes in order of their decisions, so they wait until the outcomes of a day have all come in.
_FINAL_AFTER_MS = 2 * DAY_MS
# Figures that are added up over the days of a job; the others are those of its last day.
_SUMMED = ("learned", "deprecated", "revived", "influenced")
_NOTHING_LEARNED: dict[str, Any] = {
    "memory_correlation": None,
    "memory_correlation_by_type": {},
    "evidence_rows": 0,
    "outcomes": {},
    "candidates_tried": 0,
    "experiments": 0,
    "wording_error": None,
}


def parts_of_job(agent_id: str, day: date, stores: Stores, *, most: int = DEFAULT_ROWS_PER_PART) -> list[Part]:
    """The parts in which machines are to read the decisions for the job of a day; empty if one can read them all.

    Args:
        agent_id: of the decisions.
        day: of the job; it has ended.
        stores: of the deployment.
        most: decisions that one machine is to read.

    Raises:
        InvalidInput: the day has not ended. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    if read_controls(stores.states, agent_id).paused:
        return []
    forget_quarantined(agent_id, stores)
    days = LearnedDays(agent_id, stores)
    progress, snapshot = days.progress(), stores.bucket().evidence.snapshot(agent_id)
    due = days.due(day, progress) if snapshot.row_counts() else []
    if not due:
        return []
    days.start(day)
    spans = spans_to_read(day, progress.learned_through)
    if progress.learned_through is None or not snapshot.is_complete or len(due) > 1:
        spans = [Span(evidence_span(due[0]).start_ms, evidence_span(day).end_ms)]
    return parts_to_read(agent_id, day, spans, snapshot, most)


def consolidate(
    agent_id: str,
    day: date,
    stores: Stores,
    *,
    thresholds: PatternThresholds = _DEFAULTS,
    parts: Sequence[Part] = (),
) -> dict[str, Any]:
    """Learn from all evidence up to the end of a UTC day; returns counts of what was read and learned.

    Confirmed patterns are stored as active, possible ones as emerging; each known pattern is evaluated by its outcomes
    since it was found (`learning.lifecycle`). The performance of strategies, sources and market conditions follows
    (`learning.performance`), and what to expect of each option that the agent chooses among (`learning.estimates`).

    Days that were missed are learned first (`nightly.days`). The last day that was learned may be learned again, which
    leads to the same memories. A day before it changes nothing; `days`, the number of days learned, is then 0. Of two
    jobs at once, the one that comes second begins again with what the first has stored. Nothing is learned from damaged
    decisions and memories: `damaged` counts them. Nor is anything from excluded decisions, and of a paused agent
    nothing at all (`memory.learning_controls`): `days` is 0 then, and the days are learned once it is resumed.

    With `parts` the decisions are those that machines have read already (`nightly.reading`); the result is the same.

    Raises:
        InvalidInput: the day has not ended. Unavailable: a store did not respond, or a part was not read.
    """
    check_day_has_ended(day, stores.clock)
    job = _Consolidation(agent_id, stores, thresholds, parts)
    figures = retry_conflicts(lambda: job.learn_through(day))
    if parts:
        delete_earlier_parts(agent_id, day, stores)
    return figures


class _Consolidation:
    """The consolidation of one agent. Progress is checked before memories are written and stored afterwards."""

    def __init__(
        self, agent_id: str, stores: Stores, thresholds: PatternThresholds, parts: Sequence[Part] = ()
    ) -> None:
        self._agent_id = agent_id
        self._stores = stores
        self._thresholds = thresholds
        self._days = LearnedDays(agent_id, stores)
        self._registered = stores.states.registration(agent_id)
        self._read: set[str] = set()
        self._damages = Damages()
        self._controls = Controls()
        self._notes: list[LateOutcomes] = []
        self._noted: dict[str, ReadDecision] = {}
        self._has_parts = bool(parts)
        types, shards = self._registered.decision_types, self._registered.write_shards
        self._reader = (
            stored_reader(parts, stores)
            if parts
            else table_reader(agent_id, types, shards, stores.decisions, self._damages)
        )

    def learn_through(self, day: date) -> dict[str, Any]:
        """Learn the days that are due, in order; returns figures. `Conflict` if another job comes first."""
        if not self._has_parts:  # of which it was known what days they are for
            forget_quarantined(self._agent_id, self._stores)
        progress = self._days.progress()
        # After the progress: a rebuild, which follows the exclusions that it is for, changes that.
        self._controls = read_controls(self._stores.states, self._agent_id)
        due = [] if self._controls.paused else self._days.due(day, progress)
        figures: dict[str, Any] = dict.fromkeys(_SUMMED, 0)
        self._read.clear()
        if due:
            self._days.start(day)
        read_ms = self._stores.clock.now_ms()
        self._notes = []
        if due:
            self._notes = noted_outcomes(self._stores.states, self._agent_id, on_unreadable=self._damages)
        if not due:
            long_term = LongTermMemory(self._agent_id, self._stores.memories, self._stores.clock)
            stored = StoredMemories(long_term, on_unreadable=self._damages)
            figures |= {**_NOTHING_LEARNED, **pattern_counts(stored)}
        for one in due:
            progress = self._days.begin(one, progress)
            learned, seen = self._learn(one, progress, due)
            figures = {**learned, **{name: figures[name] + learned[name] for name in _SUMMED}}
            # Before the day counts as learned: else a job that was interrupted in between would leave it out.
            update_activity(
                self._stores.states, self._agent_id, one, seen, candidates_tried=learned["candidates_tried"]
            )
            progress = self._days.advance(one, progress)
        damaged_ids = {one.id for one in self._damages.items()}
        remove_notes(self._stores.states, self._agent_id, self._notes, read_ms, damaged_ids)
        return {**figures, "decisions_read": len(self._read), "days": len(due), **self._damages.figures()}

    def _learn(self, day: date, progress: Progress, due: Sequence[date]) -> tuple[dict[str, Any], list[DayRead]]:
        """Learn from a day, one of those that are due; returns figures, and what was read to learn from."""
        spans = spans_to_read(day, progress.learned_through)
        decisions, rows = self._refresh_evidence(day, progress, due)
        self._read.update(one.decision_id for one in decisions)
        learned = [one for one in decisions if self._is_learned(one)]
        recent = [one for one in learned if any(span.start_ms <= one.timestamp_ms < span.end_ms for span in spans)]
        collector, known = ConsequenceCollector(), KnownSuccess({one.decision_id for one in recent})
        end_ms = day_start_ms(day) + DAY_MS
        long_term = LongTermMemory(self._agent_id, self._stores.memories, FixedClock(end_ms), writer=NIGHTLY_JOB)
        settings = estimate_settings(long_term, end_ms)
        tables = self._tables(day, rows, settings.rewards, lambda found: known.observed(collector.observed(found)))
        delays = [learn_delays(table, end_ms) for table in tables]
        before_ms = {one.decision_type: one.mature_before_ms for one in delays}
        tables = [mature(table, before_ms[table.decision_type]) for table in tables]
        wording, wording_error = self._wording()
        datasets = build_datasets([table for table in tables if len(table)], self._thresholds, wording)
        identification = hold_back(identify_in_datasets(datasets, self._thresholds), tables, delays)
        caused = [
            (one.outcome_type, build_dataset(one.table, self._thresholds, wording))
            for one in collector.of_each_type(before_ms)
            if len(one.table)
        ]
        by_type = {dataset.decision_type: dataset for dataset in datasets}
        update = PatternUpdate(
            by_type,
            self._thresholds,
            now_ms=end_ms,
            final_before_ms=end_ms - _FINAL_AFTER_MS,
            mature_before_ms=before_ms,
        )
        stored = StoredMemories(long_term, quarantined=self._controls.quarantined, on_unreadable=self._damages)
        # So what was read is of this day or the one before it. A memory that changes from here on causes a conflict.
        self._days.check_unchanged(progress)
        figures = {
            **memory_correlation([(one, known.success_of(one.decision_id)) for one in recent]),
            "influenced": len([one for one in recent if one.uses_memory and date_of(one.timestamp_ms) == day]),
            "evidence_rows": sum(one.decisions - one.without_outcome for one in delays),
            "outcomes": {one.decision_type: one.as_data() for one in delays},
            "candidates_tried": identification.candidates_tried,
            "wording_error": wording_error,
            **update_patterns(stored, identification, update),
            **update_performance(
                stored, self._with_all(tables, by_type, wording), self._thresholds, end_ms, caused=caused
            ),
            **update_estimates(stored, tables, settings.choices, self._thresholds, end_ms, rewards=settings.rewards),
            "experiments": self._update_experiments(stored, decisions, end_ms),
        }
        return figures, days_read(recent, spans, known)

    def _tables(
        self,
        day: date,
        rows: KnownEvidence,
        rewards: Sequence[str],
        observed: Callable[[Iterable[Evidence]], Iterator[Evidence]],
    ) -> list[EvidenceTable]:
        """The evidence of a day in arrays, with the facts of its numbers; each row passes through `observed` once."""
        limits = NumberLimits(self._agent_id, self._stores.states, self._stores.clock, day)
        tables = build_tables(limits.with_facts(observed(filter(self._is_learned, rows))), rewards)
        return build_tables(limits.with_facts(filter(self._is_learned, rows)), rewards) if limits.learn() else tables

    def _update_experiments(self, stored: StoredMemories, read: Sequence[ReadDecision], end_ms: int) -> int:
        """Store what the experiments have shown; returns how many run. Their evidence is only read if there are any."""
        if not has_experiments((one.row for one in read), stored):
            return 0
        span = Span(end_ms - EVIDENCE_KEPT_DAYS * DAY_MS, end_ms)
        rows = known_evidence(self._stores.bucket().evidence.of_experiments(self._agent_id, span), end_ms)
        return update_experiments(stored, filter(self._is_learned, rows), end_ms)

    def _with_all(
        self, tables: Sequence[EvidenceTable], searched: Mapping[str, Dataset], wording: Wording
    ) -> list[Dataset]:
        """The datasets with all decisions, also those that the search does not compare."""
        pairs = [(table, searched[table.decision_type]) for table in tables if len(table)]
        return [
            one if len(one.table) == len(table) else build_dataset(table, self._thresholds, wording)
            for table, one in pairs
        ]

    def _wording(self) -> tuple[Wording, str | None]:
        """The words that the agent stored for its sentences; the default ones, and why, if these are not valid."""
        stored = self._stores.memories.get(self._agent_id, MemoryType.CONFIGURATION, WORDING)
        try:
            return (Wording.of(stored.data), None) if stored else (DEFAULT_WORDING, None)
        except InvalidInput as error:
            return DEFAULT_WORDING, str(error)

    def _is_learned(self, one: ReadDecision | Evidence) -> bool:
        row = one if isinstance(one, Evidence) else one.row
        return not self._controls.excludes(row.decision_id, row.decision_type, row.timestamp_ms, row.memory_ids)

    def _refresh_evidence(
        self, day: date, progress: Progress, due: Sequence[date]
    ) -> tuple[list[ReadDecision], KnownEvidence]:
        """Read what is due at a day into the evidence; returns it, and the evidence as known at the day's end.

        What was noted is read once, on the first day that is due. After days without a job everything is read, because
        an outcome may have changed there and back.
        """
        snapshot = self._stores.bucket().evidence.snapshot(self._agent_id)
        spans, seen_through = spans_to_read(day, progress.learned_through), progress.seen_through
        is_first = day == due[0]
        if progress.learned_through is None or not snapshot.is_complete:
            spans, seen_through = [evidence_span(day)], None
        elif is_first and len(due) > 1:
            spans = [evidence_span(day)]

        decisions = {one.decision_id: one for found in map_concurrently(self._reader, spans) for one in found}
        if is_first:
            end_ms = evidence_span(due[-1]).end_ms
            self._noted = self._read_noted(Span(end_ms - EVIDENCE_KEPT_DAYS * DAY_MS, end_ms), decisions)
            decisions |= {
                name: one for name, one in self._noted.items() if one.timestamp_ms < evidence_span(day).end_ms
            }
        elif self._has_parts:
            decisions |= {name: one for name, one in self._noted.items() if name in decisions}
        self._days.check_unchanged(progress)
        rows = refresh_evidence(
            snapshot, day, list(decisions.values()), seen_through, now_ms=self._stores.clock.now_ms()
        )
        return list(decisions.values()), rows

    def _read_noted(self, span: Span, read: Mapping[str, ReadDecision]) -> dict[str, ReadDecision]:
        """The decisions of a span that were noted, by id: all that were not read since.

        What machines have read in parts, they have read before the notes.
        """
        noted = dict.fromkeys(key for one in self._notes for key in one.keys)
        in_span = [one for one in noted if span.start_ms <= one.timestamp_ms < span.end_ms]
        keys = [one for one in in_span if self._has_parts or one.decision_id not in read]
        found: dict[str, ReadDecision] = {}
        for some in chunks(keys, _READ_AT_ONCE):
            stored = self._stores.decisions.get(some, on_unreadable=self._damages)
            found |= {one.decision_id: ReadDecision.of(one) for one in stored if one is not None}
        return found


def memory_correlation(decisions: Sequence[DecisionRead]) -> dict[str, Any]:
    """Correlation (-1 to 1) of resting on a memory (`memory_ids`) with success, within decision types.

    Types differ in their success rate and in how often they rest on memories, which alone would correlate the two.
    Within each type this is the phi coefficient, Pearson's correlation of two binary variables (Yule 1912); over all
    types it is the correlation after the mean of its type is taken from each variable, the partial correlation.

    Returns:
        `memory_correlation`, None if in no type both variables differ, and `memory_correlation_by_type` with the
        `correlation` and the number of outcomes `n` of each type in which they do.
    """
    resolved: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for one, success in decisions:
        if success is not None:
            resolved[one.decision_type].append((one.uses_memory, success))
    by_type: dict[str, Any] = {}
    sums = np.zeros(3)
    for decision_type, pairs in sorted(resolved.items()):
        deviations = np.array(pairs, dtype=np.float64)
        deviations -= deviations.mean(axis=0)
        uses_memory, success = deviations.T
        products = np.array([uses_memory @ success, uses_memory @ uses_memory, success @ success])
        if products[1] > 0 and products[2] > 0:
            by_type[decision_type] = {"correlation": _correlation(products), "n": len(pairs)}
            sums += products
    return {
        "memory_correlation": _correlation(sums) if by_type else None,
        "memory_correlation_by_type": by_type,
    }


def _correlation(products: FloatArray) -> float:
    """The correlation of two variables from their sum of products and their sums of squares."""
    covariance, *variances = products
    return float(covariance / np.sqrt(np.prod(variances)))
