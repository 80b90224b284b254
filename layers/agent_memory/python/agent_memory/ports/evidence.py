"""The interface of a store of learning evidence."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from agent_memory.core.clock import Span
from agent_memory.model.evidence import Evidence


class EvidenceStore(Protocol):
    """Each agent's evidence, one row per decision, ordered by time and id."""

    def read(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read as they are consumed."""
        ...

    def replace(
        self, agent_id: str, rows: Iterable[Evidence], spans: Sequence[Span], *, oldest_ms: int
    ) -> Iterator[Evidence]:
        """Replace the rows of these spans by `rows`, and drop rows older than `oldest_ms`; returns what remains.

        Repeating it changes nothing. The result is what was written, whatever another writer has replaced it by since.

        Raises:
            Conflict: another job has replaced rows meanwhile; nothing is written.
        """
        ...
