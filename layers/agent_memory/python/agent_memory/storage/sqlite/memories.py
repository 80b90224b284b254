"""Long-term memory in SQLite: current versions in one table, the history of all versions in another."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, overload

from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.json_values import canonical_json, parsed_json
from agent_memory.core.keys import history_sk
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.memories import STANDARD_TYPES, Memory
from agent_memory.model.records import memory_from, memory_record
from agent_memory.ports.memories import Access, Change, Changes, VersionTime, current_at
from agent_memory.storage.dynamodb.items import check_item_size, history_item
from agent_memory.storage.sqlite.database import Database
from agent_memory.storage.sqlite.decisions import erase_rows

_PAGE = 500
_UPDATED, _REMOVED = (
    f"CASE WHEN json_valid(record) THEN json_extract(record, '$.{name}') END" for name in ("updated_ms", "is_removed")
)
_POSITION = f"rowid, memory_type, pattern_id, version, {_UPDATED}"
_NO_ROW = (0, "", "", 0, 0)
_BY_KEY = "agent_id = ? AND memory_type = ? AND pattern_id = ?"
_CURRENT = "record, access_count, last_accessed_ms"


class SqliteMemories:
    """`MemoryStore` on the tables `memories` and `memory_versions`.

    A memory has the size limit of a DynamoDB item, so that it fits into every store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, memory: Memory, *, after: Memory | None) -> None:
        """Write a version if the current one is `after` (None: there is none); else raise `Conflict`."""
        check_item_size(history_item(memory), "data")
        key, record = _key(memory), _record(memory)
        with self._database.writing() as connection:
            _append(connection, memory, record, after)
            connection.execute(
                "INSERT INTO memories (agent_id, memory_type, pattern_id, version, confidence, record) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agent_id, memory_type, pattern_id) DO UPDATE "
                "SET version = excluded.version, confidence = excluded.confidence, record = excluded.record",
                (*key, memory.version, memory.confidence, record),
            )

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {_CURRENT} FROM memories WHERE {_BY_KEY}",
                (agent_id, memory_type, pattern_id),
            ).fetchone()
        return None if row is None else parsed(pattern_id, _memory, *row)

    def get_many(self, keys: Sequence[tuple[str, str, str]]) -> list[Memory]:
        """The current versions of those memories that exist, by agent, type and id, in no particular order."""
        return [memory for key in keys if (memory := self.get(*key)) is not None]

    def by_confidence(
        self, agent_id: str, memory_type: str, min_confidence: float = 0.0, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Memories of a type, most confident first, then all that state no confidence, whatever the minimum."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT pattern_id, {_CURRENT} FROM memories WHERE agent_id = ? AND memory_type = ? "
                "AND (confidence IS NULL OR confidence >= ?) ORDER BY confidence DESC NULLS LAST, pattern_id",
                (agent_id, memory_type, min_confidence),
            ).fetchall()
        return _readable(((pattern_id, columns) for pattern_id, *columns in rows), on_unreadable)

    def history(
        self, agent_id: str, memory_type: str, pattern_id: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[Memory]:
        """Every version of a memory, oldest first, including those that record a removal."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT version, record FROM memory_versions WHERE {_BY_KEY} ORDER BY version",
                (agent_id, memory_type, pattern_id),
            ).fetchall()
        named = ((history_sk(pattern_id, version), [record]) for version, record in rows)
        return list(_readable(named, on_unreadable))

    def last_removal(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The version that records the removal of a memory that has no current version; None if it never existed."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT version, record FROM memory_versions WHERE {_BY_KEY} ORDER BY version DESC LIMIT 1",
                (agent_id, memory_type, pattern_id),
            ).fetchone()
        return None if row is None else parsed(history_sk(pattern_id, row[0]), _memory, row[1])

    def agents(self) -> list[str]:
        """Every agent and pool that has or had memories, sorted."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT DISTINCT agent_id FROM memory_versions ORDER BY agent_id").fetchall()
        return [agent_id for (agent_id,) in rows]

    def types(self, agent_id: str) -> list[str]:
        """The types of which the agent has or had memories, sorted."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT memory_type FROM memory_versions WHERE agent_id = ? ORDER BY memory_type", (agent_id,)
            ).fetchall()
        return [memory_type for (memory_type,) in rows]

    @overload
    def changes(self, agent_id: str, cursor: None) -> Changes: ...
    @overload
    def changes(self, agent_id: str, cursor: str) -> Changes | None: ...
    def changes(self, agent_id: str, cursor: str | None) -> Changes | None:
        """What has changed since a position, and the next one; see `MemoryStore`.

        The position is the agent's last row. Rows after it have greater numbers as long as it is there; without it the
        agent was erased, and numbers may have been given again.
        """
        with self._database.reading() as connection:
            if cursor is None:
                last = connection.execute(
                    f"SELECT {_POSITION} FROM memory_versions WHERE agent_id = ? ORDER BY rowid DESC LIMIT 1",
                    (agent_id,),
                ).fetchone()
                return Changes([], json.dumps(last or _NO_ROW))
            before = tuple(json.loads(cursor))
            if before == _NO_ROW:
                has_rows = connection.execute("SELECT 1 FROM memory_versions WHERE agent_id = ? LIMIT 1", (agent_id,))
                return Changes([], cursor) if has_rows.fetchone() is None else None
            # The plus keeps SQLite from reading all of the agent's rows by its index.
            rows = connection.execute(
                f"SELECT {_POSITION} FROM memory_versions WHERE rowid >= ? AND +agent_id = ? ORDER BY rowid",
                (before[0], agent_id),
            ).fetchall()
        if not rows or rows[0] != before:
            return None
        return Changes([Change(*row[1:]) for row in rows[1:]], json.dumps(rows[-1]))

    def own_types(self, agent_id: str) -> list[str]:
        """The types that are none of `MemoryType`, of which the agent has or had memories, sorted."""
        return [one for one in self.types(agent_id) if one not in STANDARD_TYPES]

    def all_versions(
        self, agent_id: str, memory_type: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory are adjacent, oldest first."""
        last: tuple[str, int] = ("", 0)
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT pattern_id, version, record FROM memory_versions WHERE agent_id = ? AND memory_type = ? "
                    "AND (pattern_id, version) > (?, ?) ORDER BY pattern_id, version LIMIT ?",
                    (agent_id, memory_type, *last, _PAGE),
                ).fetchall()
            named = ((history_sk(pattern_id, version), [record]) for pattern_id, version, record in rows)
            yield from _readable(named, on_unreadable)
            if len(rows) < _PAGE:
                return
            last = rows[-1][:2]

    def versions_at(
        self,
        agent_id: str,
        memory_type: str,
        at_ms: int,
        *,
        pattern_id: str | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> list[Memory]:
        """The memories of a type, or the one of an id, as they were at a time, in order of their ids."""
        which, parameters = ("", []) if pattern_id is None else (" AND pattern_id = ?", [pattern_id])
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT pattern_id, version, {_UPDATED}, {_REMOVED} "
                f"FROM memory_versions WHERE agent_id = ? AND memory_type = ?{which} ORDER BY pattern_id, version",
                (agent_id, memory_type, *parameters),
            ).fetchall()
            found: list[tuple[str, Sequence[Any]]] = []
            for one in current_at(_version_times(rows, on_unreadable), at_ms):
                key = agent_id, memory_type, one.pattern_id, one.version
                query = f"SELECT record FROM memory_versions WHERE {_BY_KEY} AND version = ?"
                found.append((history_sk(one.pattern_id, one.version), connection.execute(query, key).fetchone()))
        return list(_readable(iter(found), on_unreadable))

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to existing memories, once per day; returns how many memories were changed."""
        through = day.isoformat()
        with self._database.writing() as connection:
            added = [
                connection.execute(
                    "UPDATE memories SET access_count = access_count + ?, last_accessed_ms = ?, accesses_through = ? "
                    f"WHERE {_BY_KEY} AND accesses_through < ?",
                    (one.count, one.last_ms, through, agent_id, one.memory_type, one.pattern_id, through),
                ).rowcount
                for one in accesses
            ]
            return sum(added)

    def remove(self, removal: Memory, *, after: Memory) -> None:
        """Remove a memory if its current version is `after`; else raise `Conflict`."""
        with self._database.writing() as connection:
            _append(connection, removal, _record(removal), after)
            connection.execute(f"DELETE FROM memories WHERE {_BY_KEY}", _key(removal))

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many."""
        return erase_rows(self._database, ("memories", "memory_versions"), agent_id, dry_run=dry_run)


def _append(connection: sqlite3.Connection, memory: Memory, record: str, after: Memory | None) -> None:
    """Add a version to the history; `Conflict` unless the current version is `after` and no later one was ever made."""
    key = _key(memory)
    row = connection.execute(f"SELECT version FROM memories WHERE {_BY_KEY}", key).fetchone()
    before = None if after is None else after.version
    if (None if row is None else row[0]) != before or memory.version <= _last_version(connection, key):
        raise Conflict(
            f"{memory.memory_type} {memory.pattern_id}: another writer came first; "
            f"version {memory.version} does not follow the current one"
        )
    connection.execute(
        "INSERT INTO memory_versions (agent_id, memory_type, pattern_id, version, record) VALUES (?, ?, ?, ?, ?)",
        (*key, memory.version, record),
    )


def _last_version(connection: sqlite3.Connection, key: tuple[str, str, str]) -> int:
    (last,) = connection.execute(f"SELECT max(version) FROM memory_versions WHERE {_BY_KEY}", key).fetchone()
    return last or 0


def _version_times(rows: Iterable[Any], on_unreadable: OnUnreadable) -> Iterator[VersionTime]:
    """The times of versions from rows, without those that cannot be read."""
    for pattern_id, version, updated_ms, is_removed in rows:
        name = history_sk(pattern_id, version)
        if isinstance(updated_ms, int):
            yield VersionTime(pattern_id, version, updated_ms, bool(is_removed))
        else:
            on_unreadable(Unreadable(name, Damaged(f"{name}: its record has no time"), name))


def _readable(named: Iterator[tuple[str, Sequence[Any]]], on_unreadable: OnUnreadable) -> Iterator[Memory]:
    """The memories of rows, each with its name, in order, without those that cannot be read."""
    for name, columns in named:
        try:
            yield parsed(name, _memory, *columns)
        except Damaged as error:
            on_unreadable(Unreadable(name, error, name))


def _memory(record: str, access_count: int = 0, last_accessed_ms: int | None = None) -> Memory:
    return memory_from(parsed_json(record) | {"access_count": access_count, "last_accessed_ms": last_accessed_ms})


def _record(memory: Memory) -> str:
    return canonical_json(memory_record(memory) | {"access_count": 0, "last_accessed_ms": None})


def _key(memory: Memory) -> tuple[str, str, str]:
    return memory.agent_id, memory.memory_type, memory.pattern_id
