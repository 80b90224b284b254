"""Reads the long-term memories of an agent and of its pools together."""

from collections.abc import Sequence
from itertools import chain

from agent_memory.core.clock import Instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.json_values import Document
from agent_memory.memory.access_counts import AccessCounts
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.memory.matching import facts_of, holds_in
from agent_memory.model.listings import Listing, OnUnreadable, Unreadable, fitting
from agent_memory.model.memories import Memory


class MemoryReader:
    """Reads several namespaces concurrently and counts the reads of memories. Every method blocks."""

    def __init__(self, namespaces: Sequence[LongTermMemory], accesses: AccessCounts, max_answer_bytes: int) -> None:
        self._namespaces = namespaces
        self._accesses = accesses
        self._max_answer_bytes = max_answer_bytes

    def find(
        self,
        memory_type: str,
        filters: Document | None = None,
        *,
        as_of: Instant | None = None,
        matches: Document | None = None,
    ) -> Listing[Memory]:
        """Memories that match every filter, most confident first, and at equal confidence the agent's own first.

        With `matches`, a decision's context, only those whose facts hold in it (`memory.matching`). See
        `LongTermMemory.find`. Reads with `as_of` are not counted.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        unreadable: list[Unreadable] = []
        facts = None if matches is None else facts_of(matches, "matches")

        def find(namespace: LongTermMemory) -> list[Memory]:
            found = namespace.find(memory_type, filters, as_of=as_of, on_unreadable=unreadable.append)
            return found if facts is None else [one for one in found if holds_in(one, facts)]

        found = map_concurrently(find, self._namespaces)
        memories = fitting(
            sorted(chain.from_iterable(found), key=lambda one: one.rank, reverse=True),
            as_dict=Memory.as_dict,
            id_of=lambda one: one.pattern_id,
            max_bytes=self._max_answer_bytes,
            missing=[one.as_dict() for one in unreadable],
            read_directly="narrower filters, or over HTTP with MemoryManager",
        )
        if as_of is None:
            self._accesses.record(memories)
        return memories

    def get(self, memory_type: str, pattern_id: str) -> Memory:
        """One of the agent's own memories; see `LongTermMemory.get`. The read is counted."""
        memory = self._namespaces[0].get(memory_type, pattern_id)
        self._accesses.record([memory])
        return memory

    def count_accesses(self, memories: Sequence[Memory]) -> None:
        """Count a read of each of these memories."""
        self._accesses.record(memories)

    @property
    def namespaces(self) -> Sequence[LongTermMemory]:
        """The long-term memory of the agent and of each of its pools."""
        return self._namespaces

    def get_many(self, keys: Sequence[tuple[str, str, str]]) -> list[Memory]:
        """Memories by agent, type and id; reads are not counted."""
        return self._namespaces[0].store.get_many(keys) if keys else []

    def types(self, standard: Sequence[str]) -> list[str]:
        """The standard types, and the own types of which the agent or one of its pools has had memories."""
        own = map_concurrently(LongTermMemory.own_types, self._namespaces)
        return list(dict.fromkeys([*standard, *chain.from_iterable(own)]))

    def list_all(self, memory_type: str, *, as_of: Instant | None = None, on_unreadable: OnUnreadable) -> list[Memory]:
        """All memories of a type, but for those that cannot be read. The reads are not counted."""

        def find(namespace: LongTermMemory) -> list[Memory]:
            return namespace.find(memory_type, as_of=as_of, on_unreadable=on_unreadable)

        return list(chain.from_iterable(map_concurrently(find, self._namespaces)))
