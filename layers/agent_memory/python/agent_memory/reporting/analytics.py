"""`MemoryAnalytics`: an agent's record as figures that anyone can recompute from the stores."""

from dataclasses import dataclass, field
from typing import Any

from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.client.executor import in_thread
from agent_memory.client.memory import AsyncMemory, SyncMemory
from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, Span, SystemClock, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, EVIDENCE_DAYS
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.learning.evidence import evidence_of
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.forecasts import ORIGINS, rolling_origin_forecasts
from agent_memory.learning.identification import build_datasets, identify_in_permutations, identify_patterns
from agent_memory.learning.lifecycle import Status
from agent_memory.learning.patterns import NIGHTLY_ERROR_RATE, PatternThresholds
from agent_memory.model.decisions import Decision
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import Listing, named
from agent_memory.reporting.records import Missing, decisions_of, memory_of

PERMUTATIONS = 20
MAX_TRENDS = 12
"""Patterns whose confidence is followed from version to version in a report, the first ones of its list."""
_PROBABILITY_BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

# Name, store (of `ports.stores.Places`), range of ages, and the age in milliseconds at which the level ends.
_LEVELS = (
    ("immediate", "short_term", "< 1 h", HOUR_MS),
    ("recent", "table", "1-24 h", DAY_MS),
    ("historical", "table", "1-30 days", ARCHIVE_AFTER_DAYS * DAY_MS),
    ("archive", "archive", "> 30 days", None),
)


class MemoryAnalytics:
    """Analytics over one agent's decision log and memory, directly from the stores or over HTTP.

    Args:
        decision_logger: a `DecisionLogger`, or an `AgentMemoryClient`.
        memory_manager: a `MemoryManager`, or the same client.
        clock: the system clock by default.

    Raises:
        InvalidInput: an argument is something else, or the two are of different agents.
    """

    def __init__(
        self,
        decision_logger: AsyncDecisions | SyncDecisions,
        memory_manager: AsyncMemory | SyncMemory,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._log = decisions_of(decision_logger)
        self._memory = memory_of(memory_manager)
        if decision_logger.agent_id != memory_manager.agent_id:
            raise InvalidInput(
                "memory_manager",
                f"is of {memory_manager.agent_id}, and the decisions are of {decision_logger.agent_id}",
            )
        self._clock = clock or SystemClock()

    async def get_success_rate_by_context(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """Success rate with its 95 % Wilson interval for each market context and decision type."""
        missing = Missing()
        counts = await in_thread(self._log.performance, time_range, missing)
        return Listing(counts.contexts(), missing.as_dicts())

    async def get_source_effectiveness(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """How often each source was right, with its 95 % Wilson interval and the number of outcomes, the best first.

        Decisions that name a source (`model.sources`) are counted by what came of them, each decision type by itself:
        `measured_by` is `outcome`. Only if no source was judged, selections of the source are counted, and
        `measured_by` is `selection`: a selection succeeds as soon as any signal appears.
        """
        missing = Missing()
        counts = await in_thread(self._log.performance, time_range, missing)
        return Listing(counts.sources(), missing.as_dicts())

    async def get_pattern_confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every version of a pattern, oldest first; see `memory.pattern_figures.confidence_trend`."""
        return await in_thread(self._memory.confidence_trend, pattern_id)

    async def identify_emerging_patterns(self, min_occurrences: int = 5) -> Listing[dict[str, Any]]:
        """Patterns in the last 90 days that are not active in long-term memory yet.

        Each has `id`, `status`, `description`, `confidence` (0-1), `success_rate`, `occurrences` and the other fields
        that the nightly job would store. Patterns with the status `active` have passed all tests that
        `learning.identification` describes, however small `min_occurrences` is; those with the status `emerging` are
        not confirmed by the newest decisions yet.

        Raises:
            InvalidInput: `min_occurrences` is not a positive integer. Unavailable: a store did not respond.
        """
        return await in_thread(self._emerging, min_occurrences)

    async def generate_performance_report(self, time_range: TimeRange | None = None) -> dict[str, Any]:
        """All figures at once: totals, days, types, contexts, sources, patterns, reliability, levels and the control.

        Every rate is that of one decision type, with its 95 % Wilson interval and the number of outcomes. `reliability`
        compares forecasts of patterns with what then happened (`learning.forecasts`). `control` counts what is learned
        from the same record with its outcomes permuted, which is chance.

        Raises:
            Unavailable: a store did not respond; there is no partial report.
        """
        return await in_thread(self._report, time_range)

    def _emerging(self, min_occurrences: int) -> Listing[dict[str, Any]]:
        check_integer("min_occurrences", min_occurrences, minimum=1)
        now_ms = self._clock.now_ms()
        record = self._read((to_iso(now_ms - EVIDENCE_DAYS * DAY_MS), None), now_ms)
        known = self._memory.patterns(record.missing)
        active = {pattern["pattern_id"] for pattern in known if pattern["status"] == Status.ACTIVE}
        found = identify_patterns(
            record.evidence,
            PatternThresholds(min_occurrences=min_occurrences, familywise_error_rate=NIGHTLY_ERROR_RATE),
        )
        rows = [
            {"id": pattern.pattern_id, "status": str(status), **pattern.as_data()}
            for status, patterns in ((Status.ACTIVE, found.patterns), (Status.EMERGING, found.emerging))
            for pattern in patterns
            if pattern.pattern_id not in active
        ]
        return record.listing(rows)

    def _report(self, time_range: TimeRange | None) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        record = self._read(time_range, now_ms)
        counts = record.counts
        patterns = self._memory.patterns(record.missing)
        recent = [row for row in record.evidence if row.timestamp_ms >= now_ms - EVIDENCE_DAYS * DAY_MS]
        return {
            "agent_id": self._memory.agent_id,
            "generated_at": to_iso(now_ms),
            "time_range": [to_iso(record.first_ms or now_ms), to_iso(record.last_ms or now_ms)],
            "totals": {"decisions": counts.decisions, "with_outcome": counts.with_outcome},
            "success_by_type": counts.types(),
            "decisions_per_day": counts.days(),
            "success_by_context": counts.contexts(),
            "success_by_source": counts.sources(),
            "patterns": patterns,
            "confidence_trends": self._trends(patterns, record.missing),
            "reliability": _reliability(recent),
            "levels": self._levels(record),
            "control": _control(recent),
            **record.members(),
        }

    def _trends(self, patterns: list[dict[str, Any]], missing: Missing) -> list[dict[str, Any]]:
        """The versions of the first patterns; those of deprecated patterns only if there is room."""
        shown = sorted(patterns, key=lambda one: one["status"] == Status.DEPRECATED)[:MAX_TRENDS]
        trends = []
        for pattern in shown:
            versions = self._memory.confidence_trend(pattern["pattern_id"])
            missing.add(versions.missing)
            named_by = {name: pattern[name] for name in ("pattern_id", "description", "status")}
            trends.append({**named_by, "versions": list(versions)})
        return trends

    def _read(self, time_range: TimeRange | None, now_ms: int) -> "_Record":
        """The decisions of the days that evidence is taken from, and the counts of those before."""
        record, span = _Record(now_ms), DecisionFilter(time_range=time_range).validated().span()
        first_day_ms = (now_ms - EVIDENCE_DAYS * DAY_MS) // DAY_MS * DAY_MS
        if span.start_ms < first_day_ms:
            self._count(Span(span.start_ms, min(span.end_ms, first_day_ms)), record)
            span = Span(first_day_ms, max(span.end_ms, first_day_ms))
        for decision in self._log.decisions(DecisionFilter(time_range=span.as_range()), record.missing):
            record.add(decision)
        return record

    def _count(self, span: Span, record: "_Record") -> None:
        """Count the decisions of a span, which days that the nightly job has counted need no reading for."""
        record.counts = self._log.performance(span.as_range(), record.missing)
        if record.counts.decisions:
            criteria = DecisionFilter(time_range=span.as_range())
            record.add_counted(*(self._log.first_ms(criteria, newest_first=newest) for newest in (False, True)))

    def _levels(self, record: "_Record") -> list[dict[str, Any]]:
        rows = []
        for name, store, age, _ in _LEVELS:
            level = record.levels[name]
            rows.append(
                {
                    "level": name,
                    "store": getattr(self._memory.places, store),
                    "age": age,
                    "decisions": level.decisions,
                    "entries": self._memory.short_term_entries() if name == "immediate" else None,
                    "oldest": to_iso(level.oldest_ms) if level.oldest_ms is not None else None,
                    "newest": to_iso(level.newest_ms) if level.newest_ms is not None else None,
                }
            )
        return rows


@dataclass(slots=True)
class _Level:
    decisions: int = 0
    oldest_ms: int | None = None
    newest_ms: int | None = None

    def add(self, timestamp_ms: int) -> None:
        self.decisions += 1
        self.oldest_ms = timestamp_ms if self.oldest_ms is None else self.oldest_ms
        self.newest_ms = timestamp_ms


@dataclass(slots=True)
class _Record:
    """The counts of an agent's decisions, and the evidence of one pass over the recent ones, oldest first."""

    now_ms: int
    counts: PerformanceCounts = field(default_factory=PerformanceCounts)
    first_ms: int | None = None
    last_ms: int | None = None
    levels: dict[str, _Level] = field(default_factory=lambda: {name: _Level() for name, *_ in _LEVELS})
    evidence: list[Evidence] = field(default_factory=list)
    missing: Missing = field(default_factory=Missing)

    def listing(self, rows: list[dict[str, Any]]) -> Listing[dict[str, Any]]:
        """Rows that were computed from this record, with the decisions that could not be read."""
        return Listing(rows, self.missing.as_dicts())

    def members(self) -> dict[str, Any]:
        """`complete` and `missing`, as in a listing."""
        missing = self.missing.as_dicts()
        return {"complete": not missing, "missing": named(missing)}

    def add_counted(self, first_ms: int | None, last_ms: int | None) -> None:
        """Add when the first and the last of the decisions were made that are counted, before any other is added."""
        level = self.levels[_LEVELS[-1][0]]
        level.decisions = self.counts.decisions
        self.first_ms = level.oldest_ms = first_ms
        self.last_ms = level.newest_ms = last_ms

    def add(self, decision: Decision) -> None:
        self.counts.add(decision)
        self.first_ms = decision.timestamp_ms if self.first_ms is None else self.first_ms
        self.last_ms = decision.timestamp_ms
        self.levels[_level_of(self.now_ms - decision.timestamp_ms)].add(decision.timestamp_ms)
        evidence = evidence_of(decision)
        if evidence is not None:
            self.evidence.append(evidence)


def _level_of(age_ms: int) -> str:
    return next(name for name, _, _, ends_ms in _LEVELS if ends_ms is None or age_ms < ends_ms)


def _control(evidence: list[Evidence]) -> dict[str, Any]:
    thresholds = PatternThresholds(familywise_error_rate=NIGHTLY_ERROR_RATE)
    datasets = build_datasets(build_tables(evidence), thresholds)
    runs = list(identify_in_permutations(datasets, thresholds, PERMUTATIONS))
    return {
        "shuffles": PERMUTATIONS,
        "promoted": sum(len(run.patterns) for run in runs),
        "candidates_tried": sum(run.candidates_tried for run in runs),
    }


def _reliability(evidence: list[Evidence]) -> dict[str, Any]:
    forecasts = rolling_origin_forecasts(evidence)
    if not len(forecasts):
        return {"stretches": ORIGINS, "forecasts": 0, "came_true": 0, "stated": None, "brier": None, "bins": []}
    return {
        "stretches": ORIGINS,
        "forecasts": len(forecasts),
        "came_true": int(forecasts.happened.sum()),
        "stated": float(forecasts.probabilities.sum()),
        "brier": forecasts.brier_score,
        "brier_of_base_rate": forecasts.base_rate_brier_score,
        "bins": [
            {
                "from": one.low,
                "to": one.high,
                "count": one.count,
                "stated": one.mean_probability,
                "came_true": one.frequency,
                "low": one.interval[0],
                "high": one.interval[1],
            }
            for one in forecasts.bins(_PROBABILITY_BINS)
        ],
    }
