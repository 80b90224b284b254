"""Combines the parts of one agent's memory over the stores of a deployment. Every method of the parts blocks."""

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

from agent_memory.core import ids
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.access_counts import AccessCounts
from agent_memory.memory.agent_state import AgentStates
from agent_memory.memory.cycle_memory import CycleMemory
from agent_memory.memory.hierarchy import Hierarchy
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.memory.reader import MemoryReader
from agent_memory.memory.recall import MemoryRecall
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.listings import MAX_ANSWER_BYTES, Listing
from agent_memory.ports.stores import Stores


class AgentMemory:
    """One agent's memory.

    `pools` are agent ids under which several agents share knowledge: long-term memory is read from the agent's own
    memories and those of its pools. `writer` is recorded as the author of changes, by default the agent itself;
    `principal` is recorded as the author's IAM principal. `max_answer_bytes` is the size of a listing as JSON.

    Raises:
        InvalidInput: names the argument.
    """

    def __init__(
        self,
        agent_id: str,
        stores: Stores,
        clock: Clock | None = None,
        *,
        pools: Sequence[str] = (),
        writer: str | None = None,
        principal: str | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.agent_id = ids.check_agent_id(agent_id)
        self.pools = ids.check_pools(pools)
        writer = None if writer is None else ids.check_agent_id(writer, "writer")
        self.stores = stores
        self.clock = clock or SystemClock()
        memory_of = partial(LongTermMemory, store=stores.memories, clock=self.clock, writer=writer, principal=principal)
        self.long_term = memory_of(agent_id)
        self.short_term = ShortTermMemory(agent_id, stores.short_term)
        namespaces = [self.long_term, *map(memory_of, self.pools)]
        self.max_answer_bytes = max_answer_bytes
        self.reader = MemoryReader(namespaces, AccessCounts(self.short_term, self.clock), max_answer_bytes)
        self.cycles = CycleMemory(self.short_term, self.clock)
        self.states = AgentStates(agent_id, stores.states, self.clock, self.short_term, max_answer_bytes)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """The combined view of all levels of memory."""
        return Hierarchy(self._log, self.short_term, self.clock)

    @cached_property
    def recall(self) -> MemoryRecall:
        """The ranking of memories and recent decisions."""
        return MemoryRecall(self.reader, self._log, self.clock)

    def pool(self, name: str) -> "AgentMemory":
        """The memory of one of the agent's pools, in which this agent is recorded as the author of changes.

        Raises:
            InvalidInput: not one of the agent's pools.
        """
        if name not in self.pools:
            pools = ", ".join(self.pools) or "none"
            raise InvalidInput("name", f"{shown(name, 80)} is not one of the agent's pools: {pools}")
        return AgentMemory(name, self.stores, self.clock, writer=self.agent_id, max_answer_bytes=self.max_answer_bytes)

    def changes(self, memory_type: str, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every change of a memory; see `LongTermMemory.changes`."""
        return self.long_term.changes(memory_type, pattern_id, max_answer_bytes=self.max_answer_bytes)

    @cached_property
    def _log(self) -> DecisionLog:
        return DecisionLog(self.agent_id, self.stores, self.clock, max_answer_bytes=self.max_answer_bytes)
