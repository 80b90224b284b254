"""Short-term memory in plain Python: for agents that run without a cache, and for tests."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

from agent_memory.clock import Clock, SystemClock
from agent_memory.stores.short_term_commands import (
    AddScored,
    Command,
    CountUp,
    GetValue,
    ListScored,
    ListValues,
    PushValues,
    RemoveScored,
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

    def _do(self, command: Command) -> Any:
        match command:
            case SetValue(key, value, ttl_seconds):
                self._keep(key, value, ttl_seconds)
            case GetValue(key):
                return self._value(key, None)
            case PushValues(key, values, keep, ttl_seconds):
                if values:
                    self._keep(key, [*reversed(values), *self._value(key, [])][:keep], ttl_seconds)
            case ListValues(key, count):
                return self._value(key, [])[:count]
            case AddScored(key, value, score, ttl_seconds):
                others = [one for one in self._value(key, []) if one[0] != value]
                self._keep(key, [*others, [value, score]], ttl_seconds)
            case ListScored(key, least):
                found = [(value, float(score)) for value, score in self._value(key, []) if score >= least]
                return sorted(found, key=lambda one: one[1], reverse=True)
            case RemoveScored(key, value):
                return self._remove(key, value)
            case CountUp(key, window_seconds):
                return self._count_up(key, window_seconds)
        return None

    def _remove(self, key: str, value: Any) -> bool:
        before = self._value(key, [])
        after = [one for one in before if one[0] != value]
        if len(after) < len(before):
            self._entries[key].body = json.dumps(after)
        return len(after) < len(before)

    def _count_up(self, key: str, window_seconds: int) -> tuple[int, int]:
        count = self._value(key, 0) + 1
        if count == 1:
            self._keep(key, count, window_seconds)
        else:
            self._entries[key].body = json.dumps(count)
        return count, self._entries[key].ends_ms - self._clock.now_ms()

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
