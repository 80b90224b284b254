"""The performance report: read from the tables and the archive, written as a page."""

import asyncio
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from agent_memory import DecisionLogger, DecisionType, MemoryAnalytics, MemoryManager, MemoryType
from agent_memory.core.clock import DAY_MS, parse_instant, to_iso
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.experiment_results import experiment_results
from agent_memory.ports.stores import Stores
from agent_memory.reporting import render_report
from trading_agents.demo.errors import DemoError
from trading_agents.market_hunter.uplift import selection_uplift

LEARNED_DAYS = 20
"""After so many nightly jobs memory is expected to take part in decisions."""


def performance_report(stores: Stores, agent_id: str) -> dict[str, Any]:
    """The agent's performance report, computed from the stores.

    Args:
        stores: the stores with the agent's data.
        agent_id: the agent.

    Raises:
        Unavailable: a store did not respond.
    """
    memory = MemoryManager(agent_id, stores=stores)
    analytics = MemoryAnalytics(DecisionLogger(agent_id, memory_manager=memory), memory)
    report = asyncio.run(analytics.generate_performance_report())
    experiments = stores.memories.by_confidence(agent_id, MemoryType.EXPERIMENT)
    return {**report, "influence": _influence(stores, agent_id), "experiments": experiment_results(experiments)}


def _influence(stores: Stores, agent_id: str) -> dict[str, Any]:
    """What memory did to the hunter's selections, over all time and after the first nightly jobs."""
    log = DecisionLog(agent_id, stores, stores.clock)
    decisions = [
        one.as_dict()
        for decision_type in (DecisionType.SOURCE_SELECTION, DecisionType.SIGNAL_GENERATION)
        for one in log.stream(DecisionFilter(decision_type), newest_first=False)
    ]
    first = min((one["timestamp"] for one in decisions), default=None)
    later_from = to_iso(parse_instant(first) + LEARNED_DAYS * DAY_MS) if first else ""
    later = selection_uplift(one for one in decisions if one["timestamp"] >= later_from)
    return {
        **selection_uplift(decisions).as_dict(),
        "learned_days": LEARNED_DAYS,
        "influenced_share_later": later.influenced_share,
    }


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
