"""Long-term and short-term memory of one agent. Every method blocks; `MemoryManager` is the async face."""

from collections.abc import Mapping
from typing import Any

from agent_memory import keys
from agent_memory.clock import Clock
from agent_memory.codec import canonical_json
from agent_memory.errors import InvalidInput, NotFound, Unavailable
from agent_memory.models import Document, Memory
from agent_memory.retention import STM_MAX_SECONDS
from agent_memory.stores.base import MemoryStore, ShortTermStore

# Fields of the data that have a place of their own beside it.
_OWN_FIELDS = frozenset({"pattern_id", "memory_type", "confidence", "learned_at", "updated_at", "version"})


class LongTermMemory:
    """What an agent has learned: versioned memories, ordered by confidence."""

    def __init__(self, agent_id: str, store: MemoryStore, clock: Clock) -> None:
        self._agent_id = agent_id
        self._store = store
        self._clock = clock

    def put(self, memory_type: str, pattern_id: str, data: Document) -> Memory:
        """Store a memory, or its next version where it has changed. `data["confidence"]` lies in 0-1.

        Raises:
            InvalidInput: names the field. Conflict: another writer came first; read and try again.
        """
        keys.check_memory_type(memory_type)
        keys.check_pattern_id(pattern_id)
        return self.put_after(self._store.get(self._agent_id, memory_type, pattern_id), memory_type, pattern_id, data)

    def put_after(self, current: Memory | None, memory_type: str, pattern_id: str, data: Document) -> Memory:
        """The same for a caller who has read the current version already."""
        confidence = _confidence(data.get("confidence", 0.0))
        content = {name: value for name, value in data.items() if name not in _OWN_FIELDS}
        if current and current.confidence == confidence and canonical_json(current.data) == canonical_json(content):
            return current
        now_ms = self._clock.now_ms()
        memory = Memory(
            agent_id=self._agent_id,
            memory_type=memory_type,
            pattern_id=pattern_id,
            confidence=confidence,
            data=content,
            learned_ms=current.learned_ms if current else now_ms,
            updated_ms=now_ms,
            version=current.version + 1 if current else 1,
        )
        self._store.put(memory)
        return memory

    def find(self, memory_type: str, filters: Document | None = None) -> list[Memory]:
        """Memories of a type that meet every filter, most confident first.

        `min_confidence` bounds the confidence; every other filter names a field of the data and its value.
        """
        keys.check_memory_type(memory_type)
        wanted = dict(filters or {})
        least = _confidence(wanted.pop("min_confidence", 0.0), "min_confidence")
        found = self._store.by_confidence(self._agent_id, memory_type, least)
        return [memory for memory in found if _meets(memory, wanted)]

    def set_confidence(self, memory_type: str, pattern_id: str, confidence: float) -> Memory:
        """Store the next version of a memory with another confidence (0-1), all else as it is.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory. Conflict: another writer came first.
        """
        keys.check_memory_type(memory_type)
        current = self._store.get(self._agent_id, memory_type, keys.check_pattern_id(pattern_id))
        if current is None:
            raise NotFound(f"{self._agent_id} has no {memory_type} {pattern_id}")
        data = {**current.data, "confidence": _confidence(confidence, "new_confidence")}
        return self.put_after(current, memory_type, pattern_id, data)

    def history(self, memory_type: str, pattern_id: str) -> list[Memory]:
        """Every version of a memory, oldest first."""
        keys.check_memory_type(memory_type)
        return self._store.history(self._agent_id, memory_type, keys.check_pattern_id(pattern_id))


class ShortTermMemory:
    """What an agent knows for hours: JSON values under keys that vanish by themselves."""

    def __init__(self, agent_id: str, store: ShortTermStore | None) -> None:
        self._agent_id = agent_id
        self._store = store

    @property
    def is_configured(self) -> bool:
        """Whether there is a cache to keep anything in."""
        return self._store is not None

    def put(self, key: str, data: Any, ttl_seconds: int) -> None:
        """Keep a JSON value for `ttl_seconds` (1 to 86,400).

        Raises:
            InvalidInput: names the argument. Unavailable: the cache did not answer.
        """
        is_whole = isinstance(ttl_seconds, int) and not isinstance(ttl_seconds, bool)
        if not is_whole or not 1 <= ttl_seconds <= STM_MAX_SECONDS:
            raise InvalidInput(
                "ttl_seconds", f"{ttl_seconds!r:.40} is not a whole number from 1 to {STM_MAX_SECONDS:,}"
            )
        try:
            self._open().set(keys.stm_key(self._agent_id, keys.check_stm_key(key)), data, ttl_seconds)
        except (TypeError, ValueError) as error:
            raise InvalidInput("data", f"not a JSON value: {error}") from error

    def get(self, key: str) -> Any | None:
        """The value, or None once it has vanished. `Unavailable` where the cache does not answer."""
        return self._open().get(keys.stm_key(self._agent_id, keys.check_stm_key(key)))

    def count(self) -> int:
        """How many keys the agent has now."""
        return self._open().count(keys.stm_key(self._agent_id, ""))

    def _open(self) -> ShortTermStore:
        if self._store is None:
            raise Unavailable("no short-term memory is configured; pass a Redis client or endpoint")
        return self._store


def _confidence(value: object, field: str = "confidence") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInput(field, f"{value!r:.40} is not a number from 0 to 1")
    return float(value)


def _meets(memory: Memory, wanted: Mapping[str, Any]) -> bool:
    return all(memory.data.get(name) == value for name, value in wanted.items())
