"""The nightly count of days: statistics read the counts of days that have ended instead of their decisions.

The same decisions are read for the digests of these days, by which recall ranks older decisions (`nightly.digests`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from agent_memory.core.clock import DAY_MS, HOUR_MS, Span, check_day_has_ended, date_of, day_start_ms, parse_date
from agent_memory.core.errors import InColdStorage
from agent_memory.core.keys import ROLLUP_PROGRESS, ROLLUPS, rollup_state_type
from agent_memory.core.retention import EVIDENCE_DAYS, EXPIRE_AFTER_DAYS
from agent_memory.core.retries import retry_conflicts
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.decisions.rolled_days import MIN_CHANGE_AGE_MS, put_rollup, recorded_changes
from agent_memory.decisions.rollup_data import rollup_data
from agent_memory.decisions.rollups import Rollup
from agent_memory.model.listings import Damages, skip_damaged
from agent_memory.nightly.days import days_through
from agent_memory.nightly.digests import DigestWriter, RowsOfDay
from agent_memory.ports.stores import Stores

_SETTLES_MS = HOUR_MS // 4
"""A day is counted this long after its end: a call that logs a decision may still be in progress."""
_MAX_DECISIONS = 1_000_000
"""A day that has more is not counted. After so many in several days, the others are left to the next job."""
_MAX_COLD_DAYS = 31
"""After so many days that turn out to be in cold storage, a job requests the restore of no more."""
_MAX_BYTES = 300_000
"""A day whose counts take more is read from its decisions; a state is one item."""


def roll_up_days(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Count the days up to `day` that were not counted yet or have changed since, of the last 90, the newest first.

    With a bucket, each gets its digest in the same pass, and so do archived days of any age that have none yet.
    Counting a day again leads to the same counts; of two jobs at once, the one that comes second begins again. A day
    with damaged decisions is not counted, so that statistics name them.

    Returns:
        `days` that were counted, and `remaining_days`, which the next job counts.

    Raises:
        InvalidInput: the day has not ended. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    return retry_conflicts(lambda: _roll_up(agent_id, day, stores))


def _roll_up(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    states, now_ms = stores.states, stores.clock.now_ms()
    last = min(day, date_of(now_ms - _SETTLES_MS) - timedelta(days=1))
    log = DecisionLog(agent_id, stores, stores.clock)
    counted = [parse_date(name) for name, _ in states.list_by_prefix(agent_id, ROLLUPS, on_unreadable=skip_damaged)]
    first = min([_first_day(log, last), *counted])
    for expired in [one for one in counted if one < last - timedelta(days=EXPIRE_AFTER_DAYS)]:
        states.remove(agent_id, rollup_state_type(expired))
    changes = [one for one in recorded_changes(states, agent_id) if one.day <= last]
    recent = days_through(max(first, last - timedelta(days=EVIDENCE_DAYS - 1)), last)
    digests = None if stores.blobs is None else DigestWriter(agent_id, stores.blobs)
    without_digest = set() if digests is None else digests.missing(recent, stores.archive, last)
    missing = ({*recent} - {*counted}) | without_digest
    # What may still be changing is read from its decisions until a later job, however often it is counted before.
    changing = {one.day for one in changes if one.recorded_ms >= now_ms - MIN_CHANGE_AGE_MS}
    known = {one.day for one in changes if first <= one.day or (digests is not None and digests.has(one.day))}
    due = sorted(missing | (known - changing), reverse=True)
    if due:
        _announce(stores, agent_id, last)
    done = _count(log, due, stores, digests)
    if digests is not None:
        digests.finish(last, without_digest - done)
    for one in changes:
        if one.recorded_ms < now_ms - MIN_CHANGE_AGE_MS and (one.day in done or one.day not in due):
            states.remove(agent_id, one.state_type)
    return {"days": len(done), "remaining_days": len(due) - len(done)}


def _first_day(log: DecisionLog, last: date) -> date:
    """The day of the first decision of the last 90 days; the day after the last one if there is none."""
    end_ms = day_start_ms(last) + DAY_MS
    criteria = DecisionFilter(time_range=Span(end_ms - EVIDENCE_DAYS * DAY_MS, end_ms).as_range())
    decisions = log.stream(criteria, newest_first=False, first=1, on_unreadable=skip_damaged)
    return next((date_of(one.timestamp_ms) for one in decisions), last + timedelta(days=1))


def _announce(stores: Stores, agent_id: str, last: date) -> None:
    """Record that days are counted, before the first one is read: from then on, writers record what they change."""
    if stores.states.get(agent_id, ROLLUP_PROGRESS) is None:
        data = {"first_counted": last.isoformat()}
        stores.states.put(agent_id, ROLLUP_PROGRESS, data, expected_version=0, now_ms=stores.clock.now_ms())


def _count(log: DecisionLog, due: Sequence[date], stores: Stores, digests: DigestWriter | None) -> set[date]:
    """Count days until there were too many decisions; returns the days that were counted."""
    done: set[date] = set()
    decisions = cold_days = 0
    for day in due:
        if decisions >= _MAX_DECISIONS or cold_days >= _MAX_COLD_DAYS:
            break
        try:
            found = _read(log, day, None if digests is None else RowsOfDay())
        except InColdStorage:  # its restore has been requested: the next job counts it
            cold_days += 1
            continue
        put_rollup(stores.states, log.agent_id, day, found.data, stores.clock.now_ms())
        if digests is not None and found.rows is not None:
            digests.put(day, found.rows, found.damaged)
        decisions += found.decisions
        done.add(day)
    return done


@dataclass(frozen=True, slots=True)
class _Day:
    """The stored counts of a day, empty if it cannot be counted; the rows of its digest; and what was read."""

    data: dict[str, Any]
    rows: RowsOfDay | None
    decisions: int
    damaged: int


def _read(log: DecisionLog, day: date, rows: RowsOfDay | None) -> _Day:
    """Read a day's decisions, the newest first, up to the maximum."""
    damages, rollup, count = Damages(), Rollup(), 0
    criteria = DecisionFilter(time_range=Span(day_start_ms(day), day_start_ms(day) + DAY_MS).as_range())
    for count, one in enumerate(log.stream(criteria, on_unreadable=damages), start=1):
        if rows is not None:
            rows.add(one)
        if count > _MAX_DECISIONS:
            return _Day({}, rows, count, len(damages.items()))
        rollup.add(one)
    data = rollup_data(rollup)
    is_counted = sum(map(len, data.values())) <= _MAX_BYTES and not damages.items()
    return _Day(data if is_counted else {}, rows, count, len(damages.items()))
