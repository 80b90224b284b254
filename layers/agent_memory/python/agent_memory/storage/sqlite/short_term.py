"""Short-term memory in SQLite: a row per key, which all processes on the file share."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import Damaged, Unreadable
from agent_memory.model.listings import parsed
from agent_memory.ports import short_term as stm
from agent_memory.storage.short_term_commands import Entries, check_commands, matching, plain_content
from agent_memory.storage.sqlite.database import Database, prefix_bounds


class SqliteShortTerm:
    """`ShortTermStore` on the table `short_term`.

    Its values expire anyway, so a power failure may lose the last of them: writing one does not wait for the disk.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def run(self, commands: Sequence[stm.Command]) -> list[Any]:
        """The result of each command, in order. They are one transaction."""
        check_commands(commands)
        with self._transaction(commands) as connection:
            rows = _Rows(connection, self._clock)
            return [_result(rows, command) for command in commands]

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        return len(self._rows(prefix, "key"))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order; an `Unreadable` where it cannot be read."""
        for key, kind, content in self._rows(prefix, "key, kind, content"):
            try:
                yield key, plain_content(_decoded(key, kind, content))
            except Unreadable as error:
                yield key, error

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        keys = matching((key for (key,) in self._rows(prefix, "key")), prefix, pattern)
        if dry_run:
            return len(keys)
        with self._database.writing(durable=False) as connection:
            return sum(connection.execute("DELETE FROM short_term WHERE key = ?", (key,)).rowcount for key in keys)

    def _transaction(self, commands: Sequence[stm.Command]) -> AbstractContextManager[sqlite3.Connection]:
        if all(isinstance(command, stm.READS) for command in commands):
            return self._database.reading()
        return self._database.writing(durable=False)

    def _rows(self, prefix: str, columns: str) -> list[tuple[Any, ...]]:
        with self._database.reading() as connection:
            return connection.execute(
                f"SELECT {columns} FROM short_term WHERE key >= ? AND key < ? AND expires_ms > ?",
                (*prefix_bounds(prefix), self._clock.now_ms()),
            ).fetchall()


class _Rows(Entries):
    """The entries, in one transaction."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        super().__init__(clock)
        self._connection = connection

    def find(self, key: str) -> tuple[Any, int] | None:
        """See `Entries`."""
        row = self._connection.execute(
            "SELECT kind, content, expires_ms FROM short_term WHERE key = ? AND expires_ms > ?",
            (key, self._clock.now_ms()),
        ).fetchone()
        return None if row is None else (_decoded(key, row[0], row[1]), row[2])

    def save(self, key: str, content: Any, expires_ms: int) -> None:
        """See `Entries`."""
        self._connection.execute(
            "INSERT OR REPLACE INTO short_term (key, kind, content, expires_ms) VALUES (?, ?, ?, ?)",
            (key, _kind_of(content), json.dumps(content, separators=(",", ":")), expires_ms),
        )


_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "value": str,
    "list": list,
    "scores": dict,
    "counters": lambda members: {name: tuple(counter) for name, counter in members.items()},
    "count": int,
    "versioned": tuple,
}
"""What makes an entry's content of its JSON, by kind."""


def _kind_of(content: Any) -> str:
    match content:
        case str():
            return "value"
        case int():
            return "count"
        case list():
            return "list"
        case tuple():
            return "versioned"
    return "counters" if any(isinstance(one, tuple) for one in content.values()) else "scores"


def _decoded(key: str, kind: str, content: str) -> Any:
    try:
        return parsed(key, lambda: _DECODERS[kind](json.loads(content)))
    except Damaged as error:
        raise Unreadable(key, str(error)) from error


def _result(rows: _Rows, command: stm.Command) -> Any:
    try:
        return rows.execute(command)
    except Unreadable as error:
        return error
