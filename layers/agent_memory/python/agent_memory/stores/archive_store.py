"""What the domain asks of the archive; `stores.base` tells what it asks of the others."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from agent_memory.models import Decision, Document
from agent_memory.stores.base import Span


class ArchiveStore(Protocol):
    """Archived days of decisions: immutable files, one a day and type, each with a manifest."""

    def write_day(self, agent_id: str, decision_type: str, day: date, decisions: Sequence[Decision]) -> Document:
        """Write a day and its manifest, replacing an earlier writing of that day. Returns the manifest."""
        ...

    def read_day(self, agent_id: str, decision_type: str, day: date, span: Span | None = None) -> list[Decision]:
        """The decisions of a day, of a span in it, ordered by time and id; empty where the day was not archived."""
        ...

    def get(self, agent_id: str, decision_type: str, day: date, decision_ids: Sequence[str]) -> list[Decision]:
        """Those of a day's decisions that have these ids, ordered by time and id; little else is read."""
        ...

    def manifest(self, agent_id: str, decision_type: str, day: date) -> Document | None:
        """The manifest of a day, or None where the day was not archived."""
        ...

    def days(self, agent_id: str, decision_type: str) -> list[date]:
        """The days that are archived, oldest first."""
        ...
