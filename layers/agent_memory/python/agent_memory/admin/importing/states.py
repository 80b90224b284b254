"""Imports states: a later version replaces an earlier one, nothing else is overwritten."""

from collections.abc import Iterable, Mapping

from agent_memory.admin.importing.report import ImportReport, Status
from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.keys import ARCHIVE_CHAIN, ARCHIVE_PROGRESS, REWRITES
from agent_memory.model.states import State
from agent_memory.ports.states import StateStore

KIND = "states"


def belongs_to_archive(name: str) -> bool:
    """Whether a state is a part of the archive, and imported with it only."""
    return name in (ARCHIVE_CHAIN, ARCHIVE_PROGRESS) or name.startswith(REWRITES)


def stored_state(store: StateStore, agent_id: str, name: str) -> State | Damaged | None:
    """The stored state; the error if its item is damaged."""
    try:
        return store.get(agent_id, name)
    except Damaged as error:
        return error


def status_of(exported: State, stored: State | Damaged | None) -> Status:
    """What becomes of an exported state."""
    if stored is None:
        return Status.CREATED
    if isinstance(stored, Damaged):
        return Status.CONFLICT
    if (stored.version, stored.data) == (exported.version, exported.data):
        return Status.UNCHANGED
    if stored.version > exported.version and stored.updated_ms >= exported.updated_ms:
        return Status.NEWER
    if stored.version < exported.version and stored.updated_ms <= exported.updated_ms:
        return Status.UPDATED
    return Status.CONFLICT


def import_states(
    agent_id: str,
    exported: Mapping[str, State],
    names: Iterable[str],
    store: StateStore,
    report: ImportReport,
    *,
    write: bool,
) -> None:
    """Write those of the exported states with these names."""
    for name in names:
        state, stored = exported[name], stored_state(store, agent_id, name)
        if isinstance(stored, Damaged):
            report.conflict(KIND, name, f"the table has it, but its item is damaged: {stored}")
            continue
        status = status_of(state, stored)
        if status is Status.CONFLICT and stored is not None:
            why = f"version {stored.version} is stored, version {state.version} was exported, and both have changed"
            report.conflict(KIND, name, why)
            continue
        if write and status in (Status.CREATED, Status.UPDATED):
            try:
                store.restore(agent_id, name, state, after=stored.version if stored else 0)
            except Conflict as error:
                report.conflict(KIND, name, f"{error}: the agent is running; stop it and import again")
                continue
        report.count(KIND, status)
