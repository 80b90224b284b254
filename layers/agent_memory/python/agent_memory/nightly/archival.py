"""Archives decisions: they are verified in the archive first, and only then allowed to expire from the table.

Where a decision is stored, by its age:

    0                30 days               90 days             1 year            7 years
    |  table         |  table and archive  |  archive (S3)     |  Glacier        |  deleted

A change to a decision of an archived day requests a rewrite (`archive.rewrites`), and the next nightly job writes that
day again.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count, islice
from typing import Any

from agent_memory.archive.anchors import Anchors
from agent_memory.archive.rewrites import MIN_REQUEST_AGE_MS, RewriteRequest, request_rewrite, rewrite_requests
from agent_memory.archive.sealing import SealedArchive
from agent_memory.core.clock import (
    DAY_MS,
    Span,
    check_day_has_ended,
    date_of,
    day_start_ms,
    last_ended_day,
    parse_date,
)
from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.errors import Damaged, InColdStorage, Unavailable
from agent_memory.core.keys import ARCHIVE_PROGRESS
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, HOT_DAYS, expires_ms
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Damages, OnUnreadable, skip_damaged
from agent_memory.model.seals import ManifestLink
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

MAX_DECISIONS_PER_DAY = 750_000
"""A day with more is not archived: a job holds them in memory, of which a function has three gigabytes."""
# A job with a backlog stops after this many days; the next one continues.
_MAX_DAYS_PER_JOB = 60
_EXPIRED_AT_ONCE = 10_000


class _DayTooLarge(Exception):
    """A day has more decisions than a job can hold in memory. They stay in the table, and none of them expires."""

    code = "day_too_large"


def archive_due_days(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Archive every day whose decisions are all over 30 days old at the end of `day`; write requested days again.

    Progress is stored as a state of the agent, so that a job catches up on those that were missed, and a job for an
    earlier day than the last one changes nothing. An interrupted job is simply run again: a day's file is merged from
    the archive and the table, so that nothing is lost that has already expired from the table.

    A day that cannot be written now is left as it is and requested for the next job; other days are not held up. Such a
    day is in Glacier, differs from its seal, has a damaged decision, or more than `MAX_DECISIONS_PER_DAY`, or the table
    contradicts what was sealed of it.

    Returns:
        `days` and `decisions` archived, `remaining_days` for the next job, the number of requested days `rewritten`,
        `postponed`: those that could not be written, each with its `date`, `why` and the error's `code`; and the `head`
        of the chain of seals with its number `sealed`, None and 0 before the first. `damaged` is the number of
        decisions that are not archived because they are damaged; they do not expire.

    Raises:
        InvalidInput: the day has not ended, or there is no bucket. Unavailable: a store did not respond.
        Damaged: another chain of this agent was anchored.
    """
    check_day_has_ended(day, stores.clock)
    return retry_conflicts(lambda: _ArchivalJob(agent_id, day, stores).run())


class _ArchivalJob:
    """The archival of one agent at the end of `day`."""

    def __init__(self, agent_id: str, day: date, stores: Stores) -> None:
        self._agent_id = agent_id
        self._last_due = day - timedelta(days=ARCHIVE_AFTER_DAYS)
        self._now_ms = day_start_ms(day) + DAY_MS
        self._clock = stores.clock
        self._decisions = stores.decisions
        self._states = stores.states
        registered = self._states.registration(agent_id)
        self._decision_types, self._shards = registered.decision_types, registered.write_shards
        progress = self._states.get(agent_id, ARCHIVE_PROGRESS)
        self._version = progress.version if progress else 0
        archived_through = parse_date(progress.data["archived_through"]) if progress else None
        last_possible = last_ended_day(stores.clock.now_ms()) - timedelta(days=ARCHIVE_AFTER_DAYS)
        # A day that is not due yet cannot be archived completely: then everything in the table is looked at again.
        is_possible = archived_through is not None and archived_through <= last_possible
        self._archived_through = archived_through if is_possible else None
        self._sealed = SealedArchive(
            agent_id,
            states=self._states,
            archive=stores.bucket().archive,
            now_ms=self._now_ms,
            archived_through=archived_through,
        )
        self._anchors = Anchors(stores.anchors) if stores.anchors else None
        self._postponed: list[dict[str, str]] = []
        self._damages = Damages()

    def run(self) -> dict[str, Any]:
        """Archive what is due; returns figures. `Conflict` if another job comes first."""
        is_behind = self._archived_through is not None and self._archived_through > self._last_due
        due, remaining_days = ([], 0) if is_behind else self._due_days()
        archived = sum(self._archive_or_postpone(one) for one in due)
        if due:
            data = {"archived_through": due[-1].isoformat()}
            states, version = self._states, self._version
            states.put(self._agent_id, ARCHIVE_PROGRESS, data, expected_version=version, now_ms=self._now_ms)
        rewritten = 0 if is_behind else self._rewrite_requested_days()
        head = self._head()
        if head and self._anchors:
            self._anchors.add(self._agent_id, head)
        return {
            "days": len(due),
            "decisions": archived,
            "remaining_days": remaining_days,
            "rewritten": rewritten,
            "postponed": self._postponed,
            **self._damages.figures(),
            "head": head.hash if head else None,
            "sealed": head.sequence if head else 0,
        }

    def _due_days(self) -> tuple[list[date], int]:
        """The days to archive now, oldest first, and the number of those that are left for the next job."""
        first = self._archived_through + timedelta(days=1) if self._archived_through else self._first_day()
        days = [first + timedelta(days=n) for n in range((self._last_due - first).days + 1)]
        return days[:_MAX_DAYS_PER_JOB], len(days[_MAX_DAYS_PER_JOB:])

    def _first_day(self) -> date:
        """The oldest day that has a decision, or the day after the last one that is due if there is none."""
        span = Span(0, day_start_ms(self._last_due) + DAY_MS)
        days = [date_of(one.timestamp_ms) for one in self._in_table(span, first=1, on_unreadable=skip_damaged)]
        return min(days, default=self._last_due + timedelta(days=1))

    def _in_table(self, span: Span, *, first: int | None = None, on_unreadable: OnUnreadable) -> list[Decision]:
        """The decisions of all types that the table holds in a span; with `first`, the oldest `first` of each type.

        Raises:
            _DayTooLarge: there are more than `MAX_DECISIONS_PER_DAY`.
        """
        number = count(1)  # of a decision of any type

        def of_type(decision_type: str) -> list[Decision]:
            selection = Selection(self._agent_id, decision_type, shards=self._shards)
            stream = self._decisions.scan(selection, span, newest_first=False, first=first, on_unreadable=on_unreadable)
            found: list[Decision] = []
            for one in islice(stream, first):
                if next(number) > MAX_DECISIONS_PER_DAY:
                    raise _DayTooLarge(
                        f"the day has more than {MAX_DECISIONS_PER_DAY:,} decisions, which a job cannot hold in "
                        "memory; they stay in the table, and none of them expires"
                    )
                found.append(one)
            return found

        return [decision for found in map_concurrently(of_type, self._decision_types) for decision in found]

    def _archive_or_postpone(self, day: date) -> int:
        """Archive one day; returns how many decisions the table held. If that is not possible now, request it."""
        archived = 0
        try:
            archived = self._archive(day)
        except (Damaged, _DayTooLarge, InColdStorage) as error:
            self._postpone(day, error)
        if self._is_postponed(day):
            request_rewrite(self._states, self._agent_id, day, self._now_ms)
        return archived

    def _archive(self, day: date) -> int:
        """Archive one day; returns how many decisions the table held.

        Damaged decisions stay in the table without the others; the day is then postponed for them.
        """
        damages = Damages()
        in_table = self._in_table(Span(day_start_ms(day), day_start_ms(day) + DAY_MS), on_unreadable=damages)
        for one in damages.items():
            self._damages(one)
        if damages.items():
            self._postpone(
                day, Damaged(f"{len(damages.items())} decisions cannot be read, as {damages.items()[0].error}")
            )
        if not in_table:
            return 0
        archived = {one.decision_id: one for one in self._sealed.rewrite(day, in_table, _merge)}
        # A decision whose content differs from the archive's stays in the table, so that nothing is lost.
        preserved = [one for one in in_table if _is_preserved(archived[one.decision_id], one)]
        are_unchanged = [self._expire(some) for some in chunks(preserved, _EXPIRED_AT_ONCE)]
        if not all(are_unchanged):
            request_rewrite(self._states, self._agent_id, day, self._now_ms)
        return len(in_table)

    def _expire(self, decisions: Sequence[Decision]) -> bool:
        """Let decisions expire; returns False if an outcome of any was recorded after it was read."""
        now_ms = self._clock.now_ms()
        return all(
            self._decisions.expire(decisions, [expires_ms(one.timestamp_ms, HOT_DAYS, now_ms) for one in decisions])
        )

    def _rewrite_requested_days(self) -> int:
        """Write requested days again, but those that this job has postponed; returns how many were written."""
        by_day: dict[date, list[RewriteRequest]] = {}
        for request in rewrite_requests(self._states, self._agent_id):
            by_day.setdefault(request.day, []).append(request)
        due = [day for day in sorted(by_day) if not self._is_postponed(day)][:_MAX_DAYS_PER_JOB]
        return sum(self._rewrite(day, by_day[day]) for day in due)

    def _rewrite(self, day: date, requests: list[RewriteRequest]) -> bool:
        """Write one requested day again and remove its requests; returns whether that was possible."""
        try:
            self._archive(day)
        except (Unavailable, _DayTooLarge) as error:
            self._postpone(day, error)
        if self._is_postponed(day):
            return False
        for request in requests:
            if request.requested_ms <= self._now_ms - MIN_REQUEST_AGE_MS:
                self._states.remove(self._agent_id, request.state_type)
        return True

    def _is_postponed(self, day: date) -> bool:
        return any(one["date"] == day.isoformat() for one in self._postponed)

    def _postpone(self, day: date, error: Unavailable | _DayTooLarge) -> None:
        self._postponed.append({"date": day.isoformat(), "why": str(error), "code": error.code})

    def _head(self) -> ManifestLink | None:
        try:
            return self._sealed.head()
        except Damaged:  # every day is postponed for this reason then
            return None


def _merge(archived: Sequence[Decision], in_table: Sequence[Decision]) -> list[Decision]:
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
