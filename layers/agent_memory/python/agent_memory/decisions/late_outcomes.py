"""Notes which decisions get outcomes late: the nightly job reads them again (`nightly.late_outcomes`).

    jobs that read all decisions of a day    its own and that of the next day
    outcome recorded before these begin      they read it
    while the last of them may begin         noted until it is written; if the job has begun then, the note stays
    later                                    noted; the next job reads what was noted

Jobs say what day they begin to read (`LEARNING_STARTED`), so that a history is replayed without notes. A note is
written before the outcome, so that none is lost if the process ends in between. A note of an outcome that is never
written does no harm.
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

        A job may begin to read during the write: what it may have missed, and was not noted before, is noted after it.
        `Unavailable` if something cannot be noted, whatever the reason: it is not about the decisions.
        """
        late = self._late(keys)
        if not late:
            return write()
        with _outages():
            missed, others = self._missed(late)
            last_read, others = _divide(others, self._started_ms + DAY_MS)
            self._note(missed)
            names = self._note(last_read)
        result = write()
        if last_read or others:
            with _outages():
                missed, _ = self._missed([*last_read, *others])
                noted = set(last_read)
                self._note([one for one in missed if one not in noted])
                if noted.isdisjoint(missed):
                    map_concurrently(lambda name: self._states.remove(self.agent_id, name), names)
        return result

    def _late(self, keys: Sequence[DecisionKey]) -> list[DecisionKey]:
        """The decisions that jobs may have read. Those that are too old to learn from are left out."""
        now_ms = self._clock.now_ms()
        reached_ms, today_ms = now_ms + _MARGIN_MS, now_ms - now_ms % DAY_MS
        last_ms = reached_ms - reached_ms % DAY_MS - (TIMELY_DAYS - 1) * DAY_MS
        oldest_ms = today_ms - EVIDENCE_KEPT_DAYS * DAY_MS
        return [one for one in dict.fromkeys(keys) if oldest_ms <= one.timestamp_ms < last_ms]

    def _missed(self, late: Sequence[DecisionKey]) -> tuple[list[DecisionKey], list[DecisionKey]]:
        """The decisions of days that the last job which reads all of them has begun to read, and the others."""
        missed, others = _divide(late, self._started_ms)
        if not others:
            return missed, others
        started = self._states.get(self.agent_id, LEARNING_STARTED)
        self._started_ms = day_start_ms(parse_date(started.data["day"])) if started is not None else 0
        return _divide(late, self._started_ms)

    def _note(self, late: Sequence[DecisionKey]) -> list[str]:
        """Note decisions; returns the types of the states that were not there before."""
        names = map_concurrently(self._put, list(chunks(late, _PER_NOTE)))
        return [one for one in names if one is not None]

    def _put(self, late: Sequence[DecisionKey]) -> str | None:
        ids: dict[str, list[str]] = {}
        for one in late:
            ids.setdefault(one.decision_type, []).append(one.decision_id)
        now_ms = self._clock.now_ms()
        digest = hashlib.sha256(" ".join(sorted(one.decision_id for one in late)).encode()).hexdigest()[:16]
        name = late_outcomes_state_type(now_ms // _PERIOD_MS, digest)
        try:
            self._states.put(self.agent_id, name, {"decision_ids": ids}, expected_version=0, now_ms=now_ms)
        except Conflict:
            return None  # it was noted in the same period
        return name


def _divide(keys: Sequence[DecisionKey], started_ms: int) -> tuple[list[DecisionKey], list[DecisionKey]]:
    """The decisions whose last timely job has begun if that of the day from `started_ms` on has, and the others."""
    end_ms = started_ms - (TIMELY_DAYS - 2) * DAY_MS
    return [one for one in keys if one.timestamp_ms < end_ms], [one for one in keys if one.timestamp_ms >= end_ms]


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except AgentMemoryError as error:
        raise as_outage(error) from error
