"""Notes which decisions get outcomes late: the nightly job reads them again (`nightly.late_outcomes`).

All decisions of a day are read by its own job and by that of the next day. Each job says what day it begins to read
(`LEARNING_STARTED`). What is recorded of a day

    while its own job is the next one          is not noted: two jobs are to read it
    while that of the next day is, and later   is noted before it is written

so that none is lost if the process ends in between, and a history that is replayed leaves few notes. If both jobs, or
the first one of the agent, begin while an outcome is written, it is noted once it is. A note of an outcome that is
never written does no harm.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, day_start_ms, parse_date
from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.errors import AgentMemoryError, Conflict, as_outage
from agent_memory.core.keys import LEARNING_STARTED, late_outcomes_state_type
from agent_memory.core.remembered import note
from agent_memory.core.retention import EVIDENCE_KEPT_DAYS
from agent_memory.model.decisions import DecisionKey
from agent_memory.model.evidence import TIMELY_DAYS
from agent_memory.ports.states import StateStore

T = TypeVar("T")

_PERIOD_MS = HOUR_MS // 6
"""Of the same outcomes, recorded several times in this time, there is one note.

It is shorter than the time for which a job keeps a note that it has read.
"""
_MARGIN_MS = HOUR_MS // 6
"""Clocks differ, and a write takes a while: outcomes of the last minutes before a job are noted, too."""
_PER_NOTE = 500


class LateOutcomeTracker:
    """Notes an agent's late outcomes, once a nightly job has begun to learn. It costs nothing for other outcomes."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock) -> None:
        self.agent_id = agent_id
        self._states = states
        self._clock = clock
        self._started_ms = 0  # the begin of the last day that a job is known to have begun to read
        note(self)

    def drop_remembered(self) -> None:
        """Ask again what has been learned: the agent was erased."""
        self._started_ms = 0

    def recording(self, keys: Sequence[DecisionKey], write: Callable[[], T]) -> T:
        """The result of a write of outcomes of decisions, those of which that are late are noted.

        `Unavailable` if something cannot be noted, whatever the reason: it is not about the decisions.
        """
        late = self._late(keys)
        if not late:
            return write()
        with _outages():
            noted, others = self._divide(late, jobs_to_come=1)
            self._note(noted)
        try:
            return write()
        finally:  # also if only a part of it may have been written
            if others:
                with _outages():
                    missed, _ = self._divide(others, jobs_to_come=0)
                    self._note(missed)

    def _late(self, keys: Sequence[DecisionKey]) -> list[DecisionKey]:
        """The decisions that jobs may have read. Those that are too old to learn from are left out."""
        now_ms = self._clock.now_ms()
        reached_ms, today_ms = now_ms + _MARGIN_MS, now_ms - now_ms % DAY_MS
        last_ms = reached_ms - reached_ms % DAY_MS - (TIMELY_DAYS - 1) * DAY_MS
        oldest_ms = today_ms - EVIDENCE_KEPT_DAYS * DAY_MS
        return [one for one in dict.fromkeys(keys) if oldest_ms <= one.timestamp_ms < last_ms]

    def _divide(self, keys: Sequence[DecisionKey], *, jobs_to_come: int) -> tuple[list[DecisionKey], list[DecisionKey]]:
        """The decisions that at most so many of the jobs which read all of their day are still to read, and the others.

        The state is read if what is known does not say so of all.
        """
        started_ms = self._started_ms
        if any(one.timestamp_ms >= _end_ms(started_ms, jobs_to_come) for one in keys):
            started = self._states.get(self.agent_id, LEARNING_STARTED)
            started_ms = day_start_ms(parse_date(started.data["day"])) if started is not None else 0
            self._started_ms = max(self._started_ms, started_ms)
        end_ms = _end_ms(started_ms, jobs_to_come)
        return [one for one in keys if one.timestamp_ms < end_ms], [one for one in keys if one.timestamp_ms >= end_ms]

    def _note(self, late: Sequence[DecisionKey]) -> None:
        map_concurrently(self._put, list(chunks(late, _PER_NOTE)))

    def _put(self, late: Sequence[DecisionKey]) -> None:
        ids: dict[str, list[str]] = {}
        for one in late:
            ids.setdefault(one.decision_type, []).append(one.decision_id)
        now_ms = self._clock.now_ms()
        digest = hashlib.sha256(" ".join(sorted(one.decision_id for one in late)).encode()).hexdigest()[:16]
        name = late_outcomes_state_type(now_ms // _PERIOD_MS, digest)
        try:
            self._states.put(self.agent_id, name, {"decision_ids": ids}, expected_version=0, now_ms=now_ms)
        except Conflict:
            return  # it was noted in the same period


def _end_ms(started_ms: int, jobs_to_come: int) -> int:
    """The end of the decisions that at most so many jobs are to read, once that of the day from `started_ms` began."""
    return started_ms + (1 + jobs_to_come - (TIMELY_DAYS - 1)) * DAY_MS


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except AgentMemoryError as error:
        raise as_outage(error) from error
