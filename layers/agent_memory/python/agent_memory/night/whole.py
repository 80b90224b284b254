"""A whole night in one process: what the state machine does with a function for each step."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from agent_memory.access_counts import flush_access_counts
from agent_memory.errors import InvalidInput
from agent_memory.keys import check_agent_id
from agent_memory.night.archival import archive_due_days
from agent_memory.night.consolidation import consolidate
from agent_memory.night.pruning import prune
from agent_memory.night.summary import summarize_night
from agent_memory.short_term import ShortTermMemory
from agent_memory.stores.connections import Stores

AGENTS_AT_ONCE = 8


def run_night(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """One agent's night of a UTC day, step after step: learn, count reads, forget, archive, report.

    Each step is idempotent: a night that was cut short anywhere is run again, and ends as if it had not been.

    Returns:
        `agent_id`, `date`, and the figures of `consolidation`, `pruning`, `archival` and `analytics`.

    Raises:
        InvalidInput: there is no bucket. Unavailable: a store did not answer.
    """
    if stores.blobs is None or stores.archive is None:
        raise InvalidInput("archive_bucket", "a night needs the archive's bucket")
    memories, blobs = stores.memories, stores.blobs
    learned = consolidate(
        agent_id, day, decisions=stores.decisions, memories=memories, states=stores.states, blobs=blobs
    )
    short_term = ShortTermMemory(agent_id, stores.short_term)
    accesses = flush_access_counts(agent_id, day, short_term=short_term, memories=memories)
    pruned = prune(agent_id, day, memories=memories, blobs=blobs)
    archived = archive_due_days(agent_id, day, decisions=stores.decisions, states=stores.states, archive=stores.archive)
    return {
        "agent_id": agent_id,
        "date": day.isoformat(),
        "consolidation": learned,
        "pruning": pruned | {"accesses": accesses},
        "archival": archived,
        "analytics": summarize_night(agent_id, day, memories=memories, blobs=blobs),
    }


def run_nights(agents: Sequence[str] | None, day: date, stores: Stores) -> list[dict[str, Any]]:
    """The night of several agents, or of all that are registered, a few at a time.

    One that fails stops no other: its entry holds `error` instead of figures.

    Raises:
        InvalidInput: an id that is none. Unavailable: the agents cannot be listed.
    """
    named = [check_agent_id(agent) for agent in (stores.states.agents() if agents is None else agents)]

    def of_one(agent_id: str) -> dict[str, Any]:
        try:
            return run_night(agent_id, day, stores)
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return {"agent_id": agent_id, "date": day.isoformat(), "error": told}

    with ThreadPoolExecutor(AGENTS_AT_ONCE) as pool:
        return list(pool.map(of_one, named))
