"""States in memory."""

import json
from collections.abc import Iterable

from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.json_values import Document, canonical_json
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.states import State
from agent_memory.ports.states import Others, Registration
from agent_memory.storage.dynamodb.items import check_item_size, document_attributes


class InMemoryStates:
    """`StateStore` in a dictionary of JSON texts, so that changes to a returned object do not change the store."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], tuple[str, int, int]] = {}
        self._registered: dict[str, Registration] = {}
        self._lock = fork_safe_lock()

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        stored = self._states.get((agent_id, state_type))
        if stored is None:
            return None
        text, version, updated_ms = stored
        return State(parsed(state_type, json.loads, text), version, updated_ms)

    def put(
        self, agent_id: str, name: str, data: Document, *, expected_version: int, now_ms: int, others: Others = None
    ) -> State:
        """Write a state if its version is `expected_version` (0: there is none); else raise `Conflict`."""
        documents = {name: data, **(others or {})}
        for document in documents.values():
            check_item_size(document_attributes({"data": document}), "state")
        with self._lock:
            for one in documents:
                stored = self.get(agent_id, one)
                if (stored.version if stored else 0) != (expected_version if one == name else 0):
                    raise Conflict(f"state {name} is no longer at version {expected_version}")
            for one, document in documents.items():
                version = expected_version + 1 if one == name else 1
                self._states[agent_id, one] = (canonical_json(document), version, now_ms)
        return State(data, expected_version + 1, now_ms)

    def restore(self, agent_id: str, name: str, state: State, *, after: int) -> None:
        """Write a version of a state as it is if the stored version is `after` (0: there is none); else `Conflict`."""
        check_item_size(document_attributes({"data": state.data}), "state")
        with self._lock:
            stored = self.get(agent_id, name)
            if (stored.version if stored else 0) != after:
                raise Conflict(f"state {name} is no longer at version {after}")
            self._states[agent_id, name] = (canonical_json(state.data), state.version, state.updated_ms)

    def list_by_prefix(
        self, agent_id: str, prefix: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, sorted by type, with the rest of their type."""
        names = sorted(name for owner, name in list(self._states) if owner == agent_id and name.startswith(prefix))
        states: list[tuple[str, State]] = []
        for name in names:
            try:
                state = self.get(agent_id, name)
            except Damaged as error:
                on_unreadable(Unreadable(name.removeprefix(prefix), error, name))
                continue
            if state is not None:
                states.append((name.removeprefix(prefix), state))
        return states

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state if it exists."""
        with self._lock:
            self._states.pop((agent_id, state_type), None)

    def register(
        self,
        agent_id: str,
        decision_types: Iterable[str],
        write_shards: int,
        now_ms: int,  # noqa: ARG002  only the table stores it
    ) -> None:
        """Record that an agent makes decisions of these types, spread over this many shards."""
        known = self.registration(agent_id)
        types = tuple(sorted({*known.decision_types, *decision_types}))
        self._registered[agent_id] = Registration(types, max(known.write_shards, write_shards))

    def registration(self, agent_id: str) -> Registration:
        """The registration of an agent; an empty one for an unknown agent."""
        return self._registered.get(agent_id, Registration())

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        return sorted(self._registered)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        keys = [key for key in self._states if key[0] == agent_id]
        count = len(keys) + (agent_id in self._registered)
        if not dry_run:
            for key in keys:
                del self._states[key]
            self._registered.pop(agent_id, None)
        return count
