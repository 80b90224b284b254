"""Requests to rewrite archived days, because a decision or an outcome was logged late.

A request is a small state of the agent, `REWRITE#2026-10-01#…`. Each is written once and removed by the nightly job
that has rewritten the day, so that writers never conflict.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, date_of, parse_date
from agent_memory.core.keys import ARCHIVE_PROGRESS, REWRITES, rewrite_state_type
from agent_memory.core.remembered import note
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.states import StateStore

MIN_REQUEST_AGE_MS = HOUR_MS
"""Younger requests are kept for the next nightly job: the write that they announce may still be in progress."""

_REQUEST_VALID_MS = MIN_REQUEST_AGE_MS // 6
LATE_AFTER_MS = (ARCHIVE_AFTER_DAYS - 1) * DAY_MS
"""Older decisions may be archived already. A day early: clocks differ, and a nightly job may begin during a write."""


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """A day to rewrite, the type of the state that stores the request, and the time of the request."""

    day: date
    state_type: str
    requested_ms: int


def request_rewrite(states: StateStore, agent_id: str, day: date, now_ms: int) -> None:
    """Ask the next nightly job to rewrite a day."""
    state_type = rewrite_state_type(day, secrets.token_hex(8))
    states.put(agent_id, state_type, {}, expected_version=0, now_ms=now_ms)


def rewrite_requests(states: StateStore, agent_id: str) -> list[RewriteRequest]:
    """The requests of an agent, oldest day first."""
    requests = []
    for rest, state in states.list_by_prefix(agent_id, REWRITES):
        day, _ = rest.split("#")
        requests.append(RewriteRequest(parse_date(day), f"{REWRITES}{rest}", state.updated_ms))
    return requests


class LateWriteTracker:
    """Requests a rewrite of the archived days that late writes change. It costs nothing for other writes."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock) -> None:
        self.agent_id = agent_id
        self._states = states
        self._clock = clock
        self._requested_ms: dict[date, int] = {}
        note(self)

    def drop_remembered(self) -> None:
        """Request rewrites again: earlier requests were erased."""
        self._requested_ms = {}

    def track(self, keys: Sequence[DecisionKey]) -> None:
        """Request rewrites for the days of decisions; call it both before and after they are written or changed.

        Before, so that a crash cannot separate a change from its request; and after, because a nightly job may have
        archived the day in between.
        """
        now_ms = self._clock.now_ms()
        late = {date_of(key.timestamp_ms) for key in keys if key.timestamp_ms < now_ms - LATE_AFTER_MS}
        due = [day for day in late if now_ms - self._requested_ms.get(day, -MIN_REQUEST_AGE_MS) > _REQUEST_VALID_MS]
        if not due:
            return
        progress = self._states.get(self.agent_id, ARCHIVE_PROGRESS)
        for day in sorted(due):
            if progress is not None and day <= parse_date(progress.data["archived_through"]):
                request_rewrite(self._states, self.agent_id, day, now_ms)
                self._requested_ms[day] = now_ms
