"""Nightly jobs: how far they have come, what each one found, and running one again."""

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from agent_memory.cli.console.background import Report
from agent_memory.cli.console.pages.memories import memory_row
from agent_memory.cli.console.rendering import segment
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.cli.nightly import status_of
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import last_ended_day, parse_date
from agent_memory.core.errors import Damaged, InvalidInput
from agent_memory.core.keys import report_key, report_prefix
from agent_memory.model.listings import Damages, Unreadable, parsed
from agent_memory.model.memories import MemoryType
from agent_memory.nightly.run import run_nightly_jobs
from agent_memory.ports.stores import Stores

KIND = "nightly job"
REPORTS = 31
_COLUMNS = columns(
    """
    date             report   Day
    with_outcome     number   With outcome
    without_outcome  number   Without
    active_patterns  number   Active patterns
    mean_confidence  percent  Mean confidence
    unusual          number   Unusual
    damaged          number   Damaged
    """
)
_TYPES = columns(
    """
    decision_type  type    Type
    with_outcome   number  With outcome
    succeeded      number  Succeeded
    success_rate   rate    Success rate
    """
)
_LEARNED = columns(
    """
    memory_type  type      Type
    pattern_id   memory    Memory
    description  sentence  What it says
    sample_size  number    Decisions
    version      number    Version
    """
)
_JUST_AFTER = timedelta(milliseconds=1)
_JOBS = columns(
    """
    date              day     Job of
    new_outcomes      number  New outcomes
    candidates_tried  number  Candidates tested
    """
)
STEPS = (
    ("consolidation", "learns patterns, estimates and experiments from outcomes"),
    ("pruning", "adds up read counts, and prunes memories"),
    ("archival", "archives and seals days, and counts them"),
    ("analytics", "writes the report of the day"),
)


async def nightly_page(visit: Visit) -> Page:
    """The page about nightly jobs."""
    values = await in_thread(_values, visit)
    tables = [Table("reports", _COLUMNS, values["reports"], empty="No nightly job has written a report.")]
    if values["report"]:
        rows = [{"decision_type": name, **one} for name, one in values["report"]["by_type"].items()]
        tables.append(Table("types", _TYPES, rows, empty="No outcome on this day."))
    return Page("nightly.html.j2", "Nightly jobs", {**values, "steps": STEPS}, tables)


async def learned_page(visit: Visit) -> Page:
    """A part of the page about nightly jobs: the memories that the job of a day wrote. It reads all their versions."""
    learned = await _learned(visit, parse_date(visit.text("day") or ""))
    return Page("learned.html.j2", "Learned", {}, [Table("learned", _LEARNED, learned, empty="It changed no memory.")])


async def _learned(visit: Visit, day: date) -> list[dict[str, Any]]:
    """The memories of which the job of a day wrote a version: they have the time at which the day ended."""
    if day > last_ended_day(visit.source.clock.now_ms()):
        raise InvalidInput("day", f"{day} has not ended in UTC yet")
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    memory = visit.source.memory(visit.agent_id)
    found = await asyncio.gather(*(memory.retrieve_ltm(str(one), as_of=end + _JUST_AFTER) for one in MemoryType))
    versions = [one for listing in found for one in listing]
    return [memory_row(one) for one in versions if datetime.fromisoformat(one["updated_at"]) == end]


def _values(visit: Visit) -> dict[str, Any]:
    stores = visit.source.stores("nightly jobs")
    blobs = stores.bucket().blobs
    keys = sorted(blobs.list_keys(report_prefix(visit.agent_id)), reverse=True)
    damages = Damages()

    def read(key: str) -> dict[str, Any] | None:
        try:
            return _report(key, blobs.read(key))
        except Damaged as error:
            damages(Unreadable(key, error))
            return None

    reports = [one for key in keys[:REPORTS] if (one := read(key))]
    chosen, wanted = (reports[0] if reports else None), visit.text("day")
    if wanted:
        suffix = f"date={parse_date(wanted).isoformat()}/"
        chosen = next((read(key) for key in keys if suffix in key), None)
    return {
        "status": nightly_status(visit.agent_id, stores),
        "reports": [{**one, "unusual": _count(one["checks"])} for one in reports],
        "missing": damages.as_dicts(),
        "older": max(0, len(keys) - REPORTS),
        "report": chosen,
        "wanted": wanted,
        "last_day": last_ended_day(stores.clock.now_ms()).isoformat(),
        "work": visit.background.get(KIND, visit.agent_id),
    }


def nightly_status(agent_id: str, stores: Stores) -> dict[str, Any]:
    """How far the agent's nightly jobs have come, as `agent-memory nightly status` prints it."""
    return status_of(agent_id, last_ended_day(stores.clock.now_ms()), stores)


def latest_report(agent_id: str, stores: Stores, through: date = date.max) -> dict[str, Any] | None:
    """The report of the last day, up to one, of which a nightly job has written it; None if there is none."""
    if stores.blobs is None:
        return None
    last = report_key(agent_id, through)
    keys = [one for one in stores.blobs.list_keys(report_prefix(agent_id)) if one <= last]
    return _report(max(keys), stores.blobs.read(max(keys))) if keys else None


def _report(key: str, body: bytes | None) -> dict[str, Any] | None:
    """The report at a key; `Damaged` if it is none."""
    return None if body is None else parsed(key, _checked, body)


def _checked(body: bytes) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(body)
    date.fromisoformat(report["date"])
    if not isinstance(report["checks"], dict) or not all(isinstance(one, dict) for one in report["by_type"].values()):
        raise TypeError("checks and by_type are not objects")
    if not all(isinstance(report[name], int) for name in ("with_outcome", "without_outcome", "active_patterns")):
        raise TypeError("its counts are not numbers")
    return report


def _count(checks: dict[str, Any]) -> int:
    return sum(len(found) if isinstance(found, list) else bool(found) for found in checks.values())


async def start_job(visit: Visit) -> str:
    """Run the nightly job of a day, which changes nothing if it has run already."""
    day = parse_date(visit.form.get("day", ""))
    stores = visit.source.stores("nightly jobs")
    if day > last_ended_day(stores.clock.now_ms()):
        raise InvalidInput("day", f"{day} has not ended in UTC yet")
    visit.background.start(KIND, visit.agent_id, lambda report: _run(visit.agent_id, day, stores, report))
    return f"/agents/{segment(visit.agent_id)}/nightly"


def _run(agent_id: str, day: date, stores: Stores, report: Report) -> dict[str, Any]:
    report(0, None)
    (entry,) = run_nightly_jobs([agent_id], day, stores)
    return entry
