"""The interface of a store of learning evidence."""

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from agent_memory.core.clock import Span
from agent_memory.model.evidence import Evidence

DEFAULT_ROWS_PER_PART = 200_000
"""The decisions of which evidence is in one object, and that one machine reads of a day, at most."""
MAX_ROWS_PER_PART = 1_000_000
"""So many a machine can read within 15 minutes."""


class EvidenceSnapshot(Protocol):
    """The evidence of an agent at one moment, one row per decision, ordered by time and id."""

    @property
    def is_complete(self) -> bool:
        """Whether there is evidence that says since when outcomes are known and which decisions have none."""
        ...

    def row_counts(self) -> dict[Span, int]:
        """How many rows each part has, of evidence in several parts; empty for evidence in one."""
        ...

    def rows(self, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read as they are consumed."""
        ...

    def rows_of(self, decision_ids: Collection[str]) -> Iterator[Evidence]:
        """The rows of these decisions, as far as there are any."""
        ...

    def merge(self, rows: Iterable[Evidence], *, oldest_ms: int) -> "EvidenceSnapshot":
        """Add rows, in place of those of the same decisions, and drop rows older than `oldest_ms`.

        Only the parts that the rows belong to are written. Rows that are ordered by time need no more memory than
        those of a part. Repeating it changes nothing. The result is what was written, whatever another writer has
        replaced it by since.

        Raises:
            Conflict: another job has replaced the evidence since it was read; nothing is written.
        """
        ...


class EvidenceStore(Protocol):
    """The evidence of each agent."""

    def read(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """The rows of a span, ordered by time and id, read as they are consumed."""
        ...

    def of_experiments(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """Of the rows of a span, those that belong to an experiment; the others are not read into memory."""
        ...

    def snapshot(self, agent_id: str) -> EvidenceSnapshot:
        """The evidence as it is now."""
        ...
