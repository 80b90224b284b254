"""Learning evidence, in one Parquet file an agent."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from agent_memory.core.clock import Span
from agent_memory.core.keys import evidence_key
from agent_memory.model.evidence import Evidence
from agent_memory.ports.blobs import BlobStore
from agent_memory.storage.parquet.files import merged_parquet, stream_parquet, to_parquet

_COLUMNS = {
    "decision_id": "VARCHAR",
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "success": "BOOLEAN",
    "features": "VARCHAR[]",
}


class ParquetEvidence:
    """`EvidenceStore` on any store of objects."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def read(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read as they are taken."""
        body = self._blobs.read(evidence_key(agent_id))
        return evidence_rows(body, span) if body else iter(())

    def replace(self, agent_id: str, rows: Iterable[Evidence], spans: Sequence[Span], *, oldest_ms: int) -> None:
        """Write `rows` in place of all rows of these spans, and drop those older than `oldest_ms`."""
        before = self._blobs.read(evidence_key(agent_id))
        body = merged_parquet(
            before or to_parquet([], _COLUMNS),
            map(asdict, rows),
            _COLUMNS,
            keep=" AND ".join(["timestamp_ms >= ?", *["NOT timestamp_ms BETWEEN ? AND ?"] * len(spans)]),
            parameters=[oldest_ms, *(edge for span in spans for edge in (span.start_ms, span.end_ms - 1))],
            order="timestamp_ms, decision_id",
        )
        self._blobs.write(evidence_key(agent_id), body)


def evidence_rows(body: bytes, span: Span) -> Iterator[Evidence]:
    """The rows of an evidence file in a span, one after the other in its order: by time and id."""
    keep, parameters = "timestamp_ms BETWEEN ? AND ?", [span.start_ms, span.end_ms - 1]
    for name, kind, at, success, features in stream_parquet(body, _COLUMNS, keep=keep, parameters=parameters):
        yield Evidence(name, kind, at, success, tuple(features))
