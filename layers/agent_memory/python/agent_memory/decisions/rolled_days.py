"""Which days have been counted, and which of them have changed since.

    day         closed and counted      closed, changed since      not counted yet
    state       ROLLUP#2026-11-18       ROLLUP_CHANGE#2026-11-17#  -
    read from   its rollup              its decisions              its decisions

The nightly job counts days that have ended (`nightly.rollups`). A later outcome or amendment of a decision, or a
decision that is logged late, first records that its day may change. Readers then read the day's decisions, until the
next job has counted it again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, Span, date_of, day_start_ms, parse_date
from agent_memory.core.errors import AgentMemoryError, Conflict, Damaged, as_outage
from agent_memory.core.json_values import Document
from agent_memory.core.keys import (
    ROLLUP_CHANGES,
    ROLLUP_PROGRESS,
    ROLLUPS,
    rollup_change_state_type,
    rollup_state_type,
)
from agent_memory.core.remembered import note
from agent_memory.decisions.rollup_data import rollup_from
from agent_memory.decisions.rollups import Rollup
from agent_memory.model.decisions import DecisionKey
from agent_memory.model.listings import parsed, skip_damaged
from agent_memory.ports.states import StateStore

MIN_CHANGE_AGE_MS = HOUR_MS
"""Younger changes are kept for the next nightly job: the write that they announce may still be in progress."""
_PERIOD_MS = MIN_CHANGE_AGE_MS // 6


@dataclass(frozen=True, slots=True)
class Change:
    """A record that a day's decisions may have changed, the type of its state, and its time."""

    day: date
    state_type: str
    recorded_ms: int


CountedDay = tuple[date, Rollup]
"""A day and its counts."""


def recorded_changes(states: StateStore, agent_id: str) -> list[Change]:
    """The changes of an agent's days that were recorded since they were counted."""
    return [
        Change(parse_date(rest.partition("#")[0]), f"{ROLLUP_CHANGES}{rest}", state.updated_ms)
        for rest, state in states.list_by_prefix(agent_id, ROLLUP_CHANGES, on_unreadable=skip_damaged)
    ]


def counted_days(states: StateStore, agent_id: str, span: Span) -> Iterator[CountedDay]:
    """The rollups of days that lie within a span, in order, without those whose decisions may have changed.

    Each is made when it is asked for: those of a year at once would be a hundred thousand cells.
    """
    start_ms, end_ms = -(-span.start_ms // DAY_MS) * DAY_MS, span.end_ms // DAY_MS * DAY_MS
    if end_ms <= start_ms:
        return
    first, last = date_of(start_ms), date_of(end_ms - 1)
    # In this order: a change that is no longer recorded is in the counts that are read after it.
    changed = {one.day for one in recorded_changes(states, agent_id)}
    days = _common_start(first.isoformat(), last.isoformat())
    for rest, state in states.list_by_prefix(agent_id, f"{ROLLUPS}{days}", on_unreadable=skip_damaged):
        day = parse_date(f"{days}{rest}")
        if first <= day <= last and day not in changed:
            rollup = _rollup(state.data)
            if rollup is not None:
                yield day, rollup


def parts_of(span: Span, days: Iterable[CountedDay]) -> Iterator[Span | CountedDay]:
    """The counted days within a span, and the spans before, between and after them, in order of their time."""
    start_ms = span.start_ms
    for day, rollup in days:
        if start_ms < day_start_ms(day):
            yield Span(start_ms, day_start_ms(day))
        yield day, rollup
        start_ms = day_start_ms(day) + DAY_MS
    if start_ms < span.end_ms:
        yield Span(start_ms, span.end_ms)


class ChangeTracker:
    """Records which days that have ended late writes may change. It costs nothing for other writes."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock) -> None:
        self.agent_id = agent_id
        self._states = states
        self._clock = clock
        self._has_rollups = False
        self._recorded_ms: dict[date, int] = {}
        note(self)

    def drop_remembered(self) -> None:
        """Record changes again: the records of earlier ones were erased."""
        self._recorded_ms = {}

    def track(self, keys: Sequence[DecisionKey]) -> None:
        """Record the days of decisions; call it both before and after they are written or changed.

        Before, so that no reader sees the counts without a change that it could see in the decisions; and after,
        because the first nightly job that counts days may have begun in between. `Unavailable` if a change cannot be
        recorded, whatever the reason: it is not about the decisions.
        """
        now_ms = self._clock.now_ms()
        ended = {date_of(key.timestamp_ms) for key in keys if key.timestamp_ms < now_ms - now_ms % DAY_MS}
        due = [day for day in ended if now_ms - self._recorded_ms.get(day, -MIN_CHANGE_AGE_MS) > _PERIOD_MS]
        if due:
            try:
                self._record(due, now_ms)
            except AgentMemoryError as error:
                raise as_outage(error) from error

    def _record(self, due: Sequence[date], now_ms: int) -> None:
        self._has_rollups = self._has_rollups or self._states.get(self.agent_id, ROLLUP_PROGRESS) is not None
        if self._has_rollups:
            for day in sorted(due):
                record_change(self._states, self.agent_id, day, now_ms)
                self._recorded_ms[day] = now_ms


def record_change(states: StateStore, agent_id: str, day: date, now_ms: int) -> None:
    """Record that a day's decisions may change from now on."""
    try:
        states.put(agent_id, rollup_change_state_type(day, now_ms // _PERIOD_MS), {}, expected_version=0, now_ms=now_ms)
    except Conflict:
        return  # another process has recorded it in the same period


def put_rollup(states: StateStore, agent_id: str, day: date, data: Document, now_ms: int) -> None:
    """Store `rollup_data` of a day, empty if it cannot be counted. `Conflict` if another job does at the same time."""
    state_type = rollup_state_type(day)
    stored = states.get(agent_id, state_type)
    if stored is None or stored.data != data:
        states.put(agent_id, state_type, data, expected_version=stored.version if stored else 0, now_ms=now_ms)


def _rollup(data: Document) -> Rollup | None:
    """The counts in a state; None if it has none, or is damaged: then the decisions are read."""
    try:
        return parsed(ROLLUPS, rollup_from, data) if data else None
    except Damaged:
        return None


def _common_start(one: str, other: str) -> str:
    return "".join(letter for letter, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True)))
