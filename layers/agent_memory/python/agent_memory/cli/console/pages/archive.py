"""The archive: its days and seals, whether they are unchanged, and writing days back into the table."""

from datetime import date
from typing import Any

from agent_memory.admin.archive_restore import ArchiveRestore
from agent_memory.archive.verification import verification_of
from agent_memory.cli.console.background import Report
from agent_memory.cli.console.rendering import segment
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import parse_date
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Damaged
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.model.listings import missing_item
from agent_memory.model.seals import Manifest
from agent_memory.ports.stores import Stores

VERIFICATION, RESTORE = "verification", "restore"
DAYS = 62
_COLUMNS = columns(
    """
    date          day     Day
    rows          number  Decisions
    with_outcome  number  With outcome
    sequence      number  Seal
    revision      number  Revision
    archived_at   time    Sealed
    file_bytes    number  Bytes
    root          hash    Root
    """
)
_FINDINGS = columns(
    """
    kind         status       Finding
    day          day          Day
    decision_id  decision_id  Decision
    message      text         What is wrong
    """
)


async def archive_page(visit: Visit) -> Page:
    """The page about the archive."""
    values = await in_thread(_values, visit)
    tables = [Table("days", _COLUMNS, values["days"], empty="No day is archived yet.")]
    work = values["verification"]
    if work is not None and work.result is not None:
        findings = work.result["findings"]
        tables.append(Table("findings", _FINDINGS, findings, empty="No finding."))
    return Page("archive.html.j2", "Archive", values, tables)


def _values(visit: Visit) -> dict[str, Any]:
    archive = visit.source.stores("the archive").bucket().archive
    days = archive.days(visit.agent_id)
    end = visit.text("through")
    through = parse_date(end) if end else date.max
    shown = [one for one in reversed(days) if one <= through][:DAYS]
    missing: list[dict[str, Any]] = []

    def seal(day: date) -> Manifest | None:
        try:
            return archive.manifest(visit.agent_id, day)
        except Damaged as error:
            missing.append(missing_item(day.isoformat(), error.code, str(error)))
            return None

    manifests = map_concurrently(seal, shown)
    older = [one for one in days if shown and one < shown[-1]]
    return {
        "days": [one.as_dict() for one in manifests if one is not None],
        "missing": sorted(missing, key=lambda one: one["id"]),
        "total": len(days),
        "first": days[0].isoformat() if days else None,
        "last": days[-1].isoformat() if days else None,
        "older": older[-1].isoformat() if older else None,
        "archive_after_days": ARCHIVE_AFTER_DAYS,
        "verification": visit.background.get(VERIFICATION, visit.agent_id),
        "restore": visit.background.get(RESTORE, visit.agent_id),
    }


async def start_verification(visit: Visit) -> str:
    """Check every day, every decision and every link of the chain of seals, in the background."""
    stores = visit.source.stores("the archive")
    visit.background.start(VERIFICATION, visit.agent_id, lambda report: _verify(visit.agent_id, stores, report))
    return _path(visit)


def _verify(agent_id: str, stores: Stores, report: Report) -> dict[str, Any]:
    total, done = len(stores.bucket().archive.days(agent_id)), 0

    def count(_: date) -> None:
        nonlocal done
        done += 1
        report(done, total)

    report(0, total)
    return verification_of(agent_id, stores, on_day=count).as_dict()


async def start_restore(visit: Visit) -> str:
    """Write the decisions of archived days that the table does not have back into it; or only count them."""
    stores = visit.source.stores("the archive")
    text, dry_run = visit.form.get("day", "").strip(), visit.form.get("write") != "yes"
    day = parse_date(text) if text else None

    def run(_: Report) -> dict[str, Any]:
        return ArchiveRestore(visit.agent_id, stores, stores.clock).run(day, dry_run=dry_run)

    visit.background.start(RESTORE, visit.agent_id, run)
    return _path(visit)


def _path(visit: Visit) -> str:
    return f"/agents/{segment(visit.agent_id)}/archive"
