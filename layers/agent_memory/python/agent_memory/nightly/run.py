"""Runs the nightly job in one process; on AWS a state machine runs the same steps, one function each."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from agent_memory.core.clock import check_day_has_ended
from agent_memory.core.ids import check_agent_id
from agent_memory.memory.access_counts import flush_access_counts
from agent_memory.memory.learning_controls import read_controls
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.crowding import report_crowding
from agent_memory.nightly.days import LearnedDays
from agent_memory.nightly.pruning import prune
from agent_memory.nightly.rollups import roll_up_days
from agent_memory.nightly.summary import summarize_day
from agent_memory.ports.stores import Stores

CONCURRENT_AGENTS = 8


def run_nightly_job(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Run one agent's job for a UTC day, step by step: learn, count reads, prune, archive, report.

    Each step is idempotent: a job that was interrupted anywhere is run again, with the same result as without the
    interruption. The jobs of days that were missed are run first, so that the result is the same as if each had run in
    its turn. The job of a day before the last one changes nothing that the last one has left.

    Returns:
        `agent_id`, `date`, `missed_days` that were made up for, and the figures of the day's own `consolidation`,
        `pruning`, `archival` and `analytics`.

    Raises:
        InvalidInput: the day has not ended, or there is no bucket. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    days = LearnedDays(agent_id, stores)
    is_paused = read_controls(stores.states, agent_id).paused is not None
    due = [] if is_paused else days.due(day, days.progress())
    *missed, _ = due or [day]
    for one in missed:
        _run_steps(agent_id, one, stores)
    return {
        "agent_id": agent_id,
        "date": day.isoformat(),
        "missed_days": len(missed),
        **_run_steps(agent_id, day, stores),
    }


def _run_steps(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    consolidation = consolidate(agent_id, day, stores)
    accesses = flush_access_counts(agent_id, day, stores)
    pruning = prune(agent_id, day, stores)
    archival = archive_due_days(agent_id, day, stores)
    rollups = roll_up_days(agent_id, day, stores)
    return {
        "consolidation": consolidation,
        "pruning": pruning | {"accesses": accesses},
        "archival": archival | {"rollups": rollups},
        "analytics": summarize_day(agent_id, day, stores),
    }


def run_nightly_jobs(agents: Sequence[str] | None, day: date, stores: Stores) -> list[dict[str, Any]]:
    """Run the jobs of several agents, or of all registered ones, a few at a time.

    A job that fails does not stop the others: its entry has `error` instead of figures. If none fails, what the agents
    have in common is reported after them (`nightly.crowding`).

    Raises:
        InvalidInput: the day has not ended, or an agent id is not valid. Unavailable: the agents cannot be listed.
    """
    agent_ids = [check_agent_id(agent) for agent in (stores.states.agents() if agents is None else agents)]
    check_day_has_ended(day, stores.clock)

    def run(agent_id: str) -> dict[str, Any]:
        try:
            return run_nightly_job(agent_id, day, stores)
        except Exception as error:  # of one agent; its entry names it, and the others go on
            message = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return {"agent_id": agent_id, "date": day.isoformat(), "error": message}

    with ThreadPoolExecutor(CONCURRENT_AGENTS) as pool:
        entries = list(pool.map(run, agent_ids))
    if agent_ids and not any("error" in one for one in entries):
        report_crowding(day, agent_ids, stores)
    if stores.expiry is not None:
        stores.expiry.remove_expired()
    return entries
