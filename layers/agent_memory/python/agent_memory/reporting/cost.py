"""The cost section of a report: what a month of the agent's own decisions costs on synthesized templates."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent_memory.pricing import Workload, agent_every_ten_minutes, monthly_cost, read_deployment

_SECONDS_PER_DAY = 86_400


def cost_of_a_month(report: Mapping[str, Any], templates: Path) -> dict[str, Any]:
    """Estimate the cost of a deployment with this agent alone, at the decisions per day of its report.

    Args:
        report: as `MemoryAnalytics.generate_performance_report` returns it.
        templates: folder of the synthesized stacks.

    Raises:
        InvalidInput: there are no templates in the folder.
    """
    return monthly_cost(workload_of(report), read_deployment(templates)).as_dict()


def workload_of(report: Mapping[str, Any]) -> Workload:
    """The workload of the agent that a report is about; reads, which nothing counts, are those of the design."""
    start, end = (datetime.fromisoformat(time) for time in report["time_range"])
    days = max(1.0, (end - start).total_seconds() / _SECONDS_PER_DAY)
    per_day = report["totals"]["decisions"] / days
    design = agent_every_ten_minutes()
    scenario = f"{report['agent_id']} alone, {per_day:,.0f} decisions per day, {design.reads:,.0f} reads per month"
    return replace(design, scenario=scenario, decisions_per_day=per_day)
