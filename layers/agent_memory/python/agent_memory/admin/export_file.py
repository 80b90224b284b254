"""The file of an export: a zip file of lines of JSON, of the agent's objects, and of a description.

    export.json         format, agent, time, registration and counts
    decisions.jsonl     and memories, states, short_term, missing: a line for each
    objects/KEY         the objects of the bucket, but large parts and digests, which the decisions contain

Exports of earlier versions have neither a description nor objects.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from agent_memory.admin import export_rows as rows
from agent_memory.core.checks import check_integer, check_list
from agent_memory.core.clock import parse_instant, to_iso
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.ids import MAX_SHARDS, check_decision_type
from agent_memory.core.json_values import check_object
from agent_memory.core.keys import DIGESTS, object_prefixes
from agent_memory.model.decisions import Decision
from agent_memory.model.memories import Memory
from agent_memory.model.states import State
from agent_memory.ports.states import Registration

T = TypeVar("T")

FORMAT = 2
DESCRIPTION = "export.json"
OBJECTS = "objects/"
NOT_EXPORTED = ("large/", DIGESTS)
"""Prefixes of objects that are neither exported nor imported: large parts and digests, which decisions contain."""

_LINES = ("decisions", "memories", "states", "short_term")
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def description(agent_id: str, now_ms: int, registration: Registration, counts: dict[str, int]) -> bytes:
    """The content of `export.json`."""
    document = {
        "format": FORMAT,
        "agent_id": agent_id,
        "exported_at": to_iso(now_ms),
        "decision_types": list(registration.decision_types),
        "write_shards": registration.write_shards,
        "counts": counts,
    }
    return json.dumps(document, indent=2).encode()


class ExportFile:
    """An export that was opened for reading; a context manager.

    Every method raises `InvalidInput` for what is damaged or not of an export; it names the file and its line.

    Attributes:
        agent_id: the agent whose data it contains.
        exported_ms: when it was written, None in exports of earlier versions.
        registration: the agent's; an empty one in exports of earlier versions.
    """

    def __init__(self, path: Path, agent_id: str) -> None:
        self.agent_id = agent_id
        self._path = path
        with self._intact():
            try:
                self._zip = zipfile.ZipFile(path)
            except OSError as error:
                raise InvalidInput("file", f"{path} cannot be read: {error.strerror or error}") from error
        self._names = set(self._zip.namelist())
        self.exported_ms: int | None = None
        self.registration = Registration()
        self._counts: dict[str, Any] = {}
        self._check_names()
        if DESCRIPTION in self._names:
            self._read_description()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._zip.close()

    def check(self) -> None:
        """Read everything once, so that nothing is written from a file whose end is damaged."""
        readers: dict[str, Callable[[], Iterator[Any]]] = {
            "decisions": self.decisions,
            "memories": self.memories,
            "states": self.states,
            "short_term": self.short_term,
        }
        for name, read in readers.items():
            found = sum(1 for _ in read())
            if found != self._counts.get(name, found):
                raise InvalidInput(f"{name}.jsonl", f"has {found:,} lines; {self._counts[name]:,} were exported")
        prefixes = tuple(object_prefixes(self.agent_id))
        for key in self.object_keys():
            if not key.startswith(prefixes):
                raise InvalidInput(f"{OBJECTS}{key}", f"is not an object of {self.agent_id}")
            self.read_object(key)
        if len(self.object_keys()) != self._counts.get("objects", len(self.object_keys())):
            raise InvalidInput(OBJECTS, f"there are {len(self.object_keys()):,}; {self._counts['objects']:,} exported")

    def decisions(self) -> Iterator[Decision]:
        """The decisions, ordered by time and id."""
        return self._rows("decisions", lambda row: rows.decision_from_row(self.agent_id, row))

    def memories(self) -> Iterator[Memory]:
        """All versions of all memories; those of one memory are adjacent, oldest first."""
        return self._rows("memories", lambda row: rows.memory_from_row(self.agent_id, row))

    def states(self) -> Iterator[tuple[str, State]]:
        """The states by their names."""
        return self._rows("states", rows.state_from_row)

    def short_term(self) -> Iterator[tuple[str, Any]]:
        """The keys of short-term memory and their values."""
        return self._rows("short_term", rows.short_term_from_row)

    def missing(self) -> list[Any]:
        """What could not be exported, each with `id`, `reason` and `why`."""
        return list(self._rows("missing", lambda row: row))

    def object_keys(self) -> list[str]:
        """The keys of the objects, sorted."""
        return sorted(name.removeprefix(OBJECTS) for name in self._names if name.startswith(OBJECTS))

    def read_object(self, key: str) -> bytes:
        """The content of an object."""
        with self._intact():
            return self._zip.read(f"{OBJECTS}{key}")

    def _rows(self, name: str, parse: Callable[[dict[str, Any]], T]) -> Iterator[T]:
        member, number = f"{name}.jsonl", 0
        if member not in self._names:
            return
        with self._intact(), self._zip.open(member) as lines:
            while True:
                number += 1
                place = f"{member} line {number:,}"
                try:
                    line = lines.readline()
                except _DAMAGES as error:
                    raise InvalidInput(place, f"the file is damaged from here on: {error}") from error
                if not line:
                    return
                yield _parsed(place, line, parse)

    def _check_names(self) -> None:
        """Check that there is what an export contains, and nothing else: a damaged list of content has other names."""
        lines = {f"{name}.jsonl" for name in (*_LINES, "missing")}
        objects = {name for name in self._names if name.startswith(OBJECTS)}
        unknown = sorted(self._names - lines - objects - {DESCRIPTION})
        lost = sorted(lines - self._names - {"missing.jsonl"})
        if objects and DESCRIPTION not in self._names:
            lost.append(DESCRIPTION)
        if unknown or lost:
            why = f"it contains {unknown[0]!r:.80}" if unknown else f"it has no {lost[0]}"
            raise InvalidInput("file", f"{self._path} is not an export, or damaged: {why}")

    def _read_description(self) -> None:
        with self._intact():
            _parsed(DESCRIPTION, self._zip.read(DESCRIPTION), self._describe)

    def _describe(self, value: dict[str, Any]) -> None:
        if check_integer("format", value.get("format"), minimum=1) > FORMAT:
            raise InvalidInput("format", f"{value['format']} is of a later version of agent-memory; upgrade it")
        if value.get("agent_id") != self.agent_id:
            owner = shown(value.get("agent_id"))
            raise InvalidInput(
                "agent_id", f"it is {owner}, not {self.agent_id!r}: an agent keeps its id, as in its seals"
            )
        self.exported_ms = parse_instant(value.get("exported_at", ""), "exported_at")
        types = tuple(check_decision_type(one) for one in check_list("decision_types", value.get("decision_types")))
        shards = check_integer("write_shards", value.get("write_shards"), minimum=1, maximum=MAX_SHARDS)
        self.registration = Registration(types, shards)
        counts = check_object("counts", value.get("counts"))
        names = (*_LINES, "objects")
        self._counts = {name: check_integer(f"counts/{name}", counts.get(name), minimum=0) for name in names}

    @contextmanager
    def _intact(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGES as error:
            raise InvalidInput("file", f"{self._path} is damaged or not a zip file: {error}") from error


def _parsed(place: str, line: bytes, parse: Callable[[dict[str, Any]], T]) -> T:
    """The object in a line; `InvalidInput` names the place and what is wrong with it."""
    try:
        row = json.loads(line, parse_constant=_refuse)
        return parse(rows.as_row("line", row))
    except InvalidInput as error:
        raise InvalidInput(place, str(error)) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(place, f"is not JSON: {error}") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
