"""Short-term memory of one agent. Every method blocks; `MemoryManager` is the async face."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from agent_memory.core import ids, keys
from agent_memory.core.checks import check_integer
from agent_memory.core.errors import InvalidInput, ShortTermOff, Unavailable
from agent_memory.core.json_values import check_json
from agent_memory.core.retention import STM_MAX_SECONDS
from agent_memory.ports.short_term import Command, GetValue, SetValue, ShortTermStore

_MAX_PATTERN = 255

# Keys that hold no plain value, and the methods that know what they hold.
_TYPED = {
    keys.STM_QUERIES: "write_cycle and read_cycle",
    keys.STM_SIGNALS: "write_cycle and read_cycle",
    keys.STM_DECISIONS: "write_cycle and read_cycle",
    keys.STM_STATE: "save_state and load_state",
}


@dataclass(frozen=True, slots=True)
class ShortTermMetrics:
    """What became of the calls of one process.

    Attributes:
        hits: reads that found a value.
        misses: reads that found none.
        failures: calls that the cache did not respond, or that were spared it because it lately did not.
    """

    hits: int = 0
    misses: int = 0
    failures: int = 0

    @property
    def hit_rate(self) -> float | None:
        """Share of answered reads that found a value, 0 to 1; None before the first."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else None


class ShortTermMemory:
    """What an agent knows for hours: JSON values under keys that vanish by themselves."""

    def __init__(self, agent_id: str, store: ShortTermStore | None) -> None:
        self._agent_id = agent_id
        self._store = store
        self._counting = Lock()
        self._metrics = ShortTermMetrics()

    @property
    def is_configured(self) -> bool:
        """Whether there is a cache to keep anything in."""
        return self._store is not None

    @property
    def metrics(self) -> ShortTermMetrics:
        """Hits, misses and failures so far."""
        return self._metrics

    def put(self, key: str, data: Any, ttl_seconds: int) -> None:
        """Keep a JSON value for `ttl_seconds` (1 to 86,400).

        Raises:
            InvalidInput: names the argument, the key of what has methods of its own too. Unavailable: the cache did
                not answer. ShortTermOff: there is none.
        """
        _check_untyped(key)
        check_integer("ttl_seconds", ttl_seconds, minimum=1, maximum=STM_MAX_SECONDS)
        check_json(data, "data")
        self.run([SetValue(self.key(key), data, ttl_seconds)])

    def get(self, key: str) -> Any | None:
        """The value, or None once it has vanished; errors as `put`."""
        _check_untyped(key)
        (value,) = self.run([GetValue(self.key(key))])
        self._count(misses=1) if value is None else self._count(hits=1)
        return value

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """What some commands answer, in one round trip.

        Raises:
            Unavailable: the cache did not respond. ShortTermOff: there is none; that is not counted as a failure.
        """
        store = self._open()
        try:
            return store.run(commands)
        except Unavailable:
            self._count(failures=1)
            raise

    def key(self, name: str) -> str:
        """The key of the agent's own that a name stands for; `InvalidInput` where it cannot be one."""
        return keys.stm_key(self._agent_id, ids.check_stm_key(name))

    def clear(self, pattern: str | None = None) -> int:
        """Erase the agent's keys, or those that match a glob pattern as `queries:*`; returns how many.

        Raises:
            InvalidInput: an unusable pattern. Unavailable: the cache did not respond. ShortTermOff: there is none.
        """
        if pattern is not None and (not isinstance(pattern, str) or not 1 <= len(pattern) <= _MAX_PATTERN):
            raise InvalidInput("pattern", f"{pattern!r:.80} is not text of 1 to {_MAX_PATTERN} characters")
        store = self._open()
        try:
            return store.erase(keys.stm_key(self._agent_id, ""), pattern or "*", dry_run=False)
        except Unavailable:
            self._count(failures=1)
            raise

    def count(self) -> int:
        """How many keys the agent has now."""
        return self._open().count(keys.stm_key(self._agent_id, ""))

    def _open(self) -> ShortTermStore:
        if self._store is None:
            raise ShortTermOff("short-term memory is off; deploy with cache=on, or pass a Redis client or endpoint")
        return self._store

    def _count(self, *, hits: int = 0, misses: int = 0, failures: int = 0) -> None:
        with self._counting:
            before = self._metrics
            self._metrics = ShortTermMetrics(before.hits + hits, before.misses + misses, before.failures + failures)


def _check_untyped(key: object) -> None:
    methods = "check_rate_limit" if str(key).startswith(keys.STM_RATE_LIMITS) else _TYPED.get(str(key))
    if methods:
        raise InvalidInput("key", f"{key} holds no plain value; use {methods}")
