"""What the nightly job found about the agents that share memories of one agent or pool."""

import json
from typing import Any

from agent_memory.core.clock import parse_date
from agent_memory.core.keys import crowding_key
from agent_memory.model.listings import parsed
from agent_memory.model.memories import MemoryType
from agent_memory.ports.stores import Stores


def crowding_report(agent_id: str, day: str, stores: Stores) -> dict[str, Any]:
    """The memories of an agent, or of a pool, on which several agents acted within an hour of a UTC day.

    Args:
        agent_id: the agent or pool whose memories they are.
        day: the day, as `2026-11-20`.
        stores: of the deployment.

    Returns:
        `date`; `measured`, whether the nightly job of that day has come to it, else nothing is known; and `memories`,
        those with the most agents first: `memory_id`, the number of `agents`, of `decisions`, `start` and `end` of
        these, how `alike` the agents decided and `alike_otherwise`, from 0 to 1, and whether it is `crowded`.

    Raises:
        InvalidInput: names the argument, or there is no bucket. Damaged: what the job wrote cannot be read.
        Unavailable: a store did not respond.
    """
    of_day = parse_date(day)
    body = stores.bucket().blobs.read(crowding_key(of_day))
    found = parsed(crowding_key(of_day), _memories, body) if body is not None else []
    keys = [(agent_id, str(kind), one["memory_id"]) for one in found for kind in MemoryType]
    own = {memory.pattern_id for memory in stores.memories.get_many(keys)} if keys else set()
    return {
        "date": of_day.isoformat(),
        "measured": body is not None,
        "memories": [one for one in found if one["memory_id"] in own],
    }


def _memories(body: bytes) -> list[dict[str, Any]]:
    found = json.loads(body)["memories"]
    if not isinstance(found, list) or not all(isinstance(one["memory_id"], str) for one in found):
        raise TypeError("its memories are not a list of memories")
    return found
