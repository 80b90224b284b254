"""Moves decisions to the archive: verified there first, and only then allowed to leave the table.

A decision's life:

    made           30 days               90 days                      1 year            7 years
    |  table only  |  table and archive  |  archive only (S3)         |  Glacier        |  gone

What is logged about an archived day requests a rewrite (`archive.rewrites`), and the next nightly job writes the day
again.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from agent_memory.archive.rewrites import MIN_REQUEST_AGE_MS, RewriteRequest, request_rewrite, rewrite_requests
from agent_memory.archive.sealing import SealedArchive
from agent_memory.core.clock import DAY_MS, Span, date_of, day_start_ms, parse_date
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Unavailable
from agent_memory.core.keys import ARCHIVE_PROGRESS
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, HOT_DAYS
from agent_memory.model.decisions import Decision
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.decisions import DecisionStore, Selection
from agent_memory.ports.states import StateStore
from agent_memory.ports.stores import Stores

# A night that has much to catch up stops here; the next one goes on.
_MAX_DAYS_A_NIGHT = 60
_BEGINNING_MS = 0


@dataclass(frozen=True, slots=True)
class _Night:
    agent_id: str
    day: date
    decisions: DecisionStore
    states: StateStore
    archive: ArchiveStore
    kinds: tuple[str, ...]
    shards: int

    @property
    def now_ms(self) -> int:
        """The end of the day whose night it is."""
        return day_start_ms(self.day) + DAY_MS

    def in_table(self, span: Span, *, first: int | None = None) -> list[Decision]:
        """What the table holds in a span of all types, or the oldest `first` of each."""

        def of_kind(kind: str) -> list[Decision]:
            wanted = Selection(self.agent_id, kind, shards=self.shards)
            return list(islice(self.decisions.scan(wanted, span, newest_first=False, first=first), first))

        return [one for found in map_concurrently(of_kind, self.kinds) for one in found]


def archive_due_days(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Archive every day all of whose decisions are over 30 days old at the end of a UTC day; rewrite requested days.

    Progress is kept as a state of the agent, so that a missed night is caught up by the next one. A
    night that was cut short is simply run again: a day's file is made of what the archive and the
    table hold together, so that nothing which already left the table is lost.

    Returns:
        `days` and `decisions` archived, `remaining_days` for the next job, requested days `rewritten`, and
        `postponed`: those that could not be rewritten, each with its `date` and `why`; their requests stay.
    """
    states = stores.states
    registered = states.registration(agent_id)
    night = _Night(
        agent_id,
        day,
        stores.decisions,
        states,
        stores.bucket().archive,
        registered.decision_types,
        registered.write_shards,
    )
    last_due = day - timedelta(days=ARCHIVE_AFTER_DAYS)
    progress = states.get(agent_id, ARCHIVE_PROGRESS)
    first_due = (
        parse_date(progress.data["archived_through"]) + timedelta(days=1) if progress else _first_day(night, last_due)
    )
    due = [first_due + timedelta(days=n) for n in range((last_due - first_due).days + 1)][:_MAX_DAYS_A_NIGHT]
    archived = sum(_archive(night, one) for one in due)
    if due:
        version = progress.version if progress else 0
        data = {"archived_through": due[-1].isoformat()}
        states.put(agent_id, ARCHIVE_PROGRESS, data, expected_version=version, now_ms=night.now_ms)
    rewritten, postponed = _rewrite_requested_days(night)
    return {
        "days": len(due),
        "decisions": archived,
        "remaining_days": max(0, (last_due - first_due).days + 1 - len(due)),
        "rewritten": rewritten,
        "postponed": postponed,
    }


def _first_day(night: _Night, last_due: date) -> date:
    """The oldest day that holds a decision, or the day after `last_due` where none is due yet."""
    span = Span(_BEGINNING_MS, day_start_ms(last_due) + DAY_MS)
    days = [date_of(decision.timestamp_ms) for decision in night.in_table(span, first=1)]
    return min(days, default=last_due + timedelta(days=1))


def _archive(night: _Night, day: date) -> int:
    """Archive one day; returns how many decisions the table held."""
    in_table = night.in_table(Span(day_start_ms(day), day_start_ms(day) + DAY_MS))
    if not in_table:
        return 0
    sealed = SealedArchive(night.agent_id, states=night.states, archive=night.archive, now_ms=night.now_ms)
    archived = {one.decision_id: one for one in sealed.renew(day, lambda before: _together(before, in_table))}
    # One that says something else than the archive stays in the table: nothing is lost.
    safe = [one for one in in_table if _says_all_of(archived[one.decision_id], one)]
    expired = night.decisions.expire(safe, [one.timestamp_ms + HOT_DAYS * DAY_MS for one in safe])
    if not all(expired):  # an outcome came between the reading and here
        request_rewrite(night.states, night.agent_id, day, night.now_ms)
    return len(in_table)


def _together(archived: list[Decision], in_table: list[Decision]) -> list[Decision]:
    """Of each decision what is known of it: the archive's, unless the table's has come further."""
    together = {one.decision_id: one for one in archived}
    for one in in_table:
        before = together.get(one.decision_id)
        if before is None or (before.content() == one.content() and _progress(before) < _progress(one)):
            together[one.decision_id] = one
    return list(together.values())


def _says_all_of(archived: Decision, one: Decision) -> bool:
    """Whether nothing of a decision in the table would be lost with it."""
    return archived == one or (archived.content() == one.content() and _progress(archived) > _progress(one))


def _progress(decision: Decision) -> tuple[bool, int]:
    """Grows with every change of a decision's outcomes."""
    return decision.outcome is not None, decision.revision


def _rewrite_requested_days(night: _Night) -> tuple[int, list[dict[str, str]]]:
    """Write requested days again; returns how many, and what was postponed."""
    by_day: dict[date, list[RewriteRequest]] = {}
    for request in rewrite_requests(night.states, night.agent_id):
        by_day.setdefault(request.day, []).append(request)
    due = sorted(by_day)[:_MAX_DAYS_A_NIGHT]
    answers = [_rewrite(night, day, by_day[day]) for day in due]
    postponed = [answer for answer in answers if answer]
    return len(due) - len(postponed), postponed


def _rewrite(night: _Night, day: date, requests: list[RewriteRequest]) -> dict[str, str]:
    """Write one requested day again and remove its requests; returns why not, if it could not be."""
    try:
        _archive(night, day)
    except Unavailable as error:
        return {"date": day.isoformat(), "why": str(error)}
    for request in requests:
        if request.made_ms <= night.now_ms - MIN_REQUEST_AGE_MS:
            night.states.remove(night.agent_id, request.state_type)
    return {}
