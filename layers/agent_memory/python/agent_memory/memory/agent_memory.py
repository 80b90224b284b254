"""Combines the parts of one agent's memory over the stores of a deployment. Every method of the parts blocks."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from agent_memory.core import ids
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.keys import history_sk
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import TimeRange
from agent_memory.memory.access_counts import AccessCounts
from agent_memory.memory.agent_state import AgentStates
from agent_memory.memory.crowding import crowding_report
from agent_memory.memory.cycle_memory import CycleMemory
from agent_memory.memory.hierarchy import Hierarchy
from agent_memory.memory.influence import Influence, influence_of
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.memory.pattern_figures import confidence_trend, pattern_rows
from agent_memory.memory.quarantines import Quarantines
from agent_memory.memory.reader import MemoryReader
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.memory.similar import SimilarDecisions
from agent_memory.model.listings import MAX_ANSWER_BYTES, Listing, Unreadable, fitting_rows
from agent_memory.model.memories import MemoryType
from agent_memory.ports.stores import Stores

if TYPE_CHECKING:
    from agent_memory.memory.advice import MemoryAdvice
    from agent_memory.memory.recall import MemoryRecall


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
        self.writer, self.principal = writer, principal
        self.stores = stores
        self.clock = clock or SystemClock()
        common: dict[str, Any] = {"clock": self.clock, "writer": writer, "principal": principal}
        common |= {"store": stores.memories, "embedder": stores.embedder}
        memory_of: Callable[[str], LongTermMemory] = partial(LongTermMemory, **common)
        self.long_term = memory_of(agent_id)
        self.short_term = ShortTermMemory(agent_id, stores.short_term)
        namespaces = [self.long_term, *[memory_of(one) for one in self.pools if one != agent_id]]
        self.max_answer_bytes = max_answer_bytes
        self.reader = MemoryReader(namespaces, AccessCounts(self.short_term, self.clock), max_answer_bytes)
        self._namespaces = namespaces
        self.cycles = CycleMemory(self.short_term, self.clock)
        self.states = AgentStates(agent_id, stores.states, self.clock, self.short_term, max_answer_bytes)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """The combined view of all levels of memory."""
        return Hierarchy(self._log, self.short_term, self.clock)

    @cached_property
    def advice(self) -> "MemoryAdvice":
        """What to expect of each option of a choice."""
        from agent_memory.memory.advice import MemoryAdvice  # noqa: PLC0415  takes a while, and few callers need it

        return MemoryAdvice(self._namespaces, self.reader, self._log, self.stores.states)

    @cached_property
    def recall(self) -> "MemoryRecall":
        """The ranking of memories and decisions."""
        from agent_memory.memory.recall import MemoryRecall  # noqa: PLC0415  as above

        return MemoryRecall(self.reader, self._log, self.stores, self.clock)

    @cached_property
    def similar(self) -> SimilarDecisions:
        """Earlier decisions in a like context."""
        return SimilarDecisions(self._log, self.clock)

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

    def pattern_figures(self, *, status: str | None = None, min_occurrences: int = 0) -> Listing[dict[str, Any]]:
        """The agent's own patterns, see `memory.pattern_figures`; these reads are not counted."""
        unreadable: list[Unreadable] = []
        patterns = self.long_term.find(MemoryType.PATTERN, on_unreadable=unreadable.append)
        return self._truncated(
            pattern_rows(patterns, status=status, min_occurrences=min_occurrences),
            unreadable,
            id_of=itemgetter("pattern_id"),
        )

    def confidence_trend(self, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every version of a pattern; see `memory.pattern_figures`."""
        unreadable: list[Unreadable] = []
        versions = self.long_term.history(MemoryType.PATTERN, pattern_id, on_unreadable=unreadable.append)
        return self._truncated(
            confidence_trend(versions), unreadable, id_of=lambda row: history_sk(pattern_id, row["version"])
        )

    def _truncated(
        self, rows: list[dict[str, Any]], unreadable: Sequence[Unreadable], *, id_of: Callable[[dict[str, Any]], str]
    ) -> Listing[dict[str, Any]]:
        return fitting_rows(rows, unreadable, id_of=id_of, max_bytes=self.max_answer_bytes)

    @cached_property
    def quarantines(self) -> Quarantines:
        """The quarantine of the agent's memories."""
        return Quarantines(self.agent_id, self.stores, self.clock, by=self.writer, principal=self.principal)

    def influence(self, memory_id: str, time_range: TimeRange | None = None) -> Influence:
        """What rested on a memory; see `memory.influence.influence_of`."""
        return influence_of(memory_id, self._log, self.stores, time_range=time_range)

    def crowding(self, day: str) -> dict[str, Any]:
        """How many agents acted on each of the agent's memories at once; see `memory.crowding.crowding_report`."""
        return crowding_report(self.agent_id, day, self.stores)

    @cached_property
    def _log(self) -> DecisionLog:
        return DecisionLog(self.agent_id, self.stores, self.clock, max_answer_bytes=self.max_answer_bytes)
