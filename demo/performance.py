"""The performance report: read from the tables and the archive, written as a page."""

import asyncio
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.ports.stores import Stores
from agent_memory.reporting import render_report
from demo.cost import cost_of_a_month
from demo.errors import DemoError


def performance_report(stores: Stores, agent_id: str, assembly: Path) -> dict[str, Any]:
    """The agent's performance report, computed from the stores, with the estimated cost of a month.

    Args:
        stores: the stores with the agent's data.
        agent_id: the agent.
        assembly: folder of the synthesized stacks, from which the cost is estimated.

    Raises:
        Unavailable: a store did not respond.
    """
    memory = MemoryManager(agent_id, stores=stores)
    analytics = MemoryAnalytics(DecisionLogger(agent_id, memory_manager=memory), memory)
    report = asyncio.run(analytics.generate_performance_report())
    return {**report, "cost": cost_of_a_month(assembly)}


def check_writable(path: Path) -> None:
    """Check that a file can be written, without writing it.

    Raises:
        DemoError: it cannot.
    """
    try:
        if path.exists():
            path.open("ab").close()
        else:
            TemporaryFile(dir=path.absolute().parent).close()  # whether it can be created is all
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_html(report: dict[str, Any], path: Path) -> None:
    """Write the report as one self-contained page.

    Raises:
        DemoError: the file cannot be written.
    """
    try:
        path.write_text(render_report(report), encoding="utf-8")
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> DemoError:
    return DemoError(f"cannot write {path}: {error.strerror}; name another file with --output")
