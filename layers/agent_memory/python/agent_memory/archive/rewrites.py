"""Requests to write archived days again, since something about them was logged late.

A request is a small state of the agent, `REWRITE#2026-10-01#…`. Each is written once and removed by the nightly job
that has rewritten the day; no two writers ever meet on one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, date_of, parse_date
from agent_memory.core.keys import ARCHIVE_PROGRESS, REWRITES, rewrite_state_type
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.states import StateStore

MIN_REQUEST_AGE_MS = HOUR_MS
"""A younger request stays for the next nightly job: what it was made for may still be on its way into the table."""

_REQUEST_VALID_MS = MIN_REQUEST_AGE_MS // 6
LATE_AFTER_MS = (ARCHIVE_AFTER_DAYS - 1) * DAY_MS
"""What is older may be archived already. A day early: clocks differ, and the nightly job may begin during a write."""


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """The day to write again, the name of the request as a state, and when it was made."""

    day: date
    state_type: str
    made_ms: int


def request_rewrite(states: StateStore, agent_id: str, day: date, now_ms: int) -> None:
    """Ask the next nightly job to write a day again."""
    name = rewrite_state_type(day, secrets.token_hex(8))
    states.put(agent_id, name, {}, expected_version=0, now_ms=now_ms)


def rewrite_requests(states: StateStore, agent_id: str) -> list[RewriteRequest]:
    """The requests of an agent, oldest day first."""
    requests = []
    for rest, state in states.list_by_prefix(agent_id, REWRITES):
        day, _ = rest.split("#")
        requests.append(RewriteRequest(parse_date(day), f"{REWRITES}{rest}", state.updated_ms))
    return requests


class LateWriteTracker:
    """Requests a rewrite of the archived days that late writes change. What is written in time costs nothing here."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock) -> None:
        self._agent_id = agent_id
        self._states = states
        self._clock = clock
        self._requested_ms: dict[date, int] = {}

    def track(self, keys: Sequence[DecisionKey]) -> None:
        """Request rewrites for decisions that are about to be written or changed, and again once they are.

        Before, so that no crash comes between a change and its request; and after, because the nightly job may have
        archived the day in between.
        """
        now_ms = self._clock.now_ms()
        late = {date_of(key.timestamp_ms) for key in keys if key.timestamp_ms < now_ms - LATE_AFTER_MS}
        due = [day for day in late if now_ms - self._requested_ms.get(day, -MIN_REQUEST_AGE_MS) > _REQUEST_VALID_MS]
        if not due:
            return
        progress = self._states.get(self._agent_id, ARCHIVE_PROGRESS)
        for day in sorted(due):
            if progress is not None and day <= parse_date(progress.data["archived_through"]):
                request_rewrite(self._states, self._agent_id, day, now_ms)
                self._requested_ms[day] = now_ms
