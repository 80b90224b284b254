"""Exports all data of an agent, and erases it."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent_memory.admin.export_file import DESCRIPTION, OBJECTS, description
from agent_memory.admin.export_rows import decision_row, memory_row, short_term_row, state_row
from agent_memory.admin.stored_agent import StoredAgent
from agent_memory.core.clock import Clock, to_iso
from agent_memory.core.errors import InvalidInput, NotFound, Unavailable
from agent_memory.core.files import replacing
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import accesses_prefix, object_prefixes, stm_key
from agent_memory.core.remembered import drop_remembered
from agent_memory.memory.recall_indexes import indexes_of
from agent_memory.model.memories import MemoryType
from agent_memory.ports.stores import Stores

Receipt = dict[str, Any]


class AgentData:
    """An agent's data in tables, cache and bucket. Every method blocks."""

    def __init__(self, agent_id: str, stores: Stores, clock: Clock) -> None:
        self._agent_id = check_agent_id(agent_id)
        self._stores = stores
        self._clock = clock

    def export(self, path: Path, memory_types: Iterable[str] = tuple(MemoryType)) -> Receipt:
        """Write everything to a zip file: decisions, all versions of memories, states, short-term memory and objects.

        Its format is described in `export_file`.

        Args:
            path: of the file; an earlier export is replaced when the new one is complete. A key of short-term memory
                whose value cannot be read has `unreadable`, the reason, instead of `data`.
            memory_types: types of long-term memory to begin with; the agent's others follow.

        Returns:
            A receipt: `agent_id`, `exported_at`, `file`, `sha256`, `counts` by kind, and `complete` and `missing`: the
            items that are damaged and therefore not in the file, except for their names in `missing.jsonl`.

        Raises:
            NotFound: there is no such agent. InvalidInput: the path is that of something else than an export.
            Unavailable: a store did not respond, or the file cannot be written. No file is left behind.
        """
        _check_replaceable(path)
        agent = StoredAgent(self._agent_id, self._stores, self._clock, memory_types)
        kinds: dict[str, Iterator[Mapping[str, Any]]] = {
            "decisions": map(decision_row, agent.decisions()),
            "memories": map(memory_row, agent.memories()),
            "states": (state_row(name, state) for name, state in agent.states()),
            "short_term": (short_term_row(key, value) for key, value in agent.short_term()),
        }
        try:
            with replacing(path) as partial:
                with zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED) as archive:
                    counts = {name: _write_lines(archive, f"{name}.jsonl", rows) for name, rows in kinds.items()}
                    if agent.missing():
                        _write_lines(archive, "missing.jsonl", agent.missing())
                    counts["objects"] = _write_objects(archive, agent)
                    text = description(self._agent_id, self._clock.now_ms(), agent.registration, counts)
                    archive.writestr(DESCRIPTION, text)
                if not any(counts.values()) and not agent.registration.decision_types:
                    raise NotFound(f"there is no agent {self._agent_id}: it has no registration and no data")
                digest = hashlib.sha256(partial.read_bytes()).hexdigest()
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error
        return self._receipt("exported_at", counts) | {"file": str(path), "sha256": digest, **agent.completeness()}

    def forget(self, *, dry_run: bool) -> Receipt:
        """Erase the agent's data, or only count it: short-term memory, decisions, memories, states, archive.

        All versions of objects are erased, and a SQLite file is rewritten without what was erased. Erased data cannot
        be restored, except from backups of the tables (point-in-time recovery) until they expire. After a failure,
        calling it again continues where it stopped.

        Returns:
            A receipt: `agent_id`, `dry_run`, `forgotten_at`, and `counts` by kind.

        Raises:
            Unavailable: a store did not respond; some data may already be erased.
        """
        agent_id, stores = self._agent_id, self._stores
        steps: dict[str, Callable[[], int]] = {
            "decisions_and_links": lambda: stores.decisions.erase(agent_id, dry_run=dry_run),
            "memories_and_versions": lambda: stores.memories.erase(agent_id, dry_run=dry_run),
        }
        if stores.short_term is not None:
            short_term = stores.short_term
            prefixes = (stm_key(agent_id, ""), accesses_prefix(agent_id))
            steps = {"short_term": lambda: sum(short_term.erase(one, dry_run=dry_run) for one in prefixes)} | steps
        if stores.blobs is not None:
            blobs = stores.blobs
            steps["objects_and_versions"] = lambda: sum(
                blobs.erase(prefix, dry_run=dry_run) for prefix in object_prefixes(agent_id)
            )
        # Last, because the nightly job and a second attempt find the agent by its registration.
        steps["states"] = lambda: stores.states.erase(agent_id, dry_run=dry_run)
        counts = {name: step() for name, step in steps.items()}
        if not dry_run:
            drop_remembered(agent_id)
            for store in (stores.memories, stores.decisions):
                indexes_of(store).drop(agent_id)
        if stores.expiry is not None and not dry_run:
            stores.expiry.remove_traces()
        return self._receipt("forgotten_at", counts) | {"dry_run": dry_run}

    def _receipt(self, time_field: str, counts: dict[str, int]) -> Receipt:
        return {"agent_id": self._agent_id, time_field: to_iso(self._clock.now_ms()), "counts": counts}


def _check_replaceable(path: Path) -> None:
    """Check that a path is free or that of a zip file: the database of a store would be lost."""
    try:
        is_free = not path.exists() or (path.is_file() and (zipfile.is_zipfile(path) or path.stat().st_size == 0))
    except OSError as error:
        raise InvalidInput("file", f"{path} cannot be written: {error.strerror}") from error
    if not is_free:
        raise InvalidInput("file", f"{path} exists and is no export; name another file")


def _write_lines(archive: zipfile.ZipFile, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    with archive.open(name, "w", force_zip64=True) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            count += 1
    return count


def _write_objects(archive: zipfile.ZipFile, agent: StoredAgent) -> int:
    """Write the agent's objects; returns how many."""
    count = 0
    for key in agent.object_keys():
        body = agent.find_object(key)
        if body is not None:  # it may have expired since it was listed
            archive.writestr(f"{OBJECTS}{key}", body)
            count += 1
    return count
