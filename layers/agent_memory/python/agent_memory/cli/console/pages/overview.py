"""The overview: is memory healthy, how decisions did, what memory adds, and what needs attention."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from agent_memory.cli.console.pages.archive import VERIFICATION
from agent_memory.cli.console.pages.decisions import known_decisions
from agent_memory.cli.console.pages.experiments import EXPERIMENT_COLUMNS, experiments_of
from agent_memory.cli.console.pages.nightly import latest_report, nightly_status
from agent_memory.cli.console.view import Column, Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import DAY_MS, date_of, to_iso
from agent_memory.core.errors import Damaged, InvalidInput
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.ports.stores import Stores
from agent_memory.reporting.cost import cost_of_a_month
from agent_memory.reporting.day_counts import BarCounts, bars_text, count_by_day
from agent_memory.reporting.records import Missing, decisions_of

DAYS = 30
_RATE = columns(
    """
    decisions     number  Decisions
    with_outcome  number  With outcome
    succeeded     number  Succeeded
    success_rate  rate    Success rate
    """
)
_TYPE = Column("decision_type", "Type", "type")


async def overview_page(visit: Visit) -> Page:
    """The health of memory, and what needs attention; the figures of decisions follow as `performance_page`."""
    # Of quarantines, pauses and the cache, only the present is known.
    is_now = visit.as_of is None
    quarantines = await visit.source.memory(visit.agent_id).list_quarantines() if is_now else []
    values: dict[str, Any] = {"days": _days(visit), "health": None}
    tables = []
    if visit.source.is_direct:
        values["health"] = await in_thread(_health, visit)
        experiments = await in_thread(experiments_of, visit)
        tables.append(Table("experiments", EXPERIMENT_COLUMNS, experiments, empty="No experiment withholds memory."))
    attention = _attention(values["health"], quarantines)
    tables.append(Table("attention", _ATTENTION, attention, empty="Nothing needs attention."))
    return Page("overview.html.j2", "Overview", values, tables, is_dated=True)


_ATTENTION = (Column("what", "What", "link"), Column("detail", "Detail"))


def _days(visit: Visit) -> int:
    return visit.number("days", DAYS, most=3_650)


def _health(visit: Visit) -> dict[str, Any]:
    """What the stores say of the last nightly job, of the archive and of the cache; of the past, only the report."""
    stores = visit.source.stores("the nightly job and the archive")
    if visit.as_of_ms is not None:
        return {"nightly": None, **_report_or_damage(visit, stores, date_of(visit.as_of_ms))}
    archived = stores.archive.days(visit.agent_id) if stores.archive else []
    return {
        "nightly": nightly_status(visit.agent_id, stores),
        **_report_or_damage(visit, stores),
        "verification": visit.background.get(VERIFICATION, visit.agent_id),
        "archived_days": len(archived),
        "archived_through": archived[-1].isoformat() if archived else None,
        "has_bucket": stores.archive is not None,
        "cache": stores.places.short_term if stores.short_term else None,
        "places": stores.places._asdict(),
    }


def _report_or_damage(visit: Visit, stores: Stores, through: date = date.max) -> dict[str, Any]:
    """The last report, or why it cannot be read, which does not keep the rest of the page from being shown."""
    try:
        return {"report": latest_report(visit.agent_id, stores, through), "damage": None}
    except Damaged as error:
        return {"report": None, "damage": str(error)}


def _attention(health: dict[str, Any] | None, quarantines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def add(what: str, detail: str, path: str) -> None:
        found.append({"what": what, "detail": detail, "path": path})

    if health is not None:
        status, report = health["nightly"], health["report"]
        for what, detail in _delays(status) if status else ():
            add(what, detail, "/nightly")
        if health["damage"]:
            add("The last report cannot be read", health["damage"], "/nightly")
        for one in _unusual(report):
            add("Unusual in the last report", one, "/nightly")
        if report is not None and report.get("damaged"):
            add("Damaged memories", f"{report['damaged']:,} could not be read", "/nightly")
    for entry in quarantines:
        add(f"{entry['memory_id']} is quarantined", f"{entry['reason']} (by {entry['by']})", "/memories")
    return found


def _delays(status: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What keeps the nightly job from having learned every day."""
    if status["paused"]:
        yield "Learning is paused", status["paused"]
    elif status["days_due"]:
        yield "The nightly job is behind", f"{status['days_due']:,} days are due"
    if status["interrupted"]:
        yield "A nightly job was interrupted", f"while it learned {status['interrupted']}"


def _unusual(report: dict[str, Any] | None) -> list[str]:
    """What the checks of the last report found, each as a line."""
    checks = (report or {}).get("checks") or {}
    return [
        f"{name.replace('_', ' ')}: {one if isinstance(one, str) else ', '.join(f'{k} {v}' for k, v in one.items())}"
        for name, found in checks.items()
        for one in (found if isinstance(found, list) else [found] if found else [])
    ]


async def performance_page(visit: Visit) -> Page:
    """How decisions of the last days did, by day, type, context and source: a part that reads the record."""
    days = _days(visit)
    counts, missing, (start_ms, end_ms) = await in_thread(counts_of_last_days, visit, days)
    tables = [
        Table("types", [_TYPE, *_RATE], counts.types()),
        Table("contexts", [Column("context_type", "Context", "context"), _TYPE, *_RATE], counts.contexts()),
        Table("sources", [Column("source", "Source"), _TYPE, *_RATE[1:]], counts.sources()),
        Table("days", [Column("date", "Day", "day"), _TYPE, *_RATE], counts.days()),
    ]
    bars = count_by_day(counts.days(), date_of(start_ms), date_of(end_ms - DAY_MS))
    values = {
        "series": _series(bars) if counts.decisions else None,
        "missing": missing,
        "days": days,
        "decisions": counts.decisions,
        "with_outcome": counts.with_outcome,
        "cost": await in_thread(_cost_or_none, visit, counts.decisions, (start_ms, end_ms)),
    }
    return Page("performance.html.j2", "Performance", values, tables)


def _cost_or_none(visit: Visit, decisions: int, span: tuple[int, int]) -> dict[str, Any] | None:
    """The cost of a month; None where there are no templates to estimate it from."""
    try:
        return estimated_cost(visit, decisions, span)
    except InvalidInput:
        return None


def estimated_cost(visit: Visit, decisions: int, span: tuple[int, int]) -> dict[str, Any]:
    """The cost of a month on AWS at the pace of a range of time; `InvalidInput` without synthesized templates."""
    report = {
        "agent_id": visit.agent_id,
        "time_range": [to_iso(one) for one in span],
        "totals": {"decisions": decisions},
    }
    return cost_of_a_month(report, visit.source.templates)


def counts_of_last_days(visit: Visit, days: int) -> tuple[PerformanceCounts, list[dict[str, Any]], tuple[int, int]]:
    """The counts of UTC days up to that of the page; what could not be read; and the range in milliseconds."""
    end_ms = ((visit.as_of_ms or visit.source.clock.now_ms()) // DAY_MS + 1) * DAY_MS
    start_ms, missing = max(0, end_ms - days * DAY_MS), Missing()
    if visit.as_of is None:
        counts = decisions_of(visit.source.log(visit.agent_id)).performance((to_iso(start_ms), to_iso(end_ms)), missing)
    else:
        # The counts that the nightly job has stored are those of outcomes as they are now.
        counts = PerformanceCounts()
        for one in known_decisions(visit, start_ms, visit.as_of, missing):
            counts.add(one)
    return counts, missing.as_dicts(), (start_ms, end_ms)


def _series(counts: BarCounts) -> dict[str, Any]:
    """The bars of the report, for the plot."""
    return {
        "kind": "bars",
        "label": bars_text(counts),
        "days": counts.days_per_bar,
        "times": [f"{day}T00:00:00Z" for day in counts.first_days],
        "series": [{"label": name, "values": list(column)} for name, column in counts.by_type.items()],
    }
