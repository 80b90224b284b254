"""The commands of short-term memory on entries that this process keeps: in a dictionary, or in a database.

Lists, sorted sets and counters hold JSON texts, as in Redis, so that a tuple equals a list and `1` differs from `1.0`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import singledispatchmethod
from typing import Any

from agent_memory.core.clock import Clock
from agent_memory.ports import short_term as stm


class Entries(ABC):
    """Entries by key, and the commands on them.

    The content of an entry has one of these types:

    str             a value, as JSON
    list            the JSON of each value, newest first
    dict            the score of each value, by its JSON; or (count, time of the last increment in ms) by name
    int             a count
    (str, int)      the JSON of a value, and its version.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @abstractmethod
    def find(self, key: str) -> tuple[Any, int] | None:
        """The content of an entry and when it expires, in ms; None if there is none, or it has expired."""

    @abstractmethod
    def save(self, key: str, content: Any, expires_ms: int) -> None:
        """Write an entry, replacing an earlier one."""

    @singledispatchmethod
    def execute(self, command: stm.Command) -> Any:
        """The result of a command."""
        raise TypeError(f"{type(command).__name__} is not a command of short-term memory")

    @execute.register
    def _(self, command: stm.SetValue) -> None:
        self._set(command.key, _encode(command.value), command.ttl_seconds)

    @execute.register
    def _(self, command: stm.GetValue) -> Any:
        text = self._get(command.key)
        return None if text is None else json.loads(text)

    @execute.register
    def _(self, command: stm.PushValues) -> None:
        if command.values:
            pushed = [*map(_encode, command.values)]
            others = [text for text in self._get(command.key, ()) if text not in pushed]
            self._set(command.key, [*reversed(pushed), *others][: command.max_length], command.ttl_seconds)

    @execute.register
    def _(self, command: stm.ListValues) -> Any:
        return [json.loads(text) for text in self._get(command.key, ())[: command.count]]

    @execute.register
    def _(self, command: stm.AddScored) -> None:
        scores = self._get(command.key, {}) | {_encode(command.value): float(command.score)}
        self._set(command.key, scores, command.ttl_seconds)

    @execute.register
    def _(self, command: stm.ListScored) -> Any:
        highest_first = sorted(((score, text) for text, score in self._get(command.key, {}).items()), reverse=True)
        return [(json.loads(text), score) for score, text in highest_first if score >= command.min_score]

    @execute.register
    def _(self, command: stm.RemoveScored) -> bool:
        found = self.find(command.key)
        if found is None:
            return False
        scores, expires_ms = dict(found[0]), found[1]
        was_member = scores.pop(_encode(command.value), None) is not None
        if was_member:
            self.save(command.key, scores, expires_ms)
        return was_member

    @execute.register
    def _(self, command: stm.CountInWindow) -> tuple[int, int]:
        now_ms = self._clock.now_ms()
        count, expires_ms = self.find(command.key) or (0, now_ms + command.window_seconds * 1000)
        self.save(command.key, count + 1, expires_ms)
        return count + 1, expires_ms - now_ms

    @execute.register
    def _(self, command: stm.SetIfNewer) -> None:
        _, version = stored = self._get(command.key, (None, 0))
        newest = (_encode(command.value), command.version) if command.version >= version else stored
        self._set(command.key, newest, command.ttl_seconds)

    @execute.register
    def _(self, command: stm.GetVersioned) -> Any:
        stored = self._get(command.key)
        return None if stored is None else (json.loads(stored[0]), stored[1])

    @execute.register
    def _(self, command: stm.IncrementCounters) -> None:
        counts = dict(self._get(command.key, {}))
        for name in command.names:
            counts[name] = (counts.get(name, (0, 0))[0] + 1, command.at_ms)
        self._set(command.key, counts, command.ttl_seconds)

    @execute.register
    def _(self, command: stm.ReadCounters) -> Any:
        return dict(self._get(command.key, {}))

    def _set(self, key: str, content: Any, ttl_seconds: int) -> None:
        self.save(key, content, self._clock.now_ms() + ttl_seconds * 1000)

    def _get(self, key: str, default: Any = None) -> Any:
        found = self.find(key)
        return default if found is None else found[0]


def matching(keys: Iterable[str], prefix: str, pattern: str) -> list[str]:
    """The keys with a prefix whose rest matches a glob pattern of Redis."""
    glob = pattern.replace("[^", "[!")  # a negated set in Redis and in fnmatch
    return [key for key in keys if key.startswith(prefix) and fnmatchcase(key[len(prefix) :], glob)]


def check_commands(commands: Sequence[stm.Command]) -> None:
    """Raise `TypeError` or `ValueError` unless the commands' values are JSON, before any command takes effect."""
    for command in commands:
        for value in getattr(command, "values", (getattr(command, "value", None),)):
            _encode(value)


def plain_content(content: Any) -> Any:
    """The content of an entry in terms of JSON: sorted sets as lists of member and score."""
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


def _encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)
