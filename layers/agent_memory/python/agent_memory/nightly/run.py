"""A whole night in one process: what the state machine does with a function for each step."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from agent_memory.core.names import check_agent_id
from agent_memory.memory.access_counts import flush_access_counts
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.pruning import prune
from agent_memory.nightly.summary import summarize_day
from agent_memory.ports.stores import Stores

AGENTS_AT_ONCE = 8


def run_nightly_job(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """One agent's night of a UTC day, step after step: learn, count reads, forget, archive, report.

    Each step is idempotent: a night that was cut short anywhere is run again, and ends as if it had not been.

    Returns:
        `agent_id`, `date`, and the figures of `consolidation`, `pruning`, `archival` and `analytics`.

    Raises:
        InvalidInput: there is no bucket. Unavailable: a store did not answer.
    """
    learned = consolidate(agent_id, day, stores)
    accesses = flush_access_counts(agent_id, day, stores)
    pruned = prune(agent_id, day, stores)
    archived = archive_due_days(agent_id, day, stores)
    return {
        "agent_id": agent_id,
        "date": day.isoformat(),
        "consolidation": learned,
        "pruning": pruned | {"accesses": accesses},
        "archival": archived,
        "analytics": summarize_day(agent_id, day, stores),
    }


def run_nightly_jobs(agents: Sequence[str] | None, day: date, stores: Stores) -> list[dict[str, Any]]:
    """The night of several agents, or of all that are registered, a few at a time.

    One that fails stops no other: its entry holds `error` instead of figures.

    Raises:
        InvalidInput: an id that is none. Unavailable: the agents cannot be listed.
    """
    named = [check_agent_id(agent) for agent in (stores.states.agents() if agents is None else agents)]

    def of_one(agent_id: str) -> dict[str, Any]:
        try:
            return run_nightly_job(agent_id, day, stores)
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return {"agent_id": agent_id, "date": day.isoformat(), "error": told}

    with ThreadPoolExecutor(AGENTS_AT_ONCE) as pool:
        return list(pool.map(of_one, named))
