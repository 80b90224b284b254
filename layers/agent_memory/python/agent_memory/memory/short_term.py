"""Short-term memory of one agent. Every method blocks; agents use `MemoryManager`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agent_memory.core import ids, keys
from agent_memory.core.checks import check_integer, check_text
from agent_memory.core.errors import (
    CacheUnavailable,
    InvalidInput,
    Misconfigured,
    ShortTermOff,
    Unavailable,
    Unreadable,
)
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.json_values import plain_json
from agent_memory.core.retention import STM_MAX_SECONDS
from agent_memory.ports.short_term import Command, GetValue, SetValue, ShortTermStore

_MAX_PATTERN_LENGTH = 255

NEEDS_ATTENTION = (Misconfigured, Unreadable)
"""The errors that do not pass by themselves: calls of short-term memory raise them, but continue through an outage.

Calls that use the cache only on the side, such as reads of long-term memory, which are counted, continue in both cases.
"""

# Keys whose values have a format of their own, and the methods that read and write them.
_RESERVED = {
    keys.STM_QUERIES: "write_cycle and read_cycle",
    keys.STM_SIGNALS: "write_cycle and read_cycle",
    keys.STM_DECISIONS: "write_cycle and read_cycle",
    keys.STM_STATE: "save_state and load_state",
}


@dataclass(frozen=True, slots=True)
class ShortTermMetrics:
    """Counts of the calls of one process.

    Attributes:
        hits: reads that found a value.
        misses: reads that did not.
        failures: calls that failed because the cache did not respond, or had not responded shortly before.
    """

    hits: int = 0
    misses: int = 0
    failures: int = 0

    @property
    def hit_rate(self) -> float | None:
        """The share of successful reads that found a value, 0 to 1; None if there were none."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else None


class ShortTermMemory:
    """JSON values under keys that expire within a day."""

    def __init__(self, agent_id: str, store: ShortTermStore | None) -> None:
        self._agent_id = agent_id
        self._store = store
        self._lock = fork_safe_lock()
        self._metrics = ShortTermMetrics()

    @property
    def is_configured(self) -> bool:
        """Whether there is a cache."""
        return self._store is not None

    @property
    def metrics(self) -> ShortTermMetrics:
        """Hits, misses and failures so far."""
        return self._metrics

    def put(self, key: str, data: Any, ttl_seconds: int) -> None:
        """Store a JSON value for `ttl_seconds` (1 to 86,400).

        Raises:
            InvalidInput: names the argument, also if the key has methods of its own. Unavailable: the cache did not
                respond. Misconfigured: it refuses the settings. ShortTermOff: there is no cache.
        """
        self.run([self.put_command(key, data, ttl_seconds)])

    def put_command(self, key: str, data: Any, ttl_seconds: int) -> SetValue:
        """The command of `put`, to be run together with others; `InvalidInput` names an invalid argument."""
        name = _checked_key(key)
        seconds = check_integer("ttl_seconds", ttl_seconds, minimum=1, maximum=STM_MAX_SECONDS)
        return SetValue(keys.stm_key(self._agent_id, name), plain_json(data, "data"), seconds)

    def get(self, key: str) -> Any | None:
        """The value, or None if it does not exist or has expired; errors as `put`, and `Unreadable`."""
        (value,) = self.run([GetValue(keys.stm_key(self._agent_id, _checked_key(key)))])
        self._count(misses=1) if value is None else self._count(hits=1)
        return value

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The results of commands, in one round trip.

        Raises:
            Unavailable: the cache did not respond. Unreadable: a stored value cannot be read. ShortTermOff: there is
                none; that is not counted as a failure.
        """
        results = self.run_each(commands)
        for result in results:
            if isinstance(result, Unreadable):
                raise result
        return results

    def run_each(self, commands: Sequence[Command]) -> list[Any]:
        """As `run`, but with an `Unreadable` in the place of a value that cannot be read."""
        with self._counted_store() as store:
            return [self._named(result) for result in store.run(commands)]

    def key(self, name: str) -> str:
        """The complete key of one of the agent's values, by a name that was checked."""
        return keys.stm_key(self._agent_id, name)

    def clear(self, pattern: str | None = None) -> int:
        """Erase the agent's keys, or those that match a glob pattern such as `queries:*`; returns how many.

        Raises:
            InvalidInput: an invalid pattern. Unavailable: the cache did not respond. ShortTermOff: there is none.
        """
        if pattern is not None:
            pattern = check_text("pattern", pattern, _MAX_PATTERN_LENGTH)
        with self._counted_store() as store:
            return store.erase(keys.stm_key(self._agent_id, ""), pattern or "*", dry_run=False)

    def count(self) -> int:
        """The number of the agent's keys."""
        return self._open_store().count(keys.stm_key(self._agent_id, ""))

    @contextmanager
    def _counted_store(self) -> Iterator[ShortTermStore]:
        """The store; a call that fails is counted, and its error says that the cache failed."""
        store = self._open_store()
        try:
            yield store
        except Unreadable as error:
            raise self._named(error) from error
        except Unavailable as error:
            self._count(failures=1)
            raise (CacheUnavailable(str(error)) if type(error) is Unavailable else error) from error

    def _named(self, result: Any) -> Any:
        """A result; an `Unreadable` names its key as the agent does."""
        if isinstance(result, Unreadable):
            return Unreadable(result.key.removeprefix(keys.stm_key(self._agent_id, "")), result.why)
        return result

    def _open_store(self) -> ShortTermStore:
        if self._store is None:
            raise ShortTermOff("short-term memory is off; deploy with cache=on, or pass a Redis client or endpoint")
        return self._store

    def _count(self, *, hits: int = 0, misses: int = 0, failures: int = 0) -> None:
        with self._lock:
            before = self._metrics
            self._metrics = ShortTermMetrics(before.hits + hits, before.misses + misses, before.failures + failures)


def _checked_key(key: object) -> str:
    """A valid key that has no methods of its own."""
    name = ids.check_stm_key(key)
    methods = "check_rate_limit" if name.startswith(keys.STM_RATE_LIMITS) else _RESERVED.get(name)
    if methods:
        raise InvalidInput("key", f"{name} is reserved; use {methods}")
    return name
