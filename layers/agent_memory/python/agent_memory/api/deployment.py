"""The deployment that a function serves: its stores, and each agent's log and memory on them."""

from functools import lru_cache, partial

from agent_memory.api.settings import FunctionSettings
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.decisions.log import DecisionLog
from agent_memory.ports.stores import Stores

_KEPT = 1024


class Deployment:
    """What the routes work on. `write_shards` (1 to 32) is how many partitions new decisions are spread over.

    Its methods raise `InvalidInput` where the agent's id cannot be used.
    """

    def __init__(self, stores: Stores, *, write_shards: int = 1, clock: Clock | None = None) -> None:
        self._stores = stores
        self._clock = clock or SystemClock()
        opened = partial(DecisionLog, stores=stores, clock=self._clock, write_shards=write_shards)
        self._logs = lru_cache(maxsize=_KEPT)(opened)
        remembering = partial(MemoryManager, stores=stores, clock=self._clock)
        self._memories = lru_cache(maxsize=_KEPT)(remembering)

    def decision_log(self, agent_id: str) -> DecisionLog:
        """An agent's decision log; kept, because it remembers what it has registered."""
        return self._logs(agent_id)

    def memory(self, agent_id: str, *, writer: str | None = None, principal: str | None = None) -> MemoryManager:
        """An agent's memory and state; the routes use its blocking parts. See `MemoryManager` for who writes.

        Kept, because it counts what the cache answers, and an agent's queries while the cache is away.
        """
        return self._memories(agent_id, writer=writer, principal=principal)


@lru_cache(maxsize=1)
def deployment() -> Deployment:
    """The deployment that the environment names, opened at the first request and kept.

    Raises:
        BadEnvironment: names the variable.
    """
    settings = FunctionSettings.from_environment()
    return Deployment(settings.open_stores(), write_shards=settings.write_shards)
