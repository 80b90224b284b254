"""The state of one agent: the current one, named checkpoints to go back to, and every configuration it ever had.

The table is the truth. The current state lies in short-term memory as well, for the minutes of a session:

    save      table, on condition of its version  ->  short-term memory, unless a later version is there
    load      short-term memory  ->  table where it has vanished or the cache does not answer
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agent_memory.core.checks import check_expected_version
from agent_memory.core.clock import Clock, to_iso
from agent_memory.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from agent_memory.core.ids import check_checkpoint
from agent_memory.core.json_values import Document, canonical_json, check_json
from agent_memory.core.keys import (
    CHECKPOINTS,
    CONFIGURATIONS,
    CURRENT_STATE,
    STM_STATE,
    checkpoint_state_type,
    configuration_state_type,
)
from agent_memory.core.retention import STATE_SECONDS
from agent_memory.core.retries import retry_conflicts
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.states import State
from agent_memory.ports.short_term import GetVersioned, SetIfNewer
from agent_memory.ports.states import StateStore

CONFIGURATION = "configuration"
"""The field of the state whose every change is kept."""


class AgentStates:
    """Reads and writes the states of one agent. Every method blocks; `MemoryManager` is the async face."""

    def __init__(self, agent_id: str, store: StateStore, clock: Clock, short_term: ShortTermMemory) -> None:
        self._agent_id = agent_id
        self._store = store
        self._clock = clock
        self._session = _Session(short_term)

    def current(self, *, fresh: bool = False) -> State | None:
        """The current state, None where none was saved; with `fresh` from the table, whatever the session holds."""
        found = None if fresh else self._session.get()
        if found is None:
            found = self._store.get(self._agent_id, CURRENT_STATE)
            if found is not None:
                self._session.keep(found)
        return found

    def save(self, data: Document, *, expected_version: int | None = None) -> State:
        """Make this the current state; with `expected_version` (0: none yet) only in place of that version.

        A change of `data["configuration"]` is kept as well, in the same transaction.

        Raises:
            InvalidInput: names the field. Conflict: another version is the current one.
        """
        if not isinstance(data, Mapping):
            raise InvalidInput("state", f"expected a JSON object, got {type(data).__name__}")
        check_json(data)
        check_expected_version(expected_version)

        def replace() -> State:
            present = self.current(fresh=True)
            version = present.version if present else 0
            if expected_version not in (None, version):
                raise Conflict(f"the current state of {self._agent_id} is at version {version}, not {expected_version}")
            return self._replace(present, data)

        saved = replace() if expected_version is not None else retry_conflicts(replace)
        self._session.keep(saved)
        return saved

    def checkpoint(self, name: str) -> State:
        """Keep the current state under a name; an earlier checkpoint of that name is replaced.

        Raises:
            InvalidInput: an unusable name. NotFound: there is no current state. Conflict: another writer came first.
        """
        kind = checkpoint_state_type(check_checkpoint(name))
        present, earlier = self.current(fresh=True), self._store.get(self._agent_id, kind)
        if present is None:
            raise NotFound(f"{self._agent_id} has no current state to keep")
        now_ms, version = self._clock.now_ms(), earlier.version if earlier else 0
        return self._store.put(self._agent_id, kind, present.data, expected_version=version, now_ms=now_ms)

    def checkpoints(self) -> list[dict[str, Any]]:
        """Name, version and time of every checkpoint, in order of their names."""
        found = self._store.list_by_prefix(self._agent_id, CHECKPOINTS)
        return [{"name": name, "version": state.version, "saved_at": to_iso(state.updated_ms)} for name, state in found]

    def restore(self, name: str, *, expected_version: int | None = None) -> State:
        """Make a checkpoint the current state again, as its next version.

        Raises:
            InvalidInput: an unusable name. NotFound: no such checkpoint. Conflict: another version is the current one.
        """
        kept = self._store.get(self._agent_id, checkpoint_state_type(check_checkpoint(name)))
        if kept is None:
            raise NotFound(f"{self._agent_id} has no checkpoint {name}")
        return self.save(kept.data, expected_version=expected_version)

    def configurations(self) -> list[dict[str, Any]]:
        """Every configuration that the agent had, oldest first, with the version of the state that brought it."""
        found = self._store.list_by_prefix(self._agent_id, CONFIGURATIONS)
        return [
            {"state_version": int(version), "since": to_iso(state.updated_ms), CONFIGURATION: state.data[CONFIGURATION]}
            for version, state in found
        ]

    def _replace(self, present: State | None, data: Document) -> State:
        version = present.version if present else 0
        before, after = (present.data if present else {}).get(CONFIGURATION), data.get(CONFIGURATION)
        is_changed = canonical_json(before) != canonical_json(after)
        return self._store.put(
            self._agent_id,
            CURRENT_STATE,
            data,
            expected_version=version,
            now_ms=self._clock.now_ms(),
            also_create={configuration_state_type(version + 1): {CONFIGURATION: after}} if is_changed else None,
        )


class _Session:
    """The current state in short-term memory; without a cache, or while it is away, there is none."""

    def __init__(self, short_term: ShortTermMemory) -> None:
        self._short_term = short_term

    def get(self) -> State | None:
        if not self._short_term.is_configured:
            return None
        try:
            (found,) = self._short_term.run([GetVersioned(self._short_term.key(STM_STATE))])
        except Unavailable:
            return None
        if found is None:
            return None
        kept, version = found
        return State(kept["data"], version, kept["updated_ms"])

    def keep(self, state: State) -> None:
        if not self._short_term.is_configured:
            return
        kept = {"data": state.data, "updated_ms": state.updated_ms}
        with suppress(Unavailable):  # it is in the table
            self._short_term.run([SetIfNewer(self._short_term.key(STM_STATE), kept, state.version, STATE_SECONDS)])
