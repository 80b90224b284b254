"""Archives decisions: they are verified in the archive first, and only then allowed to expire from the table.

Where a decision is stored, by its age:

    0                30 days               90 days             1 year            7 years
    |  table         |  table and archive  |  archive (S3)     |  Glacier        |  deleted

A change to a decision of an archived day requests a rewrite (`archive.rewrites`), and the next nightly job writes that
day again.
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


@dataclass(frozen=True, slots=True)
class _ArchivalJob:
    """The archival of one agent at the end of `day`."""

    agent_id: str
    day: date
    decisions: DecisionStore
    states: StateStore
    archive: ArchiveStore
    decision_types: tuple[str, ...]
    shards: int

    @property
    def now_ms(self) -> int:
        """The end of the day."""
        return day_start_ms(self.day) + DAY_MS

    def in_table(self, span: Span, *, first: int | None = None) -> list[Decision]:
        """The decisions of all types that the table holds in a span; with `first`, the oldest `first` of each type."""

        def of_type(decision_type: str) -> list[Decision]:
            selection = Selection(self.agent_id, decision_type, shards=self.shards)
            return list(islice(self.decisions.scan(selection, span, newest_first=False, first=first), first))

        return [decision for found in map_concurrently(of_type, self.decision_types) for decision in found]


# A job with a backlog stops after this many days; the next one continues.
_MAX_DAYS_PER_JOB = 60


def archive_due_days(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Archive every day whose decisions are all over 30 days old at the end of `day`; write requested days again.

    Progress is stored as a state of the agent, so that a job catches up on those that were missed. An interrupted job
    is simply run again: a day's file is merged from the archive and the table, so that nothing is lost that has already
    expired from the table.

    Returns:
        `days` and `decisions` archived, `remaining_days` for the next job, the number of requested days `rewritten`,
        and `postponed`: those that could not be written, each with its `date` and `why`; their requests are kept.
    """
    states = stores.states
    registered = states.registration(agent_id)
    job = _ArchivalJob(
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
        parse_date(progress.data["archived_through"]) + timedelta(days=1) if progress else _first_day(job, last_due)
    )
    due = [first_due + timedelta(days=n) for n in range((last_due - first_due).days + 1)][:_MAX_DAYS_PER_JOB]
    archived = sum(_archive(job, due_day) for due_day in due)
    if due:
        version = progress.version if progress else 0
        data = {"archived_through": due[-1].isoformat()}
        states.put(agent_id, ARCHIVE_PROGRESS, data, expected_version=version, now_ms=job.now_ms)
    rewritten, postponed = _rewrite_requested_days(job)
    return {
        "days": len(due),
        "decisions": archived,
        "remaining_days": max(0, (last_due - first_due).days + 1 - len(due)),
        "rewritten": rewritten,
        "postponed": postponed,
    }


def _first_day(job: _ArchivalJob, last_due: date) -> date:
    """The oldest day that has a decision, or the day after `last_due` if none is due yet."""
    span = Span(0, day_start_ms(last_due) + DAY_MS)
    days = [date_of(decision.timestamp_ms) for decision in job.in_table(span, first=1)]
    return min(days, default=last_due + timedelta(days=1))


def _archive(job: _ArchivalJob, day: date) -> int:
    """Archive one day; returns how many decisions the table held."""
    in_table = job.in_table(Span(day_start_ms(day), day_start_ms(day) + DAY_MS))
    if not in_table:
        return 0
    sealed = SealedArchive(job.agent_id, states=job.states, archive=job.archive, now_ms=job.now_ms)
    archived = {one.decision_id: one for one in sealed.rewrite(day, lambda before: _merge(before, in_table))}
    # A decision whose content differs from the archive's stays in the table, so that nothing is lost.
    preserved = [one for one in in_table if _is_preserved(archived[one.decision_id], one)]
    expired = job.decisions.expire(preserved, [one.timestamp_ms + HOT_DAYS * DAY_MS for one in preserved])
    if not all(expired):  # an outcome was recorded after the decisions were read
        request_rewrite(job.states, job.agent_id, day, job.now_ms)
    return len(in_table)


def _merge(archived: list[Decision], in_table: list[Decision]) -> list[Decision]:
    """Merge both by id: the archive's version of a decision, unless the table's has more outcomes."""
    merged = {one.decision_id: one for one in archived}
    for one in in_table:
        before = merged.get(one.decision_id)
        if before is None or (before.content() == one.content() and _progress(before) < _progress(one)):
            merged[one.decision_id] = one
    return list(merged.values())


def _is_preserved(archived: Decision, in_table: Decision) -> bool:
    """Whether the archived version contains everything that the table's does."""
    return archived == in_table or (
        archived.content() == in_table.content() and _progress(archived) > _progress(in_table)
    )


def _progress(decision: Decision) -> tuple[bool, int]:
    """A key that increases with every change of a decision's outcomes."""
    return decision.outcome is not None, decision.revision


def _rewrite_requested_days(job: _ArchivalJob) -> tuple[int, list[dict[str, str]]]:
    """Write requested days again; returns how many, and those that were postponed."""
    by_day: dict[date, list[RewriteRequest]] = {}
    for request in rewrite_requests(job.states, job.agent_id):
        by_day.setdefault(request.day, []).append(request)
    due = sorted(by_day)[:_MAX_DAYS_PER_JOB]
    results = [_rewrite(job, day, by_day[day]) for day in due]
    postponed = [result for result in results if result]
    return len(due) - len(postponed), postponed


def _rewrite(job: _ArchivalJob, day: date, requests: list[RewriteRequest]) -> dict[str, str]:
    """Write one requested day again and remove its requests; returns the reason if that fails."""
    try:
        _archive(job, day)
    except Unavailable as error:
        return {"date": day.isoformat(), "why": str(error)}
    for request in requests:
        if request.requested_ms <= job.now_ms - MIN_REQUEST_AGE_MS:
            job.states.remove(job.agent_id, request.state_type)
    return {}
