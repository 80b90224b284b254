"""Learning evidence, in one Parquet file per agent."""

import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from agent_memory.core.clock import Span
from agent_memory.core.keys import evidence_key
from agent_memory.model.evidence import Evidence
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.evidence import KnownResult
from agent_memory.storage.parquet.files import columns_of, merge_parquet, stream_parquet, to_parquet

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
        return self.snapshot(agent_id).rows(span)

    def snapshot(self, agent_id: str) -> "ParquetSnapshot":
        """The evidence as it is now."""
        found = self._blobs.read_tagged(evidence_key(agent_id))
        return ParquetSnapshot(self._blobs, agent_id, found.body if found else None, found.tag if found else None)


class ParquetSnapshot:
    """`EvidenceSnapshot` of a file; `body` is None or empty if there is none."""

    def __init__(self, blobs: BlobStore, agent_id: str, body: bytes | None, tag: str | None) -> None:
        self._blobs, self._agent_id = blobs, agent_id
        self._body, self._tag = body, tag

    @property
    def is_complete(self) -> bool:
        """Whether there is a file that has the columns of this version."""
        return bool(self._body) and columns_of(self._body or b"") >= _COLUMNS.keys()

    def rows(self, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read as they are consumed."""
        return evidence_rows(self._body, span) if self._body else iter(())

    def rows_of(self, decision_ids: Collection[str]) -> Iterator[Evidence]:
        """The rows of these decisions, as far as there are any."""
        if not self._body or not decision_ids:
            return iter(())
        where = "decision_id IN (SELECT unnest(?))"
        return _evidence(stream_parquet(self._body, _COLUMNS, where=where, parameters=[list(decision_ids)]))

    def results(self, span: Span) -> Iterator[KnownResult]:
        """The results of a span's rows, read as they are consumed."""
        if not self._body:
            return iter(())
        columns = {name: _COLUMNS[name] for name in KnownResult._fields}
        return map(KnownResult._make, stream_parquet(self._body, columns, **_in_span(span)))

    def merge(self, rows: Iterable[Evidence], *, oldest_ms: int) -> "ParquetSnapshot":
        """Add rows, in place of those of the same decisions, and drop rows older than `oldest_ms`."""
        body = merge_parquet(
            self._body or to_parquet([], _COLUMNS),
            map(_columns_of, rows),
            _COLUMNS,
            key="decision_id",
            where="timestamp_ms >= ?",
            parameters=[oldest_ms],
            order="timestamp_ms, decision_id",
        )
        tag = self._blobs.replace(evidence_key(self._agent_id), body, tag=self._tag)
        return ParquetSnapshot(self._blobs, self._agent_id, body, tag)


def evidence_rows(body: bytes, span: Span) -> Iterator[Evidence]:
    """The rows of an evidence file in a span, ordered by time and id."""
    return _evidence(stream_parquet(body, _COLUMNS, **_in_span(span)))


def _in_span(span: Span) -> dict[str, Any]:
    return {"where": "timestamp_ms BETWEEN ? AND ?", "parameters": [span.start_ms, span.end_ms - 1]}


def _evidence(rows: Iterable[tuple[Any, ...]]) -> Iterator[Evidence]:
    for decision_id, decision_type, at, success, features, known_ms, question, cluster, *earlier in rows:
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
