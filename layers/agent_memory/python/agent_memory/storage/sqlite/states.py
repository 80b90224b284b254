"""Agent states and the registry of agents in SQLite."""

import sqlite3
from collections.abc import Iterable

from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.json_values import Document, canonical_json, parsed_json
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.states import State
from agent_memory.ports.states import Others, Registration
from agent_memory.storage.dynamodb.items import check_item_size, document_attributes
from agent_memory.storage.sqlite.database import Database, prefix_bounds
from agent_memory.storage.sqlite.decisions import erase_rows


class SqliteStates:
    """`StateStore` on the tables `states`, `agents` and `agent_decision_types`.

    A state has the size limit of a DynamoDB item, so that it fits into every store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT data, version, updated_ms FROM states WHERE agent_id = ? AND state_type = ?",
                (agent_id, state_type),
            ).fetchone()
        return None if row is None else parsed(state_type, _state, *row)

    def put(
        self, agent_id: str, name: str, data: Document, *, expected_version: int, now_ms: int, others: Others = None
    ) -> State:
        """Write a state if its version is `expected_version` (0: there is none); else raise `Conflict`."""
        state = State(data, expected_version + 1, now_ms)
        states = {name: (state, expected_version)}
        states |= {other: (State(document, 1, now_ms), 0) for other, document in (others or {}).items()}
        self._put_all(agent_id, states, conflict=f"state {name} is no longer at version {expected_version}")
        return state

    def restore(self, agent_id: str, name: str, state: State, *, after: int) -> None:
        """Write a version of a state as it is if the stored version is `after` (0: there is none); else `Conflict`."""
        self._put_all(agent_id, {name: (state, after)}, conflict=f"state {name} is no longer at version {after}")

    def list_by_prefix(
        self, agent_id: str, prefix: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, sorted by type, with the rest of their type."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT state_type, data, version, updated_ms FROM states WHERE agent_id = ? AND state_type >= ? "
                "AND state_type < ? ORDER BY state_type",
                (agent_id, *prefix_bounds(prefix)),
            ).fetchall()
        states: list[tuple[str, State]] = []
        for name, *columns in rows:
            rest = name.removeprefix(prefix)
            try:
                states.append((rest, parsed(name, _state, *columns)))
            except Damaged as error:
                on_unreadable(Unreadable(rest, error, name))
        return states

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state if it exists."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM states WHERE agent_id = ? AND state_type = ?", (agent_id, state_type))

    def register(self, agent_id: str, decision_types: Iterable[str], write_shards: int, now_ms: int) -> None:
        """Record that an agent makes decisions of these types, spread over this many shards."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO agents (agent_id, write_shards, registered_ms) VALUES (?, ?, ?) ON CONFLICT (agent_id) "
                "DO UPDATE SET write_shards = max(write_shards, excluded.write_shards)",
                (agent_id, write_shards, now_ms),
            )
            connection.executemany(
                "INSERT INTO agent_decision_types (agent_id, decision_type) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(agent_id, one) for one in decision_types],
            )

    def registration(self, agent_id: str) -> Registration:
        """The registration of an agent; an empty one for an unknown agent."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT write_shards, decision_type FROM agents LEFT JOIN agent_decision_types USING (agent_id) "
                "WHERE agent_id = ? ORDER BY decision_type",
                (agent_id,),
            ).fetchall()
        return Registration(tuple(one for _, one in rows if one is not None), rows[0][0]) if rows else Registration()

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        with self._database.reading() as connection:
            return [agent_id for (agent_id,) in connection.execute("SELECT agent_id FROM agents ORDER BY agent_id")]

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        count = erase_rows(self._database, ("states", "agents"), agent_id, dry_run=dry_run)
        erase_rows(self._database, ("agent_decision_types",), agent_id, dry_run=dry_run)  # a part of the registration
        return count

    def _put_all(self, agent_id: str, states: dict[str, tuple[State, int]], *, conflict: str) -> None:
        """Write states in one transaction, each if the stored version is the one beside it."""
        for state, _ in states.values():
            check_item_size(document_attributes({"data": state.data}), "state")
        texts = {name: canonical_json(state.data) for name, (state, _) in states.items()}
        with self._database.writing() as connection:
            for name, (state, after) in states.items():
                if _version(connection, agent_id, name) != after:
                    raise Conflict(conflict)
                connection.execute(
                    "INSERT OR REPLACE INTO states (agent_id, state_type, version, updated_ms, data) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (agent_id, name, state.version, state.updated_ms, texts[name]),
                )


def _version(connection: sqlite3.Connection, agent_id: str, name: str) -> int:
    """The version of a state; 0 if there is none."""
    row = connection.execute(
        "SELECT version FROM states WHERE agent_id = ? AND state_type = ?", (agent_id, name)
    ).fetchone()
    return 0 if row is None else row[0]


def _state(data: str, version: int, updated_ms: int) -> State:
    return State(parsed_json(data), version, updated_ms)
