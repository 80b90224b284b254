"""The state of one agent: the current one, named checkpoints, and the history of its configuration.

The table is authoritative. Short-term memory caches the current state for a few minutes:

    save      to the table if the version is the expected one  ->  to the cache, unless it has a later version
    load      from the cache  ->  from the table if the state has expired there or the cache does not respond
"""

from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from typing import Any

from agent_memory.core.checks import check_boolean, check_expected_version
from agent_memory.core.clock import Clock, to_iso
from agent_memory.core.errors import Conflict, Damaged, NotFound, Unavailable
from agent_memory.core.ids import check_checkpoint
from agent_memory.core.json_values import Document, canonical_json, check_object
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
from agent_memory.model.listings import MAX_ANSWER_BYTES, Listing, Unreadable, fitting_rows, parsed
from agent_memory.model.states import State
from agent_memory.ports.short_term import GetVersioned, SetIfNewer
from agent_memory.ports.states import StateStore

CONFIGURATION = "configuration"
"""The field of the state whose changes are all kept."""


class AgentStates:
    """Reads and writes the states of one agent. Every method blocks; agents use `MemoryManager`."""

    def __init__(
        self,
        agent_id: str,
        store: StateStore,
        clock: Clock,
        short_term: ShortTermMemory,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._max_answer_bytes = max_answer_bytes
        self._agent_id = agent_id
        self._store = store
        self._clock = clock
        self._cache = _StateCache(short_term)

    def current(self, *, fresh: bool = False) -> State | None:
        """The current state, or None if none was saved; with `fresh`, the cache is not used."""
        state = None if check_boolean("fresh", fresh) else self._cache.get()
        if state is None:
            state = self._store.get(self._agent_id, CURRENT_STATE)
            if state is not None:
                self._cache.put(state)
        return state

    def save(self, data: Document, *, expected_version: int | None = None) -> State:
        """Save the current state; with `expected_version` (0: none yet), only if that is the current version.

        A change of `data["configuration"]` is added to its history in the same transaction.

        Raises:
            InvalidInput: names the field. Conflict: another version is the current one.
        """
        data = check_object("state", data, "")
        expected_version = check_expected_version(expected_version)

        def replace() -> State:
            current = self.current(fresh=True)
            version = current.version if current else 0
            if expected_version not in (None, version):
                raise Conflict(f"the current state of {self._agent_id} is at version {version}, not {expected_version}")
            return self._replace(current, data)

        saved = replace() if expected_version is not None else retry_conflicts(replace)
        self._cache.put(saved)
        return saved

    def checkpoint(self, name: str) -> State:
        """Copy the current state to a checkpoint, replacing an earlier one of that name.

        Raises:
            InvalidInput: an invalid name. NotFound: there is no current state. Conflict: another writer came first.
        """
        state_type = checkpoint_state_type(check_checkpoint(name))
        current, earlier = self.current(fresh=True), self._store.get(self._agent_id, state_type)
        if current is None:
            raise NotFound(f"{self._agent_id} has no current state")
        now_ms, version = self._clock.now_ms(), earlier.version if earlier else 0
        return self._store.put(self._agent_id, state_type, current.data, expected_version=version, now_ms=now_ms)

    def checkpoints(self) -> Listing[dict[str, Any]]:
        """Name, version and time of every checkpoint, ordered by name."""
        return self._list(CHECKPOINTS, _checkpoint, id_of=itemgetter("name"))

    def restore(self, name: str, *, expected_version: int | None = None) -> State:
        """Make a checkpoint the current state again, as its next version.

        Raises:
            InvalidInput: an invalid name. NotFound: no such checkpoint. Conflict: another version is the current one.
        """
        check_expected_version(expected_version)
        name = check_checkpoint(name)
        checkpoint = self._store.get(self._agent_id, checkpoint_state_type(name))
        if checkpoint is None:
            raise NotFound(f"{self._agent_id} has no checkpoint {name}")
        return self.save(checkpoint.data, expected_version=expected_version)

    def configurations(self) -> Listing[dict[str, Any]]:
        """Every configuration that the agent had, oldest first, with the version of the state that introduced it."""
        return self._list(CONFIGURATIONS, _configuration, id_of=lambda one: f"{one['state_version']:010d}")

    def _list(
        self,
        prefix: str,
        convert: Callable[[str, State], dict[str, Any]],
        *,
        id_of: Callable[[dict[str, Any]], str],
    ) -> Listing[dict[str, Any]]:
        """The states whose type begins with a prefix, each converted from the rest of its type and the state."""
        unreadable: list[Unreadable] = []
        entries: list[dict[str, Any]] = []
        for name, state in self._store.list_by_prefix(self._agent_id, prefix, on_unreadable=unreadable.append):
            try:
                entries.append(parsed(name, convert, name, state))
            except Damaged as error:
                unreadable.append(Unreadable(name, error))
        return fitting_rows(entries, unreadable, id_of=id_of, max_bytes=self._max_answer_bytes)

    def _replace(self, current: State | None, data: Document) -> State:
        version = current.version if current else 0
        before, after = (current.data if current else {}).get(CONFIGURATION), data.get(CONFIGURATION)
        is_changed = canonical_json(before) != canonical_json(after)
        return self._store.put(
            self._agent_id,
            CURRENT_STATE,
            data,
            expected_version=version,
            now_ms=self._clock.now_ms(),
            others={configuration_state_type(version + 1): {CONFIGURATION: after}} if is_changed else None,
        )


def _checkpoint(name: str, state: State) -> dict[str, Any]:
    return {"name": name, "version": state.version, "saved_at": to_iso(state.updated_ms)}


def _configuration(version: str, state: State) -> dict[str, Any]:
    return {
        "state_version": int(version),
        "since": to_iso(state.updated_ms),
        CONFIGURATION: state.data[CONFIGURATION],
    }


class _StateCache:
    """The current state in short-term memory. Without a cache, or if it does not respond, `get` returns None."""

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
        value, version = found
        try:
            return State(value["data"], version, value["updated_ms"])
        except (TypeError, KeyError):  # written by something else; the table has the state
            return None

    def put(self, state: State) -> None:
        if not self._short_term.is_configured:
            return
        value = {"data": state.data, "updated_ms": state.updated_ms}
        with suppress(Unavailable):  # the state is in the table
            self._short_term.run([SetIfNewer(self._short_term.key(STM_STATE), value, state.version, STATE_SECONDS)])
