"""The rolling evidence of one agent: a row for each decision whose outcome is known.

Nightly learning looks back over months, but reads a decision from the table only in the night after
it was made. From then on its row here, in one small Parquet file, stands for it.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from agent_memory.clock import DAY_MS, day_start_ms
from agent_memory.keys import evidence_key
from agent_memory.learning.evidence import Evidence, evidence_of
from agent_memory.models import Decision
from agent_memory.retention import EVIDENCE_DAYS
from agent_memory.stores.base import BlobStore, Span
from agent_memory.stores.parquet import merged_parquet, stream_parquet, to_parquet

_COLUMNS = {
    "decision_id": "VARCHAR",
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "success": "BOOLEAN",
    "features": "VARCHAR[]",
}
# A night reads its own day and the day before, whose last outcomes came after midnight.
FRESH_DAYS = 2


def fresh_span(day: date) -> Span:
    """The decisions that the night of `day` reads from the table."""
    end_ms = day_start_ms(day) + DAY_MS
    return Span(end_ms - FRESH_DAYS * DAY_MS, end_ms)


def read_evidence(blobs: BlobStore, agent_id: str, span: Span) -> list[Evidence]:
    """The rows of a span, ordered by time and id."""
    body = blobs.read(evidence_key(agent_id))
    return list(evidence_rows(body, span)) if body else []


def renew_evidence(blobs: BlobStore, agent_id: str, day: date, decisions: Iterable[Decision]) -> Iterator[Evidence]:
    """Replace the rows of `fresh_span(day)` by those of `decisions`, and drop what is too old.

    Doing it twice for the same night changes nothing. Returns the rows up to the end of `day`, one after the other.
    """
    span = fresh_span(day)
    oldest_ms = span.end_ms - EVIDENCE_DAYS * DAY_MS
    rows = [_row(evidence) for decision in decisions if (evidence := evidence_of(decision.as_dict()))]
    before = blobs.read(evidence_key(agent_id))
    body = merged_parquet(
        before or to_parquet([], _COLUMNS),
        rows,
        _COLUMNS,
        keep="timestamp_ms >= ? AND NOT timestamp_ms BETWEEN ? AND ?",
        parameters=[oldest_ms, span.start_ms, span.end_ms - 1],
        order="timestamp_ms, decision_id",
    )
    blobs.write(evidence_key(agent_id), body)
    return evidence_rows(body, Span(oldest_ms, span.end_ms))


def evidence_rows(body: bytes, span: Span) -> Iterator[Evidence]:
    """The rows of an evidence file in a span, one after the other in its order: by time and id."""
    keep, parameters = "timestamp_ms BETWEEN ? AND ?", [span.start_ms, span.end_ms - 1]
    for name, kind, at, success, features in stream_parquet(body, _COLUMNS, keep=keep, parameters=parameters):
        yield Evidence(name, kind, at, success, tuple(features))


def _row(evidence: Evidence) -> dict[str, Any]:
    return {
        "decision_id": evidence.decision_id,
        "decision_type": evidence.decision_type,
        "timestamp_ms": evidence.timestamp_ms,
        "success": evidence.success,
        "features": list(evidence.features),
    }
