"""Reads the long-term memories of an agent and of its pools together."""

from collections.abc import Sequence
from itertools import chain

from agent_memory.core.clock import Instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.json_values import Document
from agent_memory.memory.access_counts import AccessCounts
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import Memory


class MemoryReader:
    """Reads several namespaces concurrently and counts the reads of memories. Every method blocks."""

    def __init__(self, namespaces: Sequence[LongTermMemory], accesses: AccessCounts) -> None:
        self._namespaces = namespaces
        self._accesses = accesses

    def find(self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None) -> list[Memory]:
        """Memories that match every filter, most confident first, and at equal confidence the agent's own first.

        See `LongTermMemory.find`. Reads with `as_of` are not counted.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        found = map_concurrently(lambda one: one.find(memory_type, filters, as_of=as_of), self._namespaces)
        memories = sorted(chain.from_iterable(found), key=lambda one: one.rank, reverse=True)
        if as_of is None:
            self._accesses.record(memories)
        return memories

    def count_accesses(self, memories: Sequence[Memory]) -> None:
        """Count a read of each of these memories."""
        self._accesses.record(memories)

    def list_all(self, memory_type: str) -> list[Memory]:
        """All memories of a type. The reads are not counted."""
        return list(chain.from_iterable(map_concurrently(lambda one: one.find(memory_type), self._namespaces)))
