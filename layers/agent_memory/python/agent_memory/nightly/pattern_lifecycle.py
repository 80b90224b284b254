"""Every night each known pattern is judged by its own outcomes, and what tonight's search found is taken in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.json_values import Document
from agent_memory.core.retention import LOW_CONFIDENCE
from agent_memory.learning.discovery import Record
from agent_memory.learning.figures import figures_of
from agent_memory.learning.following import Standing, Watch, follow, least_log_odds, population_of
from agent_memory.learning.life import Status, Step, Verdict, first_step, next_step
from agent_memory.learning.model import Identification, Pattern, PatternThresholds
from agent_memory.learning.wording import description_of
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import Memory, MemoryType

Data = dict[str, Any]

# Without these a pattern is not one that a night stored.
_OF_A_NIGHT = {"decision_type", "features", "status", "promoted_at", "judged_from_ms", "watch"}
_WATCHED = {"log_odds", "total", "through_ms"}


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern of tonight's search with the search's verdict."""

    pattern: Pattern
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Version:
    """What is to be stored of a pattern tonight, and the status it had; None where it was unknown."""

    pattern_id: str
    data: Data
    step: Step
    was: Status | None


@dataclass(frozen=True, slots=True)
class PatternNight:
    """What a night judges patterns by.

    Attributes:
        records: the evidence by decision type.
        thresholds: of the search and of the watch.
        end_ms: the night's end.
        settled_ms: outcomes of decisions before do not change any more.
    """

    records: Mapping[str, Record]
    thresholds: PatternThresholds
    end_ms: int
    settled_ms: int

    def next_version(self, memory: Memory, found: Found | None) -> Version | None:
        """A known pattern as it is from tonight on; None without any evidence of its decision type."""
        data = memory.data
        record = self.records.get(data["decision_type"])
        if record is None:
            return None
        status, watch = Status(data["status"]), _watch_of(data)
        standing = self._follow(record, data["features"], watch, data["judged_from_ms"])
        step = next_step(
            status,
            found.verdict if found else Verdict.NOT_FOUND,
            has_alarm=standing.has_alarm,
            was_active=data["promoted_at"] is not None,
        )
        if status is step.status is Status.DEPRECATED:
            frozen = {**data, "confidence": memory.confidence}
            return Version(memory.pattern_id, frozen, step, status)
        as_found = found.pattern.as_data() if found and found.pattern.pattern_id == memory.pattern_id else {}
        figures = _figures(data["decision_type"], data["features"], standing)
        fresh = {**data, "confidence": memory.confidence, **as_found, **figures}
        return Version(memory.pattern_id, self._with_status(fresh, step, standing.watch, found), step, status)

    def first_version(self, found: Found) -> Version | None:
        """A pattern that was unknown until tonight, if it is to be remembered."""
        pattern = found.pattern
        step = first_step(found.verdict)
        if step is None:
            return None
        watch = Watch(log_odds=least_log_odds(pattern, self.thresholds), through_ms=self.end_ms)
        record = self.records[pattern.decision_type]
        standing = self._follow(record, pattern.features, watch, pattern.holdout.begins_ms)
        data = {
            **pattern.as_data(),
            **_figures(pattern.decision_type, pattern.features, standing),
            "judged_from_ms": pattern.holdout.begins_ms,
            "promoted_at": None,
        }
        return Version(pattern.pattern_id, self._with_status(data, step, watch, found), step, None)

    def _follow(self, record: Record, features: Sequence[str], watch: Watch, judged_from_ms: int) -> Standing:
        return follow(
            record,
            features,
            watch,
            judged_from_ms=judged_from_ms,
            settled_ms=self.settled_ms,
            thresholds=self.thresholds,
        )

    def _with_status(self, data: Data, step: Step, watch: Watch, found: Found | None) -> Data:
        """The data with the status that a step leads to; a new status begins a new watch."""
        now = to_iso(self.end_ms)
        if step.is_new:
            log_odds = watch.log_odds
            if found and step.status is Status.ACTIVE:
                log_odds = least_log_odds(found.pattern, self.thresholds)
            is_gone = step.status is Status.DEPRECATED
            watch = Watch(log_odds=log_odds, through_ms=self.end_ms, for_return=is_gone)
            data = {**data, "status": str(step.status), "status_since": now}
            if step.status is Status.ACTIVE:
                data["promoted_at"] = data["promoted_at"] or now
        is_doubtful = data["confidence"] < LOW_CONFIDENCE
        doubtful_since = (data.get("doubtful_since") or now) if is_doubtful else None
        return {**data, "doubtful_since": doubtful_since, "watch": _watch_data(watch)}


def update_patterns(long_term: LongTermMemory, identification: Identification, night: PatternNight) -> dict[str, int]:
    """Store every pattern's next version, and those that are new; returns how many became what."""
    stored_already = {memory.pattern_id: memory for memory in long_term.find(MemoryType.PATTERN)}
    known = [memory for memory in stored_already.values() if is_followed(memory)]
    found = [Found(pattern, Verdict.PROMOTED) for pattern in identification.patterns]
    found += [Found(pattern, Verdict.DISCOVERED) for pattern in identification.emerging]
    matched = _matched(known, found, night.records)
    versions = list(_versions(known, found, matched, night))

    def store(version: Version) -> Memory:
        before = stored_already.get(version.pattern_id)
        return long_term.put_after(
            before, MemoryType.PATTERN, version.pattern_id, version.data, reason=version.step.reason
        )

    now = {memory.pattern_id: memory for memory in known}
    now |= {memory.pattern_id: memory for memory in map_concurrently(store, versions)}
    statuses = [memory.data["status"] for memory in now.values()]
    became = [(version.step.status, version.was) for version in versions if version.step.is_new]
    return {
        "active": statuses.count(Status.ACTIVE),
        "emerging": statuses.count(Status.EMERGING),
        "learned": sum(now is Status.ACTIVE and was is not Status.DEPRECATED for now, was in became),
        "deprecated": sum(now is Status.DEPRECATED for now, _ in became),
        "revived": sum(was is Status.DEPRECATED for _, was in became),
    }


def is_followed(memory: Memory) -> bool:
    """Whether a night judges a pattern; what agents store themselves is theirs to judge."""
    data = memory.data
    return data.keys() >= _OF_A_NIGHT and data["status"] in set(Status) and data["watch"].keys() >= _WATCHED


def _versions(
    known: Sequence[Memory], found: Sequence[Found], matched: Mapping[str, Found], night: PatternNight
) -> Iterator[Version]:
    for memory in known:
        version = night.next_version(memory, matched.get(memory.pattern_id))
        if version is not None:
            yield version
    taken = {id(one) for one in matched.values()}
    for one in found:
        version = night.first_version(one) if id(one) not in taken else None
        if version is not None:
            yield version


def _matched(known: Sequence[Memory], found: Sequence[Found], records: Mapping[str, Record]) -> dict[str, Found]:
    """What was found again, by the id under which it is known: the same decisions are the same pattern."""
    by_population: dict[tuple[str, bytes], str] = {}
    by_id = {memory.pattern_id for memory in known}
    for memory in known:
        kind = memory.data["decision_type"]
        if kind in records:
            by_population.setdefault((kind, population_of(records[kind], memory.data["features"])), memory.pattern_id)
    matched: dict[str, Found] = {}
    for one in found:
        pattern = one.pattern
        key = (pattern.decision_type, population_of(records[pattern.decision_type], pattern.features))
        pattern_id = pattern.pattern_id if pattern.pattern_id in by_id else by_population.get(key)
        if pattern_id is not None:
            matched.setdefault(pattern_id, one)
    return matched


def _figures(decision_type: str, features: Sequence[str], standing: Standing) -> Data:
    """The figures of a pattern that tonight's evidence gives; where it gives none, they stay what they were."""
    whole = standing.whole
    if not standing.recent.matching.occurrences:
        return {}
    return {
        "description": description_of(
            decision_type,
            features,
            success_rate=whole.matching.rate,
            occurrences=whole.matching.occurrences,
            base_rate=whole.rest.rate,
        ),
        **figures_of(whole, standing.recent),
        "first_seen_ms": standing.first_seen_ms,
        "last_seen_ms": standing.last_seen_ms,
        "confidence": standing.confidence,
    }


def _watch_of(data: Document) -> Watch:
    return Watch(**data["watch"], for_return=data["status"] == Status.DEPRECATED)


def _watch_data(watch: Watch) -> Data:
    return {"log_odds": watch.log_odds, "total": watch.total, "through_ms": watch.through_ms}
