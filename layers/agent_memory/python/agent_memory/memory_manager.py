"""`MemoryManager`: the async face of an agent's short-term and long-term memory."""

import asyncio
from typing import Any

from agent_memory import keys
from agent_memory.clock import Clock, SystemClock
from agent_memory.decision_log import DecisionLog
from agent_memory.decision_queries import TimeRange
from agent_memory.hierarchy import Hierarchy
from agent_memory.memories import LongTermMemory, ShortTermMemory
from agent_memory.models import Document, MemoryType
from agent_memory.retention import CONTEXT_SECONDS
from agent_memory.stores.connections import Stores, open_stores


class MemoryManager:
    """An agent's hierarchical memory: short term in Redis or Valkey, long term in DynamoDB.

    Give clients (`redis_client`, `dynamodb_client`), or names to open them by (`redis_endpoint` as
    `host:port`, `dynamodb_table_prefix`, `archive_bucket`), or ready `stores`. What is not given is
    opened as the environment says: see `stores.connections.open_stores`.
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
        stores: Stores | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.agent_id = keys.check_agent_id(agent_id)
        self.stores = stores or open_stores(
            table_prefix=dynamodb_table_prefix,
            archive_bucket=archive_bucket,
            redis_endpoint=redis_endpoint,
            dynamodb_client=dynamodb_client,
            redis_client=redis_client,
            clock=clock,
        )
        clock = clock or SystemClock()
        self.long_term = LongTermMemory(agent_id, self.stores.memories, clock)
        self.short_term = ShortTermMemory(agent_id, self.stores.short_term)
        self.hierarchy = Hierarchy(DecisionLog(agent_id, self.stores, clock), self.short_term, clock)

    async def store_stm(self, key: str, data: Any, ttl_seconds: int = CONTEXT_SECONDS) -> None:
        """Keep a JSON value under a key for `ttl_seconds` (1 to 86,400).

        Raises:
            InvalidInput: names the argument. Unavailable: the cache did not answer.
        """
        await asyncio.to_thread(self.short_term.put, key, data, ttl_seconds)

    async def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key, or None once it has vanished.

        Raises:
            InvalidInput: an unusable key. Unavailable: the cache did not answer.
        """
        return await asyncio.to_thread(self.short_term.get, key)

    async def store_ltm(self, memory_type: str, pattern_id: str, data: Document) -> dict[str, Any]:
        """Store a memory, or its next version where it has changed; returns it as stored.

        `data["confidence"]`, 0 to 1, orders memories of a type; without one it is 0.

        Raises:
            InvalidInput: names the field. Conflict: another writer came first.
            Unavailable: the table did not answer.
        """
        return (await asyncio.to_thread(self.long_term.put, memory_type, pattern_id, data)).as_dict()

    async def retrieve_ltm(self, memory_type: str, filters: Document | None = None) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter, most confident first.

        `filters` holds fields of the data with their values, and `min_confidence` where wanted.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        return [memory.as_dict() for memory in await asyncio.to_thread(self.long_term.find, memory_type, filters)]

    async def update_ltm_confidence(
        self, pattern_id: str, new_confidence: float, *, memory_type: str = MemoryType.PATTERN
    ) -> dict[str, Any]:
        """Store the next version of a memory with another confidence (0 to 1); returns it as stored.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory. Conflict: another writer came first.
            Unavailable: the table did not answer.
        """
        return (
            await asyncio.to_thread(self.long_term.set_confidence, memory_type, pattern_id, new_confidence)
        ).as_dict()

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
            where a level did not answer; `missing`, which and why; `levels`, those that were asked.

        Raises:
            InvalidInput: names the argument. Unavailable: no level answered.
        """
        return await asyncio.to_thread(self.hierarchy.contexts, time_range, context_filter, limit=limit, level=level)
