"""Short-term memory in plain Python: for agents that run without a cache, and for tests."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import singledispatchmethod
from threading import Lock
from typing import Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.ports.short_term import (
    AddScored,
    Command,
    CountInWindow,
    GetValue,
    GetVersioned,
    IncrementCounters,
    ListScored,
    ListValues,
    PushValues,
    ReadCounters,
    RemoveScored,
    SetIfNewer,
    SetValue,
)


@dataclass(slots=True)
class _Entry:
    body: str
    ends_ms: int


class InMemoryShortTerm:
    """`ShortTermStore` in a dictionary, as JSON texts: what would not survive the way to a cache does not here."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._entries: dict[str, _Entry] = {}
        self._lock = Lock()

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """What each command answers, in order. They take effect together."""
        with self._lock:
            self._sweep()
            return [self._do(command) for command in commands]

    def count(self, prefix: str) -> int:
        """How many keys begin with this prefix."""
        return len(self._below(prefix, "*"))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key below a prefix with its value, in no order."""
        return ((key, json.loads(self._entries[key].body)) for key in self._below(prefix, "*"))

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys below a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        below = self._below(prefix, pattern)
        if not dry_run:
            for key in below:
                del self._entries[key]
        return len(below)

    @singledispatchmethod
    def _do(self, command: Command) -> Any:
        raise TypeError(f"{type(command).__name__} is no command of short-term memory")

    @_do.register
    def _(self, command: SetValue) -> None:
        self._keep(command.key, command.value, command.ttl_seconds)

    @_do.register
    def _(self, command: GetValue) -> Any:
        return self._value(command.key, None)

    @_do.register
    def _(self, command: PushValues) -> None:
        if command.values:
            others = [one for one in self._value(command.key, []) if one not in command.values]
            self._keep(command.key, [*reversed(command.values), *others][: command.keep], command.ttl_seconds)

    @_do.register
    def _(self, command: ListValues) -> Any:
        return self._value(command.key, [])[: command.count]

    @_do.register
    def _(self, command: AddScored) -> None:
        others = [one for one in self._value(command.key, []) if one[0] != command.value]
        self._keep(command.key, [*others, [command.value, command.score]], command.ttl_seconds)

    @_do.register
    def _(self, command: ListScored) -> Any:
        found = [(value, float(score)) for value, score in self._value(command.key, []) if score >= command.least]
        return sorted(found, key=lambda one: one[1], reverse=True)

    @_do.register
    def _(self, command: RemoveScored) -> bool:
        before = self._value(command.key, [])
        after = [one for one in before if one[0] != command.value]
        if len(after) < len(before):
            self._entries[command.key].body = json.dumps(after)
        return len(after) < len(before)

    @_do.register
    def _(self, command: CountInWindow) -> tuple[int, int]:
        key = command.key
        count = self._value(key, 0) + 1
        if count == 1:
            self._keep(key, count, command.window_seconds)
        else:
            self._entries[key].body = json.dumps(count)
        return count, self._entries[key].ends_ms - self._clock.now_ms()

    @_do.register
    def _(self, command: SetIfNewer) -> None:
        kept = self._value(command.key, [None, 0])
        newest = [command.value, command.version] if command.version >= kept[1] else kept
        self._keep(command.key, newest, command.ttl_seconds)

    @_do.register
    def _(self, command: GetVersioned) -> Any:
        return tuple(self._value(command.key, [])) or None

    @_do.register
    def _(self, command: IncrementCounters) -> None:
        counts = self._value(command.key, {})
        counts |= {name: (counts.get(name, (0,))[0] + 1, command.at_ms) for name in command.names}
        self._keep(command.key, counts, command.ttl_seconds)

    @_do.register
    def _(self, command: ReadCounters) -> Any:
        return {name: tuple(counted) for name, counted in self._value(command.key, {}).items()}

    def _keep(self, key: str, value: Any, ttl_seconds: int) -> None:
        self._entries[key] = _Entry(json.dumps(value, allow_nan=False), self._clock.now_ms() + ttl_seconds * 1000)

    def _value(self, key: str, default: Any) -> Any:
        return json.loads(self._entries[key].body) if key in self._entries else default

    def _below(self, prefix: str, pattern: str) -> list[str]:
        self._sweep()
        like = pattern.replace("[^", "[!")  # Redis' sign for "none of these"
        return [key for key in self._entries if key.startswith(prefix) and fnmatchcase(key[len(prefix) :], like)]

    def _sweep(self) -> None:
        now_ms = self._clock.now_ms()
        self._entries = {key: entry for key, entry in self._entries.items() if entry.ends_ms > now_ms}
