"""The nightly update of an agent's patterns: known ones are evaluated by their own outcomes, new ones are added."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from agent_memory.core.clock import to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.retention import LOW_CONFIDENCE
from agent_memory.learning.array_types import BoolArray
from agent_memory.learning.comparison import effect_data
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.identification import match_digest
from agent_memory.learning.lifecycle import Status, Transition, initial_transition, next_transition
from agent_memory.learning.monitoring import DriftMonitor, PatternState, claimed_log_odds, evaluate
from agent_memory.learning.patterns import Identification, Pattern, PatternThresholds
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly.stored_memories import StoredMemories, has_status

Data = dict[str, Any]

# A memory without these fields is not a pattern that this job stored.
_FIELDS = {"decision_type", "features", "status", "promoted_at", "judged_from_ms", "watch"}
_WATCH_FIELDS = {"log_odds", "total", "through_ms"}


class SearchHit(NamedTuple):
    """A pattern that the latest search found, and the status that it gives to a new pattern."""

    pattern: Pattern
    status: Status


@dataclass(frozen=True, slots=True)
class PatternVersion:
    """The next version of a pattern to store; `previous` is the status it had, None if it was unknown."""

    pattern_id: str
    data: Data
    transition: Transition
    previous: Status | None


@dataclass(frozen=True, slots=True)
class PatternUpdate:
    """Computes the next version of each pattern.

    Attributes:
        datasets: the evidence by decision type.
        thresholds: of search and monitoring.
        now_ms: the end of the day that the job is for.
        final_before_ms: outcomes of decisions before this time are assumed not to change any more.
        mature_before_ms: the same by decision type, where it is earlier because outcomes take longer.
    """

    datasets: Mapping[str, Dataset]
    thresholds: PatternThresholds
    now_ms: int
    final_before_ms: int
    mature_before_ms: Mapping[str, int] = field(default_factory=dict)

    def next_version(self, memory: Memory, hit: SearchHit | None) -> PatternVersion | None:
        """The next version of a known pattern; None without any evidence of its decision type."""
        data = memory.data
        dataset = self.datasets.get(data["decision_type"])
        if dataset is None:
            return None
        status = Status(data["status"])
        # A job for a day in the future, which earlier versions accepted, may have left a time that has not come yet.
        watch = {**data["watch"], "through_ms": min(data["watch"]["through_ms"], self.now_ms)}
        monitor = DriftMonitor(**watch, detects_return=status is Status.DEPRECATED)
        state = self._evaluate(dataset, data["features"], monitor, data["judged_from_ms"])
        transition = next_transition(
            status,
            hit.status if hit else None,
            has_alarm=state.has_alarm,
            was_active=data["promoted_at"] is not None,
        )
        if status is transition.status is Status.DEPRECATED:
            unchanged = {**data, "confidence": memory.confidence}
            return PatternVersion(memory.pattern_id, unchanged, transition, status)
        as_found = hit.pattern.as_data() if hit and hit.pattern.pattern_id == memory.pattern_id else {}
        current = _state_data(dataset, data["features"], state)
        updated = {**data, "confidence": memory.confidence, **as_found, **current}
        return PatternVersion(
            memory.pattern_id, self._with_status(updated, transition, state.monitor, hit), transition, status
        )

    def first_version(self, hit: SearchHit) -> PatternVersion:
        """The first version of a pattern that was unknown."""
        pattern, transition = hit.pattern, initial_transition(hit.status)
        monitor = DriftMonitor(log_odds=claimed_log_odds(pattern, self.thresholds), through_ms=self.now_ms)
        dataset = self.datasets[pattern.decision_type]
        state = self._evaluate(dataset, pattern.features, monitor, pattern.newest_begins_ms)
        data = {
            **pattern.as_data(),
            **_state_data(dataset, pattern.features, state),
            "judged_from_ms": pattern.newest_begins_ms,
            "promoted_at": None,
        }
        return PatternVersion(pattern.pattern_id, self._with_status(data, transition, monitor, hit), transition, None)

    def _evaluate(
        self, dataset: Dataset, features: Sequence[str], monitor: DriftMonitor, judged_from_ms: int
    ) -> PatternState:
        return evaluate(
            dataset,
            features,
            monitor,
            judged_from_ms=judged_from_ms,
            final_before_ms=min(
                self.final_before_ms, self.mature_before_ms.get(dataset.decision_type, self.final_before_ms)
            ),
            thresholds=self.thresholds,
        )

    def _with_status(self, data: Data, transition: Transition, monitor: DriftMonitor, hit: SearchHit | None) -> Data:
        """The data with the status after a transition; a change of status restarts the monitor."""
        now, data = to_iso(self.now_ms), dict(data)
        if transition.is_change:
            log_odds = monitor.log_odds
            if hit and transition.status is Status.ACTIVE:
                log_odds = claimed_log_odds(hit.pattern, self.thresholds)
            monitor = DriftMonitor(log_odds=log_odds, through_ms=self.now_ms)
            data |= {"status": str(transition.status), "status_since": now}
            if transition.status is Status.ACTIVE:
                data["promoted_at"] = data["promoted_at"] or now
        data["status_since"] = min(data["status_since"], now)
        confidence = data["confidence"]  # None if an agent stored the pattern anew without one
        is_doubtful = confidence is not None and confidence < LOW_CONFIDENCE
        return {
            **data,
            "doubtful_since": min(data.get("doubtful_since") or now, now) if is_doubtful else None,
            "watch": {"log_odds": monitor.log_odds, "total": monitor.total, "through_ms": monitor.through_ms},
        }


def update_patterns(stored: StoredMemories, identification: Identification, update: PatternUpdate) -> dict[str, int]:
    """Store the next version of every pattern; returns how many have each status, and how many changed theirs."""
    known = [memory for memory in stored.of_type(MemoryType.PATTERN).values() if is_monitored(memory)]
    hits = [SearchHit(pattern, Status.ACTIVE) for pattern in identification.patterns]
    hits += [SearchHit(pattern, Status.EMERGING) for pattern in identification.emerging]
    versions = list(_versions(known, hits, update))

    def store(version: PatternVersion) -> Memory | None:
        return stored.put(MemoryType.PATTERN, version.pattern_id, version.data, reason=version.transition.reason)

    current = {memory.pattern_id: memory for memory in known}
    stored_now = [memory for memory in map_concurrently(store, versions) if memory is not None]
    current |= {memory.pattern_id: memory for memory in stored_now}
    changes = [(version.previous, version.transition.status) for version in versions if version.transition.is_change]
    return {
        **_status_counts(current.values()),
        "learned": sum(after is Status.ACTIVE and before is not Status.DEPRECATED for before, after in changes),
        "deprecated": sum(after is Status.DEPRECATED for _, after in changes),
        "revived": sum(before is Status.DEPRECATED for before, _ in changes),
    }


def pattern_counts(stored: StoredMemories) -> dict[str, int]:
    """How many patterns are active and how many are emerging."""
    return _status_counts(one for one in stored.of_type(MemoryType.PATTERN).values() if is_monitored(one))


def _status_counts(patterns: Iterable[Memory]) -> dict[str, int]:
    statuses = [memory.data["status"] for memory in patterns]
    return {"active": statuses.count(Status.ACTIVE), "emerging": statuses.count(Status.EMERGING)}


def is_monitored(memory: Memory) -> bool:
    """Whether the nightly job evaluates a pattern; those that agents store themselves it leaves alone."""
    data = memory.data
    if not (data.keys() >= _FIELDS and has_status(memory) and data["status"] in set(Status)):
        return False
    features, watch = data["features"], data["watch"]
    return (
        isinstance(data["decision_type"], str)
        and isinstance(features, list)
        and all(isinstance(one, str) for one in features)
        and isinstance(data["judged_from_ms"], int)
        and all(isinstance(data.get(name), str | None) for name in ("promoted_at", "doubtful_since"))
        and isinstance(watch, dict)
        and all(isinstance(watch.get(name), int | float) for name in _WATCH_FIELDS)
    )


def _versions(known: Sequence[Memory], hits: Sequence[SearchHit], update: PatternUpdate) -> Iterator[PatternVersion]:
    matches, unknown = _match(known, hits, update.datasets)
    for memory in known:
        version = update.next_version(memory, matches.get(memory.pattern_id))
        if version is not None:
            yield version
    yield from map(update.first_version, unknown)


def _match(
    known: Sequence[Memory], hits: Sequence[SearchHit], datasets: Mapping[str, Dataset]
) -> tuple[dict[str, SearchHit], list[SearchHit]]:
    """The hits by the known pattern that has the same id, matches the same decisions, or all others; and new hits.

    Of two facts of which every decision has one the search states the rarer, which may be another one every day.
    """
    by_digest: dict[tuple[str, bytes], str] = {}
    known_ids = {memory.pattern_id for memory in known}
    for memory in known:
        decision_type = memory.data["decision_type"]
        if decision_type in datasets:
            digest = match_digest(_matching(datasets, decision_type, memory.data["features"]))
            by_digest.setdefault((decision_type, digest), memory.pattern_id)
    matches: dict[str, SearchHit] = {}
    unknown: list[SearchHit] = []
    for hit in hits:
        pattern = hit.pattern
        matching = _matching(datasets, pattern.decision_type, pattern.features)
        same, others = (by_digest.get((pattern.decision_type, match_digest(one))) for one in (matching, ~matching))
        pattern_id = pattern.pattern_id if pattern.pattern_id in known_ids else same
        found = hit
        if pattern_id is None and others is not None:
            pattern_id, found = others, SearchHit(_of_the_others(pattern), hit.status)
        if pattern_id is None or pattern_id in matches:
            unknown.append(hit)
        else:
            matches[pattern_id] = found
    return matches, unknown


def _of_the_others(pattern: Pattern) -> Pattern:
    """What a pattern claims of the decisions that do not match it."""
    low, high = pattern.effect_interval
    return replace(
        pattern,
        success_rate=pattern.base_rate,
        base_rate=pattern.success_rate,
        effect=-pattern.effect,
        effect_interval=(-high, -low),
    )


def _matching(datasets: Mapping[str, Dataset], decision_type: str, features: Sequence[str]) -> BoolArray:
    return datasets[decision_type].table.features.matching(features)


def _state_data(dataset: Dataset, features: Sequence[str], state: PatternState) -> Data:
    """The figures of a pattern on the current evidence; empty, so that they stay as they were, if there are none."""
    if not state.recent.matching.occurrences:
        return {}
    return {
        "description": dataset.describe(features, dataset.table.features.matching(features), state.overall),
        **effect_data(state.overall, state.recent),
        "first_seen_ms": state.first_seen_ms,
        "last_seen_ms": state.last_seen_ms,
        "confidence": state.confidence,
    }
