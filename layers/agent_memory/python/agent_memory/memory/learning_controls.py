"""What the nightly job does not learn from, as was decided: a paused agent, excluded decisions, quarantined memories.

Both are records beside the data, one state of the agent. Decisions, their archive and its seals stay as they are, and
lifting an exclusion restores what it left out. The job obeys them from its next run on; `nightly.rebuild` also removes
what was learned before.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from agent_memory.core.checks import check_text
from agent_memory.core.clock import END_OF_TIME_MS, Clock, parse_date, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import check_agent_id, check_decision_type, check_pattern_id, parse_decision_id
from agent_memory.core.keys import LEARNING_CONTROLS
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.memories import MAX_REASON
from agent_memory.model.states import State
from agent_memory.ports.states import StateStore

_MAX_REBUILDS = 50
MAX_EXCLUSIONS = MAX_QUARANTINES = 100
"""A hundred of them fit into the state with a hundred ids each."""
MAX_DECISION_IDS = 5_000
"""Ids that all exclusions of an agent name together; more decisions than that are excluded by their time."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Decisions that are not learned from: those of a span and a type, or those with these ids.

    Attributes:
        number: identifies it among the exclusions of the agent, from 1 on.
        start_ms, end_ms: the span of time, the end not included (`END_OF_TIME_MS`: none); unused where there are
            `decision_ids`.
        decision_type: None for all types.
        decision_ids: empty for all decisions of span and type.
        excluded_by, reason, excluded_ms: who decided it, why, and when.
    """

    number: int
    start_ms: int
    end_ms: int
    decision_type: str | None
    decision_ids: frozenset[str]
    excluded_by: str
    reason: str
    excluded_ms: int

    def covers(self, decision_id: str, decision_type: str, timestamp_ms: int) -> bool:
        """Whether a decision is excluded."""
        if self.decision_ids:
            return decision_id in self.decision_ids
        return self.start_ms <= timestamp_ms < self.end_ms and self.decision_type in {None, decision_type}

    def as_dict(self) -> dict[str, Any]:
        """The exclusion as it is stored and shown; times are ISO 8601 in UTC."""
        return {
            "number": self.number,
            "from": to_iso(self.start_ms),
            "to": None if self.end_ms >= END_OF_TIME_MS else to_iso(self.end_ms),
            "decision_type": self.decision_type,
            "decision_ids": sorted(self.decision_ids),
            "excluded_by": self.excluded_by,
            "reason": self.reason,
            "excluded_at": to_iso(self.excluded_ms),
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Exclusion":
        """The exclusion of its stored form."""
        return cls(
            number=data["number"],
            start_ms=parse_instant(data["from"]),
            end_ms=END_OF_TIME_MS if data["to"] is None else parse_instant(data["to"]),
            decision_type=data["decision_type"],
            decision_ids=frozenset(data["decision_ids"]),
            excluded_by=data["excluded_by"],
            reason=data["reason"],
            excluded_ms=parse_instant(data["excluded_at"]),
        )


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What was learned since a day was taken back.

    Attributes:
        since: the first day that is learned again.
        at_ms: when that was asked for.
    """

    since: date
    at_ms: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A memory that is not used any more, and that no decision based on it is learned from.

    Attributes:
        memory_id: the memory, of any type, as decisions name it in `memory_ids`.
        by, reason, at_ms: who decided it, why, and when.
    """

    memory_id: str
    by: str
    reason: str
    at_ms: int

    def as_dict(self) -> dict[str, Any]:
        """The quarantine as it is stored and shown."""
        return {"memory_id": self.memory_id, "by": self.by, "reason": self.reason, "at": to_iso(self.at_ms)}

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Quarantine":
        """The quarantine of its stored form."""
        return cls(data["memory_id"], data["by"], data["reason"], parse_instant(data["at"]))


@dataclass(frozen=True, slots=True)
class Controls:
    """What holds for the learning of an agent.

    Attributes:
        paused: `by`, `reason` and `at`; None while the agent learns.
        exclusions: the decisions that are not learned from.
        rebuilds: the last times at which learning was taken back.
        quarantines: the memories that are quarantined.
        relearn: memories that were quarantined or released since the last job; the next one learns all days again on
            which decisions were based on them.
    """

    paused: dict[str, str] | None = None
    exclusions: tuple[Exclusion, ...] = ()
    rebuilds: tuple[Rebuild, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    relearn: tuple[Quarantine, ...] = ()

    @property
    def quarantined(self) -> frozenset[str]:
        """The ids of the memories that are quarantined."""
        return frozenset(one.memory_id for one in self.quarantines)

    def excludes(
        self, decision_id: str, decision_type: str, timestamp_ms: int, memory_ids: Collection[str] = ()
    ) -> bool:
        """Whether a decision, which is based on these memories, is not to be learned from."""
        if memory_ids and self.quarantines and not self.quarantined.isdisjoint(memory_ids):
            return True
        return any(one.covers(decision_id, decision_type, timestamp_ms) for one in self.exclusions)


def read_controls(states: StateStore, agent_id: str) -> Controls:
    """The controls of an agent; by default nothing is paused or excluded."""
    return _controls(states.get(agent_id, LEARNING_CONTROLS))


class LearningControls:
    """Changes the controls of one agent. Every method raises `Unavailable` if the table did not respond."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock, *, by: str) -> None:
        self._agent_id = check_agent_id(agent_id)
        self._states = states
        self._clock = clock
        self._by = check_text("by", by, MAX_REASON)

    def pause(self, reason: str) -> Controls:
        """Stop learning from the next nightly job on. A paused agent that is paused again keeps its first record."""
        reason = check_text("reason", reason, MAX_REASON)
        at = to_iso(self._clock.now_ms())
        return self._change(
            lambda before: replace(before, paused=before.paused or {"by": self._by, "reason": reason, "at": at})
        )

    def resume(self) -> Controls:
        """Learn again; the next nightly job makes up for the days since the pause, up to 90."""
        return self._change(lambda before: replace(before, paused=None))

    def exclude(
        self,
        *,
        start_ms: int,
        end_ms: int,
        reason: str,
        decision_type: str | None = None,
        decision_ids: Sequence[str] = (),
    ) -> Exclusion:
        """Do not learn from the decisions with these ids; without ids, from those of a span and a type.

        Raises:
            InvalidInput: an empty span, or too many exclusions or ids.
        """
        reason = check_text("reason", reason, MAX_REASON)
        if decision_type is not None:
            check_decision_type(decision_type)
        for decision_id in decision_ids:
            parse_decision_id(decision_id, "decision_ids")
        if start_ms >= end_ms:
            raise InvalidInput("to", "must be after `from`")
        added: list[Exclusion] = []

        def add(before: Controls) -> Controls:
            number = max((one.number for one in before.exclusions), default=0) + 1
            excluded = Exclusion(
                number, start_ms, end_ms, decision_type, frozenset(decision_ids), self._by, reason, self._clock.now_ms()
            )
            added.append(excluded)
            return replace(before, exclusions=_checked((*before.exclusions, excluded)))

        self._change(add)
        return added[-1]

    def lift(self, number: int) -> Controls:
        """Learn from the decisions of an exclusion again. Raises `NotFound` if there is no such exclusion."""

        def remove(before: Controls) -> Controls:
            remaining = tuple(one for one in before.exclusions if one.number != number)
            if len(remaining) == len(before.exclusions):
                raise NotFound(f"{self._agent_id} has no exclusion {number}")
            return replace(before, exclusions=remaining)

        return self._change(remove)

    def quarantine(self, memory_id: str, reason: str) -> Controls:
        """Do not learn from decisions that are based on a memory; the next job takes back what it learned from them.

        A memory that is quarantined already keeps its first record.

        Raises:
            InvalidInput: names the argument, or too many memories are quarantined.
        """
        added = self._quarantine(memory_id, reason)

        def add(before: Controls) -> Controls:
            if memory_id in before.quarantined:
                return before
            if len(before.quarantines) >= MAX_QUARANTINES:
                raise InvalidInput("memory_id", f"{MAX_QUARANTINES} memories are quarantined already; release some")
            return replace(before, quarantines=(*before.quarantines, added), relearn=_marked(before.relearn, added))

        return self._change(add)

    def release(self, memory_id: str, reason: str) -> Controls:
        """Learn from decisions that are based on a memory again; the next job learns their days again."""
        released = self._quarantine(memory_id, reason)

        def remove(before: Controls) -> Controls:
            if memory_id not in before.quarantined:
                return before
            remaining = tuple(one for one in before.quarantines if one.memory_id != memory_id)
            return replace(before, quarantines=remaining, relearn=_marked(before.relearn, released))

        return self._change(remove)

    def record_relearned(self, done: Collection[Quarantine]) -> Controls:
        """Record that what was learned from decisions based on these memories was taken back."""
        return self._change(
            lambda before: replace(before, relearn=tuple(one for one in before.relearn if one not in done))
        )

    def record_rebuild(self, since: date) -> Controls:
        """Record that what was learned since a day is being taken back."""
        done = Rebuild(since, self._clock.now_ms())
        return self._change(lambda before: replace(before, rebuilds=(*before.rebuilds, done)[-_MAX_REBUILDS:]))

    def _quarantine(self, memory_id: str, reason: str) -> Quarantine:
        checked = check_text("reason", reason, MAX_REASON)
        return Quarantine(check_pattern_id(memory_id, "memory_id"), self._by, checked, self._clock.now_ms())

    def _change(self, change: Callable[[Controls], Controls]) -> Controls:
        def attempt() -> Controls:
            state = self._states.get(self._agent_id, LEARNING_CONTROLS)
            before = _controls(state)
            after = change(before)
            if after == before:
                return after
            data = {
                "paused": after.paused,
                "exclusions": [one.as_dict() for one in after.exclusions],
                "rebuilds": [{"since": one.since.isoformat(), "at": to_iso(one.at_ms)} for one in after.rebuilds],
                "quarantines": [one.as_dict() for one in after.quarantines],
                "relearn": [one.as_dict() for one in after.relearn],
            }
            version, now_ms = state.version if state else 0, self._clock.now_ms()
            self._states.put(self._agent_id, LEARNING_CONTROLS, data, expected_version=version, now_ms=now_ms)
            return after

        return retry_conflicts(attempt)


def _controls(state: State | None) -> Controls:
    if state is None:
        return Controls()
    return Controls(
        state.data["paused"],
        tuple(Exclusion.of(one) for one in state.data["exclusions"]),
        tuple(Rebuild(parse_date(one["since"]), parse_instant(one["at"])) for one in state.data["rebuilds"]),
        tuple(map(Quarantine.of, state.data.get("quarantines", ()))),
        tuple(map(Quarantine.of, state.data.get("relearn", ()))),
    )


def _marked(pending: tuple[Quarantine, ...], one: Quarantine) -> tuple[Quarantine, ...]:
    return (*(other for other in pending if other.memory_id != one.memory_id), one)


def _checked(exclusions: tuple[Exclusion, ...]) -> tuple[Exclusion, ...]:
    if len(exclusions) > MAX_EXCLUSIONS:
        raise InvalidInput("exclusions", f"an agent may have {MAX_EXCLUSIONS}; lift some, or exclude a longer span")
    ids = sum(len(one.decision_ids) for one in exclusions)
    if ids > MAX_DECISION_IDS:
        raise InvalidInput(
            "decision_ids", f"{ids:,} ids; at most {MAX_DECISION_IDS:,} fit: exclude a span of time and a type instead"
        )
    return exclusions
