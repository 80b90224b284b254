"""`MemoryAnalytics`: an agent's record as figures that anyone can recompute from the stores."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.executor import in_thread
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, SystemClock, date_of, to_iso
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, EVIDENCE_DAYS
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.decisions.tallies import Tally, count
from agent_memory.learning.evidence import evidence_of
from agent_memory.learning.forecasts import ORIGINS, rolling_origin_forecasts
from agent_memory.learning.identification import identify_patterns
from agent_memory.learning.lifecycle import Status
from agent_memory.learning.patterns import NIGHTLY_ERROR_RATE, PatternThresholds
from agent_memory.learning.permutation import permute_outcomes
from agent_memory.model.decisions import Decision, context_type_of
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import Damages, Listing
from agent_memory.model.memories import MemoryType

PERMUTATIONS = 20
_PROBABILITY_BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

# Name, store, range of ages, and the age in milliseconds at which the level ends.
_LEVELS = (
    ("immediate", "Redis", "< 1 h", HOUR_MS),
    ("recent", "DynamoDB", "1-24 h", DAY_MS),
    ("historical", "DynamoDB", "1-30 days", ARCHIVE_AFTER_DAYS * DAY_MS),
    ("archive", "S3", "> 30 days", None),
)


class MemoryAnalytics:
    """Analytics over one agent's decision log and memory."""

    def __init__(
        self, decision_logger: DecisionLogger, memory_manager: MemoryManager, *, clock: Clock | None = None
    ) -> None:
        self._log = decision_logger.log
        self._memory = memory_manager.direct
        self._clock = clock or SystemClock()

    async def get_success_rate_by_context(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """Success rate with its 95 % Wilson interval for each market context and decision type."""
        record = await in_thread(self._read, time_range, self._clock.now_ms())
        return record.listing(record.by_context())

    async def get_source_effectiveness(self, time_range: TimeRange | None = None) -> Listing[dict[str, Any]]:
        """Success rate of the decisions that chose each source (`reasoning.selected`), with its interval."""
        record = await in_thread(self._read, time_range, self._clock.now_ms())
        return record.listing(record.by_source())

    async def get_pattern_confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every version of a pattern, oldest first: its time, confidence, version and status, and whether removed."""
        damages, history = Damages(), self._memory.long_term.history
        versions = await in_thread(history, MemoryType.PATTERN, pattern_id, on_unreadable=damages)
        rows = [
            {
                "at": to_iso(memory.updated_ms),
                "confidence": memory.confidence,
                "version": memory.version,
                "status": memory.data.get("status"),
                "removed": memory.is_removed,
            }
            for memory in versions
        ]
        return Listing(rows, damages.as_dicts())

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
        """All figures at once: totals, days, contexts, sources, patterns, reliability, levels and the control.

        `reliability` compares forecasts of patterns with what then happened (`learning.forecasts`). `control` counts
        what is learned from the same record with its outcomes permuted, which is chance.

        Raises:
            Unavailable: a store did not respond; there is no partial report.
        """
        return await in_thread(self._report, time_range)

    def _emerging(self, min_occurrences: int) -> Listing[dict[str, Any]]:
        check_integer("min_occurrences", min_occurrences, minimum=1)
        now_ms = self._clock.now_ms()
        record = self._read((to_iso(now_ms - EVIDENCE_DAYS * DAY_MS), None), now_ms)
        known = self._memory.long_term.find(MemoryType.PATTERN, {"status": "active"}, on_unreadable=record.damages)
        active = {memory.pattern_id for memory in known}
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
        found = self._memory.long_term.find(MemoryType.PATTERN, on_unreadable=record.damages)
        patterns = [memory.as_dict() for memory in found]
        patterns.sort(key=lambda one: one.get("status") != Status.ACTIVE)  # stable: then the most confident first
        recent = [row for row in record.evidence if row.timestamp_ms >= now_ms - EVIDENCE_DAYS * DAY_MS]
        return {
            "agent_id": self._memory.agent_id,
            "generated_at": to_iso(now_ms),
            "time_range": [to_iso(record.first_ms or now_ms), to_iso(record.last_ms or now_ms)],
            "totals": {"decisions": record.total.decisions, **record.total.rate()},
            "decisions_per_day": record.by_day(),
            "success_by_context": record.by_context(),
            "success_by_source": record.by_source(),
            "success_with_source": record.with_source.rate(),
            "patterns": [_pattern_row(pattern) for pattern in patterns],
            "reliability": _reliability(recent),
            "levels": self._levels(record),
            "control": _control(recent),
            **record.damages.members(),
        }

    def _read(self, time_range: TimeRange | None, now_ms: int) -> "_Record":
        record = _Record(now_ms)
        criteria = DecisionFilter(time_range=time_range)
        for decision in self._log.stream(criteria, newest_first=False, on_unreadable=record.damages):
            record.add(decision)
        return record

    def _levels(self, record: "_Record") -> list[dict[str, Any]]:
        short_term = self._memory.short_term if self._memory.stores.short_term is not None else None
        rows = []
        for name, store, age, _ in _LEVELS:
            level = record.levels[name]
            rows.append(
                {
                    "level": name,
                    "store": store,
                    "age": age,
                    "decisions": level.decisions,
                    "entries": short_term.count() if short_term is not None and name == "immediate" else None,
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
    """The counts and the evidence of one pass over an agent's decisions, oldest first."""

    now_ms: int
    total: Tally = field(default_factory=Tally)
    first_ms: int | None = None
    last_ms: int | None = None
    days: dict[tuple[str, str], Tally] = field(default_factory=dict)
    contexts: dict[tuple[str, str], Tally] = field(default_factory=dict)
    sources: dict[str, Tally] = field(default_factory=dict)
    with_source: Tally = field(default_factory=Tally)
    levels: dict[str, _Level] = field(default_factory=lambda: {name: _Level() for name, *_ in _LEVELS})
    evidence: list[Evidence] = field(default_factory=list)
    damages: Damages = field(default_factory=Damages)

    def listing(self, rows: list[dict[str, Any]]) -> Listing[dict[str, Any]]:
        """Rows that were computed from this record, with the decisions that could not be read."""
        return Listing(rows, self.damages.as_dicts())

    def add(self, decision: Decision) -> None:
        success = decision.outcome.success if decision.outcome else None
        self.total.add(success)
        self.first_ms = decision.timestamp_ms if self.first_ms is None else self.first_ms
        self.last_ms = decision.timestamp_ms
        count(self.days, [(date_of(decision.timestamp_ms).isoformat(), decision.decision_type)], success)
        count(self.contexts, _contexts_of(decision), success)
        sources = _sources_of(decision)
        count(self.sources, sources, success)
        if sources:
            self.with_source.add(success)
        self.levels[_level_of(self.now_ms - decision.timestamp_ms)].add(decision.timestamp_ms)
        evidence = evidence_of(decision)
        if evidence is not None:
            self.evidence.append(evidence)

    def by_day(self) -> list[dict[str, Any]]:
        return [
            {
                "date": day,
                "decision_type": decision_type,
                "decisions": tally.decisions,
                "with_outcome": tally.with_outcome,
                "succeeded": tally.succeeded,
            }
            for (day, decision_type), tally in sorted(self.days.items())
        ]

    def by_context(self) -> list[dict[str, Any]]:
        return [
            {"context_type": context_type, "decision_type": decision_type, **tally.rate()}
            for (context_type, decision_type), tally in sorted(self.contexts.items())
        ]

    def by_source(self) -> list[dict[str, Any]]:
        return [{"source": source, **tally.rate()} for source, tally in sorted(self.sources.items())]


def _contexts_of(decision: Decision) -> Iterator[tuple[str, str]]:
    context_type = context_type_of(decision.context)
    if context_type is not None:
        yield context_type, decision.decision_type


def _sources_of(decision: Decision) -> list[str]:
    selected = decision.reasoning.get("selected")
    return [source for source in selected if isinstance(source, str)] if isinstance(selected, list) else []


def _level_of(age_ms: int) -> str:
    return next(name for name, _, _, ends_ms in _LEVELS if ends_ms is None or age_ms < ends_ms)


def _pattern_row(pattern: dict[str, Any]) -> dict[str, Any]:
    """The fields of a pattern that a report shows; a pattern that an agent stored itself may lack some."""
    low, high = pattern.get("interval") or (None, None)
    shown = {name: pattern.get(name) for name in ("description", "success_rate", "base_rate", "effect", "status")}
    return {
        "pattern_id": pattern["pattern_id"],
        **shown,
        "confidence": pattern["confidence"],
        "sample_size": pattern.get("occurrences"),
        "low": low,
        "high": high,
        "learned_at": pattern["learned_at"],
    }


def _control(evidence: list[Evidence]) -> dict[str, Any]:
    thresholds = PatternThresholds(familywise_error_rate=NIGHTLY_ERROR_RATE)
    runs = [identify_patterns(permute_outcomes(evidence, seed), thresholds) for seed in range(PERMUTATIONS)]
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
