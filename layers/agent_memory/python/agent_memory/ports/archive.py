"""What the domain asks of the archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from agent_memory.core.clock import Span
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.seals import Manifest


@dataclass(frozen=True, slots=True)
class PackedDay:
    """A day of decisions, ordered by time and id, as the file that it is to be, and what a manifest says of it."""

    decisions: tuple[Decision, ...]
    body: bytes
    sha256: str
    root: str

    @property
    def with_outcome(self) -> int:
        """How many of the decisions have an outcome."""
        return sum(1 for decision in self.decisions if decision.outcome)


@dataclass(frozen=True, slots=True)
class DayFile:
    """The file of an agent's day as it is found; `rows` is None where it is no Parquet of ours."""

    agent_id: str
    sha256: str
    rows: tuple[Mapping[str, Any], ...] | None


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """One object of the archive. `day` and `revision` are None where its name is none that the archive gives."""

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
        """Decisions of a day as a file. Nothing is written."""
        ...

    def write_file(self, agent_id: str, day: date, packed: PackedDay) -> None:
        """Write the file of a day, replacing an earlier one, and read it back.

        Raises:
            Unavailable: what was read back is not what was written.
        """
        ...

    def write_manifest(self, manifest: Manifest) -> None:
        """Write a manifest under its day and revision."""
        ...

    def file(self, agent_id: str, day: date) -> DayFile | None:
        """The file of a day, whole and unchecked; None where there is none."""
        ...

    def decisions(self, file: DayFile) -> list[Decision]:
        """The decisions of a file."""
        ...

    def read_day(
        self, agent_id: str, day: date, span: Span | None = None, decision_types: Sequence[str] | None = None
    ) -> list[Decision]:
        """The decisions of a day, ordered by time and id; empty where the day was not archived.

        A span in the day, or types, bound what is read. This and every other reading of a file raise `InColdStorage`
        where it has to be restored first.
        """
        ...

    def restore_day(self, agent_id: str, day: date) -> None:
        """Ask for a day in cold storage to be readable for a week, which takes up to twelve hours."""
        ...

    def get(self, agent_id: str, day: date, keys: Sequence[DecisionKey]) -> list[Decision]:
        """Those of a day's decisions that have these keys, ordered by time and id; little else is read."""
        ...

    def manifest(self, agent_id: str, day: date) -> Manifest | None:
        """The manifest of a day's last writing, or None where the day was not archived."""
        ...

    def manifest_body(self, one: ArchivedObject) -> bytes | None:
        """A manifest as it was found."""
        ...

    def days(self, agent_id: str) -> list[date]:
        """The days that are archived, oldest first."""
        ...

    def objects(self, agent_id: str) -> list[ArchivedObject]:
        """Everything that the archive holds of an agent."""
        ...
