"""The stores of a deployment, and the log and memory of each agent."""

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from agent_memory.api.settings import FunctionSettings
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.listings import MAX_RESPONSE_BYTES
from agent_memory.ports.stores import Stores

if TYPE_CHECKING:
    from agent_memory.memory.agent_memory import AgentMemory

_MAX_AGENTS = 1024


class Deployment:
    """The logs and memories that routes use. New decisions are distributed over `write_shards` (1 to 32) partitions.

    Attributes:
        decision_log: returns the decision log of an agent; cached, because a log remembers its registered types.
        memory: returns the memory and state of an agent for a writer and a principal; cached, because a memory counts
            the results of the cache, and an agent's queries while the cache is unavailable.
    """

    def __init__(self, stores: Stores, *, write_shards: int = 1, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        common: dict[str, Any] = {"stores": stores, "clock": clock, "max_answer_bytes": MAX_RESPONSE_BYTES}
        self.decision_log = lru_cache(maxsize=_MAX_AGENTS)(partial(DecisionLog, write_shards=write_shards, **common))
        self.memory = lru_cache(maxsize=_MAX_AGENTS)(partial(_open_memory, **common))


def _open_memory(agent_id: str, **arguments: Any) -> "AgentMemory":
    from agent_memory.memory.agent_memory import AgentMemory  # noqa: PLC0415  takes a while, and logging needs none

    return AgentMemory(agent_id, **arguments)


@lru_cache(maxsize=1)
def deployment() -> Deployment:
    """The deployment that the environment describes; opened with the first request and cached.

    Raises:
        BadEnvironment: names the variable.
    """
    settings = FunctionSettings.from_environment()
    return Deployment(settings.open_stores(), write_shards=settings.write_shards)
