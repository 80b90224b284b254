"""The deployment that a function serves: its stores, and each agent's log and memory on them."""

from functools import lru_cache, partial

from agent_memory.api.settings import FunctionSettings
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.agent_memory import AgentMemory
from agent_memory.ports.stores import Stores

_MAX_AGENTS = 1024


class Deployment:
    """What the routes work on. `write_shards` (1 to 32) is how many partitions new decisions are spread over.

    Attributes:
        decision_log: an agent's decision log by its id; kept, because it remembers what it has registered.
        memory: an agent's memory and state, by its id and by who writes; kept, because it counts what the cache
            answers, and an agent's queries while the cache is away.
    """

    def __init__(self, stores: Stores, *, write_shards: int = 1, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        log = partial(DecisionLog, stores=stores, clock=clock, write_shards=write_shards)
        self.decision_log = lru_cache(maxsize=_MAX_AGENTS)(log)
        self.memory = lru_cache(maxsize=_MAX_AGENTS)(partial(AgentMemory, stores=stores, clock=clock))


@lru_cache(maxsize=1)
def deployment() -> Deployment:
    """The deployment that the environment names, opened at the first request and kept.

    Raises:
        BadEnvironment: names the variable.
    """
    settings = FunctionSettings.from_environment()
    return Deployment(settings.open_stores(), write_shards=settings.write_shards)
