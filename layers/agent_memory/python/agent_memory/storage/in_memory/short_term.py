"""Short-term memory in this process, for tests and for agents that run without a cache.

Lists, sorted sets and counters hold JSON texts, as in Redis, so that a tuple equals a list and `1` differs from `1.0`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import singledispatchmethod
from threading import Lock
from typing import Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.ports import short_term as stm

_FIRST_SWEEP = 1_024


@dataclass(slots=True)
class _Entry:
    content: Any
    expires_ms: int


class InMemoryShortTerm:
    """`ShortTermStore` in a dictionary. A key that has expired is removed when it is met.

    Keys that nobody asks for again are removed whenever the number of keys has doubled, so that expiry costs each
    write a constant time on average.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._entries: dict[str, _Entry] = {}
        self._sweep_at = _FIRST_SWEEP
        self._lock = Lock()

    def run(self, commands: Sequence[stm.Command]) -> list[Any]:
        """The result of each command, in order. They are one transaction."""
        for command in commands:
            _check(command)
        with self._lock:
            results = [self._execute(command) for command in commands]
            if len(self._entries) >= self._sweep_at:
                self._remove_expired()
            return results

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        with self._lock:
            return len(self._keys(prefix, "*"))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order."""
        with self._lock:
            return iter([(key, _plain(self._entries[key].content)) for key in self._keys(prefix, "*")])

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        with self._lock:
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
        self._set(command.key, _encode(command.value), command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.GetValue) -> Any:
        text = self._get(command.key)
        return None if text is None else json.loads(text)

    @_execute.register
    def _(self, command: stm.PushValues) -> None:
        if command.values:
            pushed = [*map(_encode, command.values)]
            others = [text for text in self._get(command.key, ()) if text not in pushed]
            self._set(command.key, [*reversed(pushed), *others][: command.max_length], command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.ListValues) -> Any:
        return [json.loads(text) for text in self._get(command.key, ())[: command.count]]

    @_execute.register
    def _(self, command: stm.AddScored) -> None:
        scores = self._get(command.key, {}) | {_encode(command.value): float(command.score)}
        self._set(command.key, scores, command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.ListScored) -> Any:
        highest_first = sorted(((score, text) for text, score in self._get(command.key, {}).items()), reverse=True)
        return [(json.loads(text), score) for score, text in highest_first if score >= command.min_score]

    @_execute.register
    def _(self, command: stm.RemoveScored) -> bool:
        return self._get(command.key, {}).pop(_encode(command.value), None) is not None

    @_execute.register
    def _(self, command: stm.CountInWindow) -> tuple[int, int]:
        count = self._get(command.key, 0) + 1
        if count == 1:
            self._set(command.key, count, command.window_seconds)
        entry = self._entries[command.key]
        entry.content = count
        return count, entry.expires_ms - self._clock.now_ms()

    @_execute.register
    def _(self, command: stm.SetIfNewer) -> None:
        _, version = stored = self._get(command.key, (None, 0))
        newest = (_encode(command.value), command.version) if command.version >= version else stored
        self._set(command.key, newest, command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.GetVersioned) -> Any:
        stored = self._get(command.key)
        return None if stored is None else (json.loads(stored[0]), stored[1])

    @_execute.register
    def _(self, command: stm.IncrementCounters) -> None:
        counts = dict(self._get(command.key, {}))
        for name in command.names:
            counts[name] = (counts.get(name, (0, 0))[0] + 1, command.at_ms)
        self._set(command.key, counts, command.ttl_seconds)

    @_execute.register
    def _(self, command: stm.ReadCounters) -> Any:
        return dict(self._get(command.key, {}))

    def _set(self, key: str, content: Any, ttl_seconds: int) -> None:
        self._entries[key] = _Entry(content, self._clock.now_ms() + ttl_seconds * 1000)

    def _get(self, key: str, default: Any = None) -> Any:
        entry = self._entries.get(key)
        if entry is None:
            return default
        if entry.expires_ms <= self._clock.now_ms():
            del self._entries[key]
            return default
        return entry.content

    def _keys(self, prefix: str, pattern: str) -> list[str]:
        self._remove_expired()
        glob = pattern.replace("[^", "[!")  # a negated set in Redis and in fnmatch
        return [key for key in self._entries if key.startswith(prefix) and fnmatchcase(key[len(prefix) :], glob)]

    def _remove_expired(self) -> None:
        now_ms = self._clock.now_ms()
        self._entries = {key: entry for key, entry in self._entries.items() if entry.expires_ms > now_ms}
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._entries))


def _encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _check(command: stm.Command) -> None:
    """Raise `TypeError` or `ValueError` unless a command's values are JSON, before any command takes effect."""
    for value in getattr(command, "values", (getattr(command, "value", None),)):
        _encode(value)


def _plain(content: Any) -> Any:
    """The content of a key in terms of JSON: sorted sets as lists of member and score."""
    match content:
        case str():
            return json.loads(content)
        case list():
            return [json.loads(text) for text in content]
        case dict() if all(isinstance(one, float) for one in content.values()):
            return [[json.loads(text), score] for text, score in content.items()]
        case (str() as text, version):
            return [[json.loads(text), version]]
    return content
