"""What a cache can be asked for, as data: so that many things cost one round trip, and every cache does the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SetValue:
    """Keep a JSON value; answers None."""

    key: str
    value: Any
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class GetValue:
    """Answers the value, or None once it has vanished."""

    key: str


@dataclass(frozen=True, slots=True)
class PushValues:
    """Put JSON values at the head of a list, the last one foremost, and keep the first `keep`; answers None.

    One that is in the list already moves to its head.
    """

    key: str
    values: tuple[Any, ...]
    keep: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class ListValues:
    """Answers the first `count` values of a list, newest first."""

    key: str
    count: int


@dataclass(frozen=True, slots=True)
class AddScored:
    """Add a JSON value to a sorted set, or move it to another score; answers None."""

    key: str
    value: Any
    score: float
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class ListScored:
    """Answers (value, score) of a sorted set from a score on, highest first."""

    key: str
    least: float


@dataclass(frozen=True, slots=True)
class RemoveScored:
    """Take a JSON value out of a sorted set; answers whether it was there."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class CountInWindow:
    """Count one more in a window that begins with the first; answers (the count, milliseconds until it ends)."""

    key: str
    window_seconds: int


@dataclass(frozen=True, slots=True)
class SetIfNewer:
    """Keep a JSON value with its version, unless a later version is kept already; answers None."""

    key: str
    value: Any
    version: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class GetVersioned:
    """Answers (value, version) of the latest version that is kept, or None once it has vanished."""

    key: str


@dataclass(frozen=True, slots=True)
class IncrementCounters:
    """Count one more for each name, and note when; answers None."""

    key: str
    names: tuple[str, ...]
    at_ms: int
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class ReadCounters:
    """Answers name -> (the count, when it was last counted, in milliseconds)."""

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


class ShortTermStore(Protocol):
    """Values that vanish by themselves."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """What each command answers, in order. They take effect together, in one round trip.

        Raises `TypeError` or `ValueError` for what is no JSON; nothing is done then.
        """
        ...

    def count(self, prefix: str) -> int:
        """How many keys begin with this prefix."""
        ...

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key below a prefix with its value, in no order."""
        ...

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys below a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        ...
