"""`MemoryManager`: the async face of an agent's short-term and long-term memory."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory.admin.agent_data import AgentData
from agent_memory.client.memory_faces.long_term import LongTermFace
from agent_memory.client.memory_faces.short_term import ShortTermFace
from agent_memory.client.memory_faces.state import StateFace
from agent_memory.core import names
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import Document
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import TimeRange
from agent_memory.memory.access_counts import AccessCounts
from agent_memory.memory.agent_state import AgentStates
from agent_memory.memory.cycle_memory import CycleMemory
from agent_memory.memory.hierarchy import Hierarchy
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.memory.reader import MemoryReader
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.memories import MemoryType
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import open_stores, with_short_term

if TYPE_CHECKING:
    from agent_memory.memory.recall import MemoryRecall


class MemoryManager(ShortTermFace, LongTermFace, StateFace):
    """An agent's hierarchical memory: short term in Redis or Valkey, long term in DynamoDB.

    Give clients (`redis_client`, `dynamodb_client`), or names to open them by (`redis_endpoint` as
    `host:port`, `dynamodb_table_prefix`, `archive_bucket`), or ready `stores`. What is not given is
    opened as the environment says: see `stores.connections.open_stores`. Without any Redis, short-term memory is kept
    in this process.

    `pools` names agents' ids that stand for knowledge held in common, as `shared`: long-term memory is read from the
    agent's own and theirs together, and written to one by `pool("shared")`. `writer` is who makes changes, the agent
    itself unless another is named; `principal` the IAM principal behind it, for the history.
    """

    def __init__(
        self,
        agent_id: str,
        redis_client: Any = None,
        dynamodb_client: Any = None,
        *,
        redis_endpoint: str | None = None,
        dynamodb_table_prefix: str | None = None,
        archive_bucket: str | None = None,
        pools: Sequence[str] = (),
        writer: str | None = None,
        principal: str | None = None,
        stores: Stores | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.agent_id = names.check_agent_id(agent_id)
        self.pools = names.check_pools(pools)
        writer = None if writer is None else names.check_agent_id(writer, "writer")
        self.stores = stores or with_short_term(
            open_stores(
                table_prefix=dynamodb_table_prefix,
                archive_bucket=archive_bucket,
                redis_endpoint=redis_endpoint,
                dynamodb_client=dynamodb_client,
                redis_client=redis_client,
                clock=clock,
            ),
            clock,
        )
        self._clock = clock = clock or SystemClock()
        memory_of = partial(LongTermMemory, store=self.stores.memories, clock=clock, writer=writer, principal=principal)
        self.long_term = memory_of(agent_id)
        self.short_term = ShortTermMemory(agent_id, self.stores.short_term)
        namespaces = [self.long_term, *map(memory_of, self.pools)]
        self.reading = MemoryReader(namespaces, AccessCounts(self.short_term, clock))
        self.cycles = CycleMemory(self.short_term, clock)
        self.states = AgentStates(agent_id, self.stores.states, clock, self.short_term)
        self._log = DecisionLog(agent_id, self.stores, clock)
        self.hierarchy = Hierarchy(self._log, self.short_term, clock)

    @property
    def recollection(self) -> "MemoryRecall":
        """What `recall` ranks with."""
        from agent_memory.memory.recall import MemoryRecall  # noqa: PLC0415  numpy, which few callers need

        return MemoryRecall(self.reading, self._log, self._clock)

    def pool(self, name: str) -> "MemoryManager":
        """The memory of one of the agent's pools; what is written there says that this agent wrote it.

        Raises:
            InvalidInput: it is none of the agent's pools.
        """
        if name not in self.pools:
            raise InvalidInput("name", f"{name!r:.80} is none of the agent's pools: {', '.join(self.pools) or 'none'}")
        return MemoryManager(name, stores=self.stores, clock=self._clock, writer=self.agent_id)

    # --- all levels ----------------------------------------------------------------------------

    async def get_context_memory(
        self,
        time_range: TimeRange | None = None,
        context_filter: Document | None = None,
        *,
        limit: int = 100,
        level: str | None = None,
    ) -> dict[str, Any]:
        """What the agent met in a time and context, newest first, from all levels asked side by side.

        Args:
            time_range: (from, up to and not including), either None for open.
            context_filter: a part of the context; names that it lacks are looked for in its `market`.
            limit: how many entries at most (1 to 1,000).
            level: ask `immediate` (< 1 h), `recent` (1-24 h), `historical` (1-30 days) or `archive` only.

        Returns:
            `entries`, each a decision with its `level`, or the current context of short-term memory; `complete`, false
            where a level did not answer, or waits for a restore from Glacier; `missing`, which and why; `levels`, those
            that were asked; `off`, `short_term` where there is no cache that could know the current context.

        Raises:
            InvalidInput: names the argument. Unavailable: a store is down, and the others had nothing.
        """
        return await asyncio.to_thread(self.hierarchy.contexts, time_range, context_filter, limit=limit, level=level)

    async def recall(
        self,
        query: str = "",
        kind: str | None = None,
        symbol: str | None = None,
        top_k: int = 5,
        explain: bool = False,
        *,
        half_lives: Mapping[str, float] | None = None,
    ) -> list[dict[str, Any]]:
        """What the agent knows about something: long-term memories and the decisions of the last 24 hours, ranked.

        Its pools' memories count as its own. The score is importance × 0.5^(age / half-life) + similarity: a memory's
        importance is its confidence, a decision's its outcome's `quality` (0.5 where that was not measured); similarity
        is BM25 over their words.

        Args:
            query: in words; without it what is important and fresh comes first.
            kind: a type of memory or of decision.
            symbol: of what names one (`symbol` in a memory's data, or in a decision's context or reasoning).
            top_k: how many at most (1 to 1,000).
            explain: add `why`, the parts of each score.
            half_lives: seconds by kind; left out, 30 days for memories and one for decisions.

        Returns:
            Each with `kind`, `score`, and `memory` or `decision`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        rank = partial(self.recollection.recall, query, kind=kind, symbol=symbol, top_k=top_k, explain=explain)
        return await asyncio.to_thread(rank, half_lives=half_lives)

    # --- the whole -----------------------------------------------------------------------------

    async def export(self, path: Path | str, *, memory_types: Iterable[str] = tuple(MemoryType)) -> dict[str, Any]:
        """Write everything that is kept of the agent into a zip file and return a receipt; see `AgentData.export`."""
        data = AgentData(self.agent_id, self.stores, self._clock)
        return await asyncio.to_thread(data.export, Path(path), memory_types)

    async def forget(self, *, dry_run: bool = True) -> dict[str, Any]:
        """Erase everything that is kept of the agent, or only count it, and return a receipt; see `AgentData.forget`.

        Needs permissions on whole tables and all object versions, which no deployed function has.
        """
        data = AgentData(self.agent_id, self.stores, self._clock)
        return await asyncio.to_thread(data.forget, dry_run=dry_run)
