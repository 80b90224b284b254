"""Reading long-term memory: an agent's own and the pools it is given, as one."""

from collections.abc import Sequence

from agent_memory.core.clock import Instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.json_values import Document
from agent_memory.memory.access_counts import AccessCounts
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import Memory


class MemoryReader:
    """Reads several namespaces side by side and counts what is read. Every method blocks."""

    def __init__(self, namespaces: Sequence[LongTermMemory], accesses: AccessCounts) -> None:
        self._namespaces = namespaces
        self._accesses = accesses

    def find(self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None) -> list[Memory]:
        """Memories that meet every filter, most confident first, of equal ones the agent's own; see `LongTermMemory`.

        A look back by `as_of` is no access.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        found = map_concurrently(lambda one: one.find(memory_type, filters, as_of=as_of), self._namespaces)
        memories = sorted(
            (memory for of_one in found for memory in of_one), key=lambda one: one.confidence, reverse=True
        )
        if as_of is None:
            self._accesses.record(memories)
        return memories

    def count_accesses(self, memories: Sequence[Memory]) -> None:
        """Count that these memories were handed out."""
        self._accesses.record(memories)

    def list_all(self, memory_type: str) -> list[Memory]:
        """All memories of a type; nothing is counted."""
        found = map_concurrently(lambda one: one.find(memory_type), self._namespaces)
        return [memory for of_one in found for memory in of_one]
