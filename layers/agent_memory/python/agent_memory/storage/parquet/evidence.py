"""Learning evidence, in one Parquet file per agent."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from agent_memory.core.clock import END_OF_TIME_MS, Span
from agent_memory.core.keys import evidence_key
from agent_memory.model.evidence import Evidence
from agent_memory.ports.blobs import BlobStore
from agent_memory.storage.parquet.files import merge_parquet, stream_parquet, to_parquet

_COLUMNS = {
    "decision_id": "VARCHAR",
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "success": "BOOLEAN",
    "features": "VARCHAR[]",
    "known_ms": "BIGINT",
    "question": "VARCHAR",
    "cluster": "VARCHAR",
    "earlier_ms": "BIGINT[]",
    "earlier_success": "BOOLEAN[]",
}


class ParquetEvidence:
    """`EvidenceStore` on any store of objects."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def read(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read as they are consumed."""
        body = self._blobs.read(evidence_key(agent_id))
        return evidence_rows(body, span) if body else iter(())

    def replace(
        self, agent_id: str, rows: Iterable[Evidence], spans: Sequence[Span], *, oldest_ms: int
    ) -> Iterator[Evidence]:
        """Replace the rows of these spans by `rows`, and drop rows older than `oldest_ms`; returns what remains.

        Raises:
            Conflict: another job has replaced rows meanwhile.
        """
        before = self._blobs.read_tagged(evidence_key(agent_id))
        body = merge_parquet(
            before.body if before and before.body else to_parquet([], _COLUMNS),
            map(_columns_of, rows),
            _COLUMNS,
            where=" AND ".join(["timestamp_ms >= ?", *["NOT timestamp_ms BETWEEN ? AND ?"] * len(spans)]),
            parameters=[oldest_ms, *(edge for span in spans for edge in (span.start_ms, span.end_ms - 1))],
            order="timestamp_ms, decision_id",
        )
        self._blobs.replace(evidence_key(agent_id), body, tag=before.tag if before else None)
        return evidence_rows(body, Span(oldest_ms, END_OF_TIME_MS))


def evidence_rows(body: bytes, span: Span) -> Iterator[Evidence]:
    """The rows of an evidence file in a span, ordered by time and id."""
    where, parameters = "timestamp_ms BETWEEN ? AND ?", [span.start_ms, span.end_ms - 1]
    columns = stream_parquet(body, _COLUMNS, where=where, parameters=parameters)
    for decision_id, decision_type, at, success, features, known_ms, question, cluster, *earlier in columns:
        yield Evidence(
            decision_id,
            decision_type,
            at,
            success,
            tuple(features),
            # Files of earlier versions have none of the columns from here on.
            at if known_ms is None else known_ms,
            sys.intern(question) if question else "",
            cluster or "",
            tuple(zip(*earlier, strict=True)) if earlier[0] else (),
        )


def _columns_of(row: Evidence) -> dict[str, Any]:
    return {
        "decision_id": row.decision_id,
        "decision_type": row.decision_type,
        "timestamp_ms": row.timestamp_ms,
        "success": row.success,
        "features": row.features,
        "known_ms": row.known_ms,
        "question": row.question,
        "cluster": row.cluster,
        "earlier_ms": [known_ms for known_ms, _ in row.earlier],
        "earlier_success": [success for _, success in row.earlier],
    }
