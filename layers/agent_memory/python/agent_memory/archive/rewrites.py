"""Marks on archived days that have to be written again, since something about them was logged late.

A mark is a small state of the agent, `REWRITE#2026-10-01#…`. Each is written once and removed by the night that
has rewritten the day; no two writers ever meet on one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, date_of, parse_date
from agent_memory.core.keys import ARCHIVE_PROGRESS, REWRITES, rewrite_state
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.ports.decisions import DecisionKey
from agent_memory.ports.states import StateStore

MARK_KEPT_MS = HOUR_MS
"""A mark younger than this stays for another night: what it was made for may be on its way into the table still."""

_MARK_GOOD_MS = MARK_KEPT_MS // 6
# A day early: clocks differ, and a night may begin while a decision is being written.
_LATE_MS = (ARCHIVE_AFTER_DAYS - 1) * DAY_MS


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that was found: the day it asks to rewrite, its name as a state, and when it was made."""

    day: date
    state_type: str
    made_ms: int


def leave_mark(states: StateStore, agent_id: str, day: date, now_ms: int) -> None:
    """Ask the next night to write a day again."""
    name = rewrite_state(day, secrets.token_hex(8))
    states.put(agent_id, name, {}, expected_version=0, now_ms=now_ms)


def marks_of(states: StateStore, agent_id: str) -> list[Mark]:
    """The marks of an agent, oldest day first."""
    marks = []
    for rest, state in states.below(agent_id, REWRITES):
        day, _ = rest.split("#")
        marks.append(Mark(parse_date(day), f"{REWRITES}{rest}", state.updated_ms))
    return marks


class LateWrites:
    """Marks the archived days of what is written late. What is written in time costs nothing here."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock) -> None:
        self._agent_id = agent_id
        self._states = states
        self._clock = clock
        self._marked_ms: dict[date, int] = {}

    def note(self, keys: Sequence[DecisionKey]) -> None:
        """Mark the archived days of decisions that are about to be written or changed, and again once they are.

        Before, so that no crash comes between a change and its mark; and after, because a night may have archived the
        day in between.
        """
        now_ms = self._clock.now_ms()
        late = {date_of(key.timestamp_ms) for key in keys if key.timestamp_ms < now_ms - _LATE_MS}
        unmarked = [day for day in late if now_ms - self._marked_ms.get(day, -MARK_KEPT_MS) > _MARK_GOOD_MS]
        if not unmarked:
            return
        progress = self._states.get(self._agent_id, ARCHIVE_PROGRESS)
        for day in sorted(unmarked):
            if progress is not None and day <= parse_date(progress.data["archived_through"]):
                leave_mark(self._states, self._agent_id, day, now_ms)
                self._marked_ms[day] = now_ms
