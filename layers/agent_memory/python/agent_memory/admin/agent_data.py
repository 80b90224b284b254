"""Exports all data of an agent, and erases it."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent_memory.admin.export_file import DESCRIPTION, LARGE_PARTS, OBJECTS, description
from agent_memory.admin.export_rows import decision_row, memory_row, short_term_row, state_row
from agent_memory.core.clock import Clock, to_iso
from agent_memory.core.errors import NotFound
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import accesses_prefix, object_prefixes, stm_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.listings import Damages
from agent_memory.model.memories import Memory, MemoryType
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
            path: of the file; an existing file is replaced when the new one is complete. A key of short-term memory
                whose value cannot be read has `unreadable`, the reason, instead of `data`.
            memory_types: types of long-term memory to begin with; the agent's others follow.

        Returns:
            A receipt: `agent_id`, `exported_at`, `file`, `sha256`, `counts` by kind, and `complete` and `missing`: the
            items that are damaged and therefore not in the file, except for their names in `missing.jsonl`.

        Raises:
            NotFound: there is no such agent. Unavailable: a store did not respond. No file is left behind.
        """
        log, damages = DecisionLog(self._agent_id, self._stores, self._clock), Damages()
        decisions = log.stream(DecisionFilter(), newest_first=False, on_unreadable=damages)
        kinds: dict[str, Iterator[Mapping[str, Any]]] = {
            "decisions": map(decision_row, decisions),
            "memories": (
                memory_row(version)
                for kind in dict.fromkeys([*memory_types, *self._stores.memories.types(self._agent_id)])
                for version in self._memories(kind, damages)
            ),
            "states": (
                state_row(name, state)
                for name, state in self._stores.states.list_by_prefix(self._agent_id, "", on_unreadable=damages)
            ),
            "short_term": (short_term_row(key, value) for key, value in self._short_term()),
        }
        partial = path.with_name(f"{path.name}.part")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
                counts = {name: _write_lines(archive, f"{name}.jsonl", rows) for name, rows in kinds.items()}
                if damages.as_dicts():
                    _write_lines(archive, "missing.jsonl", damages.as_dicts())
                registration = self._stores.states.registration(self._agent_id)
                counts["objects"] = self._write_objects(archive)
                archive.writestr(DESCRIPTION, description(self._agent_id, self._clock.now_ms(), registration, counts))
            if not any(counts.values()) and not registration.decision_types:
                raise NotFound(f"there is no agent {self._agent_id}: it has no registration and no data")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._receipt("exported_at", counts) | {"file": str(path), "sha256": digest, **damages.members()}

    def forget(self, *, dry_run: bool) -> Receipt:
        """Erase the agent's data, or only count it: short-term memory, decisions, memories, states, archive.

        All versions of objects are erased. Erased data cannot be restored, except from backups of the tables
        (point-in-time recovery) until they expire. After a failure, calling it again continues where it stopped.

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
        return self._receipt("forgotten_at", counts) | {"dry_run": dry_run}

    def _memories(self, memory_type: str, damages: Damages) -> Iterator[Memory]:
        """All versions of the memories of a type, the current ones with their counts of reads."""
        memories = self._stores.memories
        current = {
            (one.pattern_id, one.version): one
            for one in memories.by_confidence(self._agent_id, memory_type, on_unreadable=damages)
        }
        for version in memories.all_versions(self._agent_id, memory_type, on_unreadable=damages):
            yield version if version.is_removed else current.get((version.pattern_id, version.version), version)

    def _write_objects(self, archive: zipfile.ZipFile) -> int:
        """Write the agent's objects but large parts, which decisions contain; returns how many."""
        blobs = self._stores.blobs
        if blobs is None:
            return 0
        prefixes = [prefix for prefix in object_prefixes(self._agent_id) if not prefix.startswith(LARGE_PARTS)]
        keys = [key for prefix in prefixes for key in blobs.list_keys(prefix)]
        found = 0
        for key in keys:
            body = blobs.read(key)
            if body is not None:  # it may have expired since it was listed
                archive.writestr(f"{OBJECTS}{key}", body)
                found += 1
        return found

    def _short_term(self) -> Iterator[tuple[str, Any]]:
        if self._stores.short_term is not None:
            prefix = stm_key(self._agent_id, "")
            for key, value in self._stores.short_term.dump(prefix):
                yield key.removeprefix(prefix), value

    def _receipt(self, time_field: str, counts: dict[str, int]) -> Receipt:
        return {"agent_id": self._agent_id, time_field: to_iso(self._clock.now_ms()), "counts": counts}


def _write_lines(archive: zipfile.ZipFile, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    with archive.open(name, "w", force_zip64=True) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            count += 1
    return count
