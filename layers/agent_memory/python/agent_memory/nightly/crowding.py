"""Which memories several agents acted on at once on a day: from their evidence, after all their nightly jobs."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, Span, day_start_ms
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import crowding_key
from agent_memory.learning.crowding import Act, Crowding, crowding_of, shared_candidates
from agent_memory.model.memories import MemoryType
from agent_memory.ports.stores import Stores

MAX_REPORTED = 1_000
"""Memories in the report of a day, those that the most agents acted on."""


def crowding_on(day: date, agents: Sequence[str], stores: Stores) -> list[Crowding]:
    """The memories on which several of these agents acted within an hour of a UTC day, most agents first.

    It is read from the evidence, which has a day once the nightly job has learned from it.

    Raises:
        InvalidInput: there is no bucket. Unavailable: a store did not respond.
    """
    evidence, span = stores.bucket().evidence, Span(day_start_ms(day), day_start_ms(day) + DAY_MS)

    def acts_of(agent_id: str) -> list[Act]:
        return [Act(agent_id, row) for row in evidence.read(agent_id, span)]

    acts = [act for found in map_concurrently(acts_of, sorted(set(agents))) for act in found]
    candidates = shared_candidates(acts)
    keys = [(agent, str(kind), name) for agent, names in candidates.items() for name in names for kind in MemoryType]
    own: dict[str, set[str]] = {}
    for memory in stores.memories.get_many(keys) if keys else ():
        own.setdefault(memory.agent_id, set()).add(memory.pattern_id)
    return crowding_of(acts, own)


def report_crowding(day: date, agents: Sequence[str], stores: Stores) -> dict[str, Any]:
    """Write the crowding of a day to S3 and return its figures; writing it again replaces it.

    Returns:
        `date`, the number of `agents`, how many memories several of them acted on at once as `shared`, and the
        `crowded` ones.

    Raises:
        InvalidInput: there is no bucket. Unavailable: a store did not respond.
    """
    found = crowding_on(day, agents, stores)
    memories = [one.as_dict() for one in found[:MAX_REPORTED]]
    report = {"date": day.isoformat(), "agents": len(set(agents)), "shared": len(found), "memories": memories}
    stores.bucket().blobs.write(crowding_key(day), canonical_json(report).encode())
    crowded = [one.as_dict() for one in found if one.is_crowded]
    return {"date": day.isoformat(), "agents": report["agents"], "shared": len(found), "crowded": crowded}


def agents_of_run(key: str, stores: Stores) -> list[str]:
    """The agents of a nightly run, from the key of their list."""
    body = stores.bucket().blobs.read(key)
    if body is None:
        return []
    return [one["agent_id"] for one in json.loads(body)]
