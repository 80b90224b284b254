"""The cost of a month on AWS at the agent's own pace, as `agent-memory report --templates` estimates it."""

from typing import Any

from agent_memory.cli.console.pages.overview import DAYS, counts_of_last_days, estimated_cost
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.errors import InvalidInput

_COLUMNS = columns(
    """
    service      text   Service
    usage        text   Usage
    monthly_usd  money  $ per month
    """
)


async def cost_page(visit: Visit) -> Page:  # noqa: ARG001  as every page
    """The page about cost, whose part is the estimate."""
    return Page("cost.html.j2", "Cost")


async def estimate_page(visit: Visit) -> Page:
    """The estimate, a part of the page: it counts the decisions of a month."""
    cost, problem = None, None
    try:
        cost = await in_thread(_cost, visit)
    except InvalidInput as error:
        problem = str(error)
    tables = [Table("cost", _COLUMNS, cost["lines"] if cost else [], empty="No estimate.")]
    values = {"cost": cost, "problem": problem, "days": DAYS, "templates": str(visit.source.templates)}
    return Page("estimate.html.j2", "Cost", values, tables)


def _cost(visit: Visit) -> dict[str, Any]:
    counts, _, span = counts_of_last_days(visit, DAYS)
    return estimated_cost(visit, counts.decisions, span)
