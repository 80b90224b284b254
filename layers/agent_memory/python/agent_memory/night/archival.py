"""Moves decisions to the archive: verified there first, and only then allowed to leave the table.

A decision's life:

    made           30 days               90 days                      1 year            7 years
    |  table only  |  table and archive  |  archive only (S3)         |  Glacier        |  gone
"""

from datetime import date, timedelta
from typing import Any

from agent_memory.clock import DAY_MS, date_of, day_start_ms, parse_date
from agent_memory.keys import ARCHIVE_PROGRESS
from agent_memory.retention import ARCHIVE_AFTER_DAYS, HOT_DAYS
from agent_memory.stores.archive_store import ArchiveStore
from agent_memory.stores.base import DecisionKey, DecisionStore, Selection, Span, StateStore
from agent_memory.stores.concurrently import map_concurrently

# A night that has much to catch up stops here; the next one goes on.
_MAX_DAYS_A_NIGHT = 60
_BEGINNING_MS = 0


def archive_due_days(
    agent_id: str, day: date, *, decisions: DecisionStore, states: StateStore, archive: ArchiveStore
) -> dict[str, Any]:
    """Archive every day all of whose decisions are over 30 days old at the end of a UTC day.

    Progress is kept as a state of the agent, so that a missed night is caught up by the next one. A
    night that was cut short is simply run again: a day's file is made of what the archive and the
    table hold together, so that nothing which already left the table is lost.
    """
    registered = states.registration(agent_id)
    by_kind = [Selection(agent_id, kind, shards=registered.write_shards) for kind in registered.decision_types]
    last_due = day - timedelta(days=ARCHIVE_AFTER_DAYS)
    progress = states.get(agent_id, ARCHIVE_PROGRESS)
    version = progress.version if progress else 0
    first_due = (
        parse_date(progress.data["archived_through"]) + timedelta(days=1)
        if progress
        else _first_day(by_kind, decisions, last_due)
    )
    due = [first_due + timedelta(days=n) for n in range((last_due - first_due).days + 1)][:_MAX_DAYS_A_NIGHT]
    archived = sum(_archive_day(by_kind, due_day, decisions, archive) for due_day in due)
    if due:
        now_ms = day_start_ms(day) + DAY_MS
        data = {"archived_through": due[-1].isoformat()}
        states.put(agent_id, ARCHIVE_PROGRESS, data, expected_version=version, now_ms=now_ms)
    return {
        "days": len(due),
        "decisions": archived,
        "remaining_days": max(0, (last_due - first_due).days + 1 - len(due)),
    }


def _first_day(by_kind: list[Selection], decisions: DecisionStore, last_due: date) -> date:
    """The oldest day that holds a decision, or the day after `last_due` where none is due yet."""
    span = Span(_BEGINNING_MS, day_start_ms(last_due) + DAY_MS)
    oldest = [next(decisions.scan(of_kind, span, newest_first=False, first=1), None) for of_kind in by_kind]
    days = [date_of(decision.timestamp_ms) for decision in oldest if decision]
    return min(days, default=last_due + timedelta(days=1))


def _archive_day(by_kind: list[Selection], day: date, decisions: DecisionStore, archive: ArchiveStore) -> int:
    """Archive one day of all types side by side; returns how many decisions the table held."""
    span = Span(day_start_ms(day), day_start_ms(day) + DAY_MS)

    def archive_kind(of_kind: Selection) -> int:
        agent_id, kind = of_kind.agent_id, str(of_kind.decision_type)
        in_table = list(decisions.scan(of_kind, span, newest_first=False))
        if in_table:
            together = {decision.decision_id: decision for decision in archive.read_day(agent_id, kind, day)}
            together |= {decision.decision_id: decision for decision in in_table}
            archive.write_day(agent_id, kind, day, list(together.values()))
            expiry = [decision.timestamp_ms + HOT_DAYS * DAY_MS for decision in in_table]
            decisions.expire([DecisionKey.of(decision) for decision in in_table], expiry)
        return len(in_table)

    return sum(map_concurrently(archive_kind, by_kind))
