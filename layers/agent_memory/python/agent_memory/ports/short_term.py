"""The interface of a cache: commands as data, so that several take one round trip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SetValue:
    """Store a JSON value. Result: None."""

    key: str
    value: Any
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class GetValue:
    """Read a value. Result: the value, or None if it does not exist or has expired."""

    key: str


@dataclass(frozen=True, slots=True)
class PushValues:
    """Push JSON values to the head of a list, the last one first, and trim it to `max_length`. Result: None.

    A value that is already in the list moves to its head.
    """

    key: str
    values: tuple[Any, ...]
    max_length: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class ListValues:
    """Read the head of a list. Result: its first `count` values, newest first."""

    key: str
    count: int


@dataclass(frozen=True, slots=True)
class AddScored:
    """Add a JSON value to a sorted set, or change its score. Result: None."""

    key: str
    value: Any
    score: float
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class ListScored:
    """Read a sorted set. Result: its (value, score) pairs with at least `min_score`, highest first."""

    key: str
    min_score: float


@dataclass(frozen=True, slots=True)
class RemoveScored:
    """Remove a JSON value from a sorted set. Result: whether the set contained it."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class CountInWindow:
    """Increment a count that is reset when its window ends; the window begins with the first increment.

    Result: (count, milliseconds until the window ends).
    """

    key: str
    window_seconds: int


@dataclass(frozen=True, slots=True)
class SetIfNewer:
    """Store a JSON value with its version, unless a later version is stored. Result: None."""

    key: str
    value: Any
    version: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class GetVersioned:
    """Read a value with its version. Result: (value, version), or None if it does not exist or has expired."""

    key: str


@dataclass(frozen=True, slots=True)
class IncrementCounters:
    """Increment a counter for each name and record the time. Result: None."""

    key: str
    names: tuple[str, ...]
    at_ms: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class ReadCounters:
    """Read the counters of a key. Result: a dictionary from name to (count, time of the last increment in ms)."""

    key: str


Command = (
    SetValue
    | GetValue
    | PushValues
    | ListValues
    | AddScored
    | ListScored
    | RemoveScored
    | CountInWindow
    | SetIfNewer
    | GetVersioned
    | IncrementCounters
    | ReadCounters
)

READS = (GetValue, ListValues, ListScored, GetVersioned, ReadCounters)
"""The commands that change nothing."""


class ShortTermStore(Protocol):
    """Values that expire."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The result of each command, in order, in one round trip; commands that write are one transaction.

        A stored value that cannot be read is an `Unreadable` in the place of the result, and the other commands are
        answered. Raises `TypeError` or `ValueError` if a value is not JSON; no command takes effect then.
        """
        ...

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        ...

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order; an `Unreadable` where it cannot be read."""
        ...

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        ...
