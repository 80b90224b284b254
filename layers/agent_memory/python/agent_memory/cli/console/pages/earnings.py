"""What the memories that decisions named earned or cost."""

from typing import Any

from agent_memory.cli.console.pages.decisions import known_decisions
from agent_memory.cli.console.pages.overview import DAYS
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import DAY_MS
from agent_memory.memory.earnings import earnings_of
from agent_memory.reporting.records import Missing

_COLUMNS = columns(
    """
    memory_id      named_memory  Memory
    decision_type  type          Type
    decisions      number        Decisions
    reward         decimal       Reward in sum
    reward_path    short         Of
    success_rate   rate          Success rate
    otherwise      percent       Without it
    """
)


async def earnings_page(visit: Visit) -> Page:
    """A part of the page about memory: the memories that cost most first. It reads the decisions of a month."""
    days = visit.number("days", DAYS, most=3_650)
    rows, missing = await in_thread(_earnings, visit, days)
    table = Table("earnings", _COLUMNS, rows, empty=f"No decision of the last {days} days names a memory.")
    return Page("earnings.html.j2", "What memories earned", {"days": days, "missing": missing}, [table])


def _earnings(visit: Visit, days: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    end_ms, missing = visit.as_of_ms or visit.source.clock.now_ms(), Missing()
    rows = earnings_of(known_decisions(visit, max(0, end_ms - days * DAY_MS), visit.as_of, missing))
    return rows, missing.as_dicts()
