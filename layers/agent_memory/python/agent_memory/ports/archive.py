"""The interface of the archive."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from agent_memory.core.clock import Span
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.seals import Manifest
from agent_memory.ports.decisions import Selection


@dataclass(frozen=True, slots=True)
class PackedDay:
    """A day of decisions, ordered by time and id, with the bytes of its file and the hashes for its manifest."""

    decisions: tuple[Decision, ...]
    body: bytes
    sha256: str
    root: str

    @property
    def with_outcome(self) -> int:
        """The number of decisions that have an outcome."""
        return sum(1 for decision in self.decisions if decision.outcome)


@dataclass(frozen=True, slots=True)
class DayFile:
    """The stored file of an agent's day; `rows` is None if it cannot be read, `tag` that of the object's version."""

    agent_id: str
    sha256: str
    rows: "FileRows | None"
    tag: str


class FileRows(Protocol):
    """The rows of a file by the names of columns. They can be read several times, which takes time each time."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """One object of the archive: a day's file (`revision` is None), a manifest, or neither (both are None)."""

    key: str
    day: date | None = None
    revision: int | None = None

    @property
    def is_file(self) -> bool:
        """Whether it is the file of a day."""
        return self.day is not None and self.revision is None


class ArchiveStore(Protocol):
    """Archived days of decisions: one file for each day of an agent, and a manifest for each time it was written."""

    def pack(self, decisions: Sequence[Decision]) -> PackedDay:
        """Encode a day of decisions as a file. Nothing is written."""
        ...

    def write_file(self, agent_id: str, day: date, packed: PackedDay, *, replaced: DayFile | None) -> None:
        """Write the file of a day in place of `replaced`, None if there is none, and read it back.

        Raises:
            Conflict: the stored file is not `replaced`, or another job has replaced the one written.
            Unavailable: the file reads back differently.
        """
        ...

    def write_manifest(self, manifest: Manifest) -> None:
        """Write a manifest under the key of its day and revision."""
        ...

    def file(self, agent_id: str, day: date) -> DayFile | None:
        """The file of a day, not verified; None if there is none."""
        ...

    def decisions(self, file: DayFile, like: Mapping[str, Decision] | None = None) -> list[Decision]:
        """The decisions of a file, ordered by time and id.

        One that equals the one of its id in `like` is the same object, which takes no memory of its own.
        """
        ...

    def read_day(
        self, agent_id: str, day: date, span: Span | None = None, decision_types: Sequence[str] | None = None
    ) -> list[Decision]:
        """The decisions of a day, ordered by time and id; empty if the day was not archived.

        A span in the day, or types, limit what is read. This and every other method that reads a file raise
        `InColdStorage` if it has to be restored first.
        """
        ...

    def select(self, agent_id: str, day: date, span: Span, selection: Selection) -> list[Decision]:
        """The decisions of a day and span that meet a selection as they were archived, ordered by time and id.

        Of the others only the columns that the conditions are about are read.
        """
        ...

    def restore_day(self, agent_id: str, day: date) -> None:
        """Request that a day in cold storage be readable for a week, which takes up to twelve hours."""
        ...

    def get(self, agent_id: str, day: date, keys: Sequence[DecisionKey]) -> list[Decision]:
        """The decisions of a day with these keys, ordered by time and id; only parts of the file are read."""
        ...

    def manifest(self, agent_id: str, day: date) -> Manifest | None:
        """The manifest of a day's last revision, or None if the day was not archived."""
        ...

    def manifest_body(self, one: ArchivedObject) -> bytes | None:
        """The bytes of a manifest; None if there is no such object."""
        ...

    def days(self, agent_id: str) -> list[date]:
        """The archived days, oldest first."""
        ...

    def objects(self, agent_id: str, day: date | None = None) -> list[ArchivedObject]:
        """All objects of an agent's archive, or of one day of it."""
        ...
