"""Short-term memory in this process, for tests and for agents that run without a cache."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import singledispatchmethod
from threading import Lock
from typing import Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.ports import short_term as stm


@dataclass(slots=True)
class _Entry:
    text: str
    expires_ms: int


class InMemoryShortTerm:
    """`ShortTermStore` in a dictionary of JSON texts, so that values are returned as from a cache."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._entries: dict[str, _Entry] = {}
        self._lock = Lock()

    def run(self, commands: Sequence[stm.Command]) -> list[Any]:
        """The result of each command, in order. They are one transaction."""
        with self._lock:
            self._remove_expired()
            return [self._execute(command) for command in commands]

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        return len(self._keys(prefix, "*"))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order."""
        return ((key, json.loads(self._entries[key].text)) for key in self._keys(prefix, "*"))

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        keys = self._keys(prefix, pattern)
        if not dry_run:
            for key in keys:
                del self._entries[key]
        return len(keys)

    @singledispatchmethod
    def _execute(self, command: stm.Command) -> Any:
        raise TypeError(f"{type(command).__name__} is not a command of short-term memory")

    @_execute.register
    def _(self, command: stm.SetValue) -> None:
        self._set(command.key, command.value, command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.GetValue) -> Any:
        return self._get(command.key, None)

    @_execute.register
    def _(self, command: stm.PushValues) -> None:
        if command.values:
            others = [one for one in self._get(command.key, []) if one not in command.values]
            self._set(command.key, [*reversed(command.values), *others][: command.max_length], command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.ListValues) -> Any:
        return self._get(command.key, [])[: command.count]

    @_execute.register
    def _(self, command: stm.AddScored) -> None:
        others = [one for one in self._get(command.key, []) if one[0] != command.value]
        self._set(command.key, [*others, [command.value, command.score]], command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.ListScored) -> Any:
        pairs = [(value, float(score)) for value, score in self._get(command.key, []) if score >= command.min_score]
        return sorted(pairs, key=lambda pair: pair[1], reverse=True)

    @_execute.register
    def _(self, command: stm.RemoveScored) -> bool:
        before = self._get(command.key, [])
        after = [one for one in before if one[0] != command.value]
        if len(after) < len(before):
            self._entries[command.key].text = json.dumps(after)
        return len(after) < len(before)

    @_execute.register
    def _(self, command: stm.CountInWindow) -> tuple[int, int]:
        key = command.key
        count = self._get(key, 0) + 1
        if count == 1:
            self._set(key, count, command.window_seconds)
        else:
            self._entries[key].text = json.dumps(count)
        return count, self._entries[key].expires_ms - self._clock.now_ms()

    @_execute.register
    def _(self, command: stm.SetIfNewer) -> None:
        stored = self._get(command.key, [None, 0])
        newest = [command.value, command.version] if command.version >= stored[1] else stored
        self._set(command.key, newest, command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.GetVersioned) -> Any:
        return tuple(self._get(command.key, [])) or None

    @_execute.register
    def _(self, command: stm.IncrementCounters) -> None:
        counts = self._get(command.key, {})
        counts |= {name: (counts.get(name, (0,))[0] + 1, command.at_ms) for name in command.names}
        self._set(command.key, counts, command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.ReadCounters) -> Any:
        return {name: tuple(counter) for name, counter in self._get(command.key, {}).items()}

    def _set(self, key: str, value: Any, ttl_seconds: int) -> None:
        self._entries[key] = _Entry(json.dumps(value, allow_nan=False), self._clock.now_ms() + ttl_seconds * 1000)

    def _get(self, key: str, default: Any) -> Any:
        return json.loads(self._entries[key].text) if key in self._entries else default

    def _keys(self, prefix: str, pattern: str) -> list[str]:
        self._remove_expired()
        glob = pattern.replace("[^", "[!")  # a negated set in Redis and in fnmatch
        return [key for key in self._entries if key.startswith(prefix) and fnmatchcase(key[len(prefix) :], glob)]

    def _remove_expired(self) -> None:
        now_ms = self._clock.now_ms()
        self._entries = {key: entry for key, entry in self._entries.items() if entry.expires_ms > now_ms}
