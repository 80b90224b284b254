"""The performance report: read from the tables and the archive, written as a page."""

import asyncio
from pathlib import Path
from typing import Any

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.ports.stores import Stores
from agent_memory.reporting import render_report
from agent_memory.reporting.analytics import MemoryAnalytics
from demo.cost import cost_of_a_month
from demo.errors import DemoError


def performance_report(stores: Stores, agent_id: str, assembly: Path) -> dict[str, Any]:
    """The agent's performance report, computed from the stores, with the estimated cost of a month.

    Args:
        stores: the stores with the agent's data.
        agent_id: the agent.
        assembly: folder of the synthesized stacks, from which the cost is estimated.

    Raises:
        Unavailable: a store did not answer.
    """
    memory = MemoryManager(agent_id, stores=stores)
    analytics = MemoryAnalytics(DecisionLogger(agent_id, memory_manager=memory), memory)
    report = asyncio.run(analytics.generate_performance_report())
    return {**report, "cost": cost_of_a_month(assembly)}


def write_html(report: dict[str, Any], path: Path) -> None:
    """Write the report as one self-contained page.

    Raises:
        DemoError: the file cannot be written.
    """
    try:
        path.write_text(render_report(report), encoding="utf-8")
    except OSError as error:
        raise DemoError(f"cannot write {path}: {error.strerror}") from error
