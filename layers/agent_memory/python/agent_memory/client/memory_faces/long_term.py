"""Long-term memory: what an agent has learned."""

import asyncio
from typing import Any

from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.memory.long_term import LongTermMemory, consolidate_value
from agent_memory.memory.reader import MemoryReader
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.memories import MemoryType


class LongTermFace:
    """Long-term memory of one agent."""

    long_term: LongTermMemory
    reading: MemoryReader
    short_term: ShortTermMemory

    async def store_ltm(
        self,
        memory_type: str,
        pattern_id: str,
        data: Document,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Store a memory, or its next version where it has changed; returns it as stored.

        `data["confidence"]`, 0 to 1, orders memories of a type; without one it is 0. `reason` is kept with the version.
        With `expected_version` (0: none yet) the change is made to that version or not at all.

        Raises:
            InvalidInput: names the field. Conflict: the memory is at another version than was expected.
            Unavailable: the table did not answer.
        """
        put = self.long_term.put
        stored = await asyncio.to_thread(
            put, memory_type, pattern_id, data, reason=reason, expected_version=expected_version
        )
        return stored.as_dict()

    async def retrieve_ltm(
        self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter, most confident first; with `as_of`, as they were known then.

        Those of the agent's pools stand among its own; `agent_id` tells whose each is. `filters` holds fields of the
        data with their values, and `min_confidence` where wanted.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        found = await asyncio.to_thread(self.reading.find, memory_type, filters, as_of=as_of)
        return [memory.as_dict() for memory in found]

    async def get_pattern_memory(
        self, pattern_type: str = MemoryType.PATTERN, min_confidence: float = 0.7, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type from a confidence (0 to 1) on, most confident first; see `retrieve_ltm`."""
        return await self.retrieve_ltm(pattern_type, {"min_confidence": min_confidence}, as_of=as_of)

    async def update_ltm_confidence(
        self,
        pattern_id: str,
        new_confidence: float,
        *,
        memory_type: str = MemoryType.PATTERN,
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Store the next version of a memory with another confidence (0 to 1); returns it as stored.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory. Unavailable: the table did not answer.
        """
        change = self.long_term.set_confidence
        return (await asyncio.to_thread(change, memory_type, pattern_id, new_confidence, reason=reason)).as_dict()

    async def get_ltm_history(self, memory_type: str, pattern_id: str) -> list[dict[str, Any]]:
        """Every change of a memory, oldest first: `version`, `at`, `changed_by`, `reason`, `removed` and `changes`.

        `changes` tells each field `before` and `after`. A memory that never was has no history.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        return await asyncio.to_thread(self.long_term.changes, memory_type, pattern_id)

    async def consolidate_to_ltm(self, stm_key: str, pattern_type: str = MemoryType.PATTERN) -> dict[str, Any]:
        """Keep what lies under a key of short-term memory as a long-term memory; returns it as stored.

        Its id is its own `pattern_id`, or the key. Doing it again changes nothing while the value is the same.

        Raises:
            InvalidInput: an unusable key or type, or the value is no JSON object. NotFound: it has vanished.
            Unavailable: cache or table did not answer.
        """
        return (
            await asyncio.to_thread(consolidate_value, self.short_term, self.long_term, stm_key, pattern_type)
        ).as_dict()
