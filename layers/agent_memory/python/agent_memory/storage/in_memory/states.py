"""States in plain Python."""

import json
from collections.abc import Iterable, Mapping
from threading import Lock

from agent_memory.core.errors import Conflict
from agent_memory.core.json_values import Document, canonical_json, check_json
from agent_memory.model.states import State
from agent_memory.ports.states import Registration


class InMemoryStates:
    """`StateStore` in a dictionary of JSON texts: nothing that is changed outside changes what is stored."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], tuple[str, int, int]] = {}
        self._registered: dict[str, Registration] = {}
        self._writing = Lock()

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        stored = self._states.get((agent_id, state_type))
        if stored is None:
            return None
        text, version, updated_ms = stored
        return State(json.loads(text), version, updated_ms)

    def put(
        self,
        agent_id: str,
        state_type: str,
        data: Document,
        *,
        expected_version: int,
        now_ms: int,
        also_create: Mapping[str, Document] | None = None,
    ) -> State:
        """Write the state, given that its version is `expected_version` (0: none yet); else `Conflict`."""
        documents = {state_type: data, **(also_create or {})}
        for document in documents.values():
            check_json(document, "/data")
        with self._writing:
            for name in documents:
                present = self.get(agent_id, name)
                if (present.version if present else 0) != (expected_version if name == state_type else 0):
                    raise Conflict(f"state {state_type} is no longer at version {expected_version}")
            for name, document in documents.items():
                version = expected_version + 1 if name == state_type else 1
                self._states[agent_id, name] = (canonical_json(document), version, now_ms)
        return State(data, expected_version + 1, now_ms)

    def list_by_prefix(self, agent_id: str, prefix: str) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, in order of their type, with the rest of that."""
        names = sorted(name for owner, name in list(self._states) if owner == agent_id and name.startswith(prefix))
        states = [(name, self.get(agent_id, name)) for name in names]
        return [(name.removeprefix(prefix), state) for name, state in states if state is not None]

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state, if it is there."""
        with self._writing:
            self._states.pop((agent_id, state_type), None)

    def register(
        self,
        agent_id: str,
        decision_types: Iterable[str],
        write_shards: int,
        now_ms: int,  # noqa: ARG002  kept by the table only
    ) -> None:
        """Record that an agent makes decisions of these types, spread over this many shards."""
        known = self.registration(agent_id)
        types = tuple(sorted({*known.decision_types, *decision_types}))
        self._registered[agent_id] = Registration(types, max(known.write_shards, write_shards))

    def registration(self, agent_id: str) -> Registration:
        """What is registered of an agent; an empty registration for an unknown one."""
        return self._registered.get(agent_id, Registration())

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        return sorted(self._registered)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        addresses = [address for address in self._states if address[0] == agent_id]
        count = len(addresses) + (agent_id in self._registered)
        if not dry_run:
            for address in addresses:
                del self._states[address]
            self._registered.pop(agent_id, None)
        return count
