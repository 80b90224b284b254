"""The memories of an agent as they were when the nightly job read them, and the way to write their next versions."""

from collections.abc import Collection, Mapping

from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.listings import OnUnreadable, raise_error
from agent_memory.model.memories import Memory, MemoryType

LEARNED = (
    MemoryType.PATTERN,
    MemoryType.STRATEGY,
    MemoryType.SOURCE_PERFORMANCE,
    MemoryType.ARCHETYPE,
    MemoryType.ESTIMATE,
    MemoryType.EXPERIMENT,
)
"""The types of memories that the nightly job learns."""


def has_status(memory: Memory) -> bool:
    """Whether a memory has a status as the nightly job stores it; one that an agent changed since may have none."""
    return all(isinstance(memory.data.get(name), str) for name in ("status", "status_since"))


class StoredMemories:
    """What was stored at one moment, by type and id. `put` raises `Conflict` if a memory has changed since.

    `quarantined` has the ids of memories that are not stored.
    """

    def __init__(
        self,
        long_term: LongTermMemory,
        *,
        quarantined: Collection[str] = (),
        on_unreadable: OnUnreadable = raise_error,
    ) -> None:
        self._long_term = long_term
        self._quarantined = quarantined
        self._by_type = {
            memory_type: {
                memory.pattern_id: memory for memory in long_term.find(memory_type, on_unreadable=on_unreadable)
            }
            for memory_type in LEARNED
        }

    def of_type(self, memory_type: MemoryType) -> Mapping[str, Memory]:
        """The memories of a type, by id."""
        return self._by_type[memory_type]

    def put(self, memory_type: MemoryType, pattern_id: str, data: dict[str, object], *, reason: str) -> Memory | None:
        """Write the next version of a memory, if its data has changed; None for one that is quarantined."""
        if pattern_id in self._quarantined:
            return None
        before = self._by_type[memory_type].get(pattern_id)
        return self._long_term.put_after(before, memory_type, pattern_id, data, reason=reason)
