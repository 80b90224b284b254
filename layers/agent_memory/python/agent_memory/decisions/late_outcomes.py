"""Notes which decisions get outcomes late: the nightly job reads them again (`nightly.late_outcomes`).

    recorded on    the day of the decision, or the next one      any later day
    read by        the jobs of these days, which read all        the next job, which reads what was noted

A note is written before the outcome, so that none is lost if the process ends in between. A note of an outcome that is
never written does no harm.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock
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
        self._has_learned = False
        note(self)

    def drop_remembered(self) -> None:
        """Ask again whether the agent has learned anything: it was erased."""
        self._has_learned = False

    def recording(self, keys: Sequence[DecisionKey], write: Callable[[], T]) -> T:
        """The result of a write of outcomes of decisions, those of which that are late are noted.

        The first job may begin, and read the decisions, during the write: what was not noted before is noted after it
        then. `Unavailable` if it cannot be noted, whatever the reason: it is not about the decisions.
        """
        late = self._late(keys)
        if not late:
            return write()
        is_noted = self._note(late)
        result = write()
        if not is_noted:
            self._note(late)
        return result

    def _late(self, keys: Sequence[DecisionKey]) -> list[DecisionKey]:
        """The decisions whose outcomes come late. Those that are too old to learn from are left out."""
        now_ms = self._clock.now_ms()
        reached_ms, today_ms = now_ms + _MARGIN_MS, now_ms - now_ms % DAY_MS
        last_ms = reached_ms - reached_ms % DAY_MS - (TIMELY_DAYS - 1) * DAY_MS
        oldest_ms = today_ms - EVIDENCE_KEPT_DAYS * DAY_MS
        return [one for one in dict.fromkeys(keys) if oldest_ms <= one.timestamp_ms < last_ms]

    def _note(self, late: Sequence[DecisionKey]) -> bool:
        """Note decisions if a job may have read them before; returns whether that may be."""
        try:
            self._has_learned = self._has_learned or self._states.get(self.agent_id, LEARNING_STARTED) is not None
            if self._has_learned:
                map_concurrently(self._put, list(chunks(late, _PER_NOTE)))
        except AgentMemoryError as error:
            raise as_outage(error) from error
        return self._has_learned

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
