"""The rolling evidence of one agent: a row for each decision whose outcome is known.

Nightly learning looks back over months, but reads a decision from the table only at a few ages (`LOOK_BACK_DAYS`), when
its outcome may have come meanwhile. Otherwise its row here, in one small Parquet file, stands for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from agent_memory.clock import DAY_MS, day_start_ms
from agent_memory.keys import evidence_key
from agent_memory.learning.evidence import Evidence, evidence_of
from agent_memory.models import Decision
from agent_memory.retention import EVIDENCE_DAYS
from agent_memory.stores.base import BlobStore, Span
from agent_memory.stores.parquet import merged_parquet, stream_parquet, to_parquet

_DAY = timedelta(days=1)
_COLUMNS = {
    "decision_id": "VARCHAR",
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "success": "BOOLEAN",
    "features": "VARCHAR[]",
}
# How many days after it was made a decision is read again: an outcome that comes late is learned from at the next age.
LOOK_BACK_DAYS = (0, 1, 3, 7, 14, 29)


def spans_to_read(day: date, learned_through: date | None) -> list[Span]:
    """The days that the night of `day` reads from the table, oldest first, neighbours as one.

    They are those at the ages of `LOOK_BACK_DAYS`, in this night and in each one that was missed since the day that was
    learned last; all that evidence looks back on, where nothing was learned yet.
    """
    oldest = day - timedelta(days=EVIDENCE_DAYS - 1)
    first = day if learned_through and learned_through >= day else max(oldest, (learned_through or date.min) + _DAY)
    nights = [first + n * _DAY for n in range((day - first).days + 1)]
    days = sorted({max(oldest, night - ago * _DAY) for night in nights for ago in LOOK_BACK_DAYS})
    spans: list[Span] = []
    for one in days:
        start_ms = day_start_ms(one)
        if spans and spans[-1].end_ms == start_ms:
            spans[-1] = Span(spans[-1].start_ms, start_ms + DAY_MS)
        else:
            spans.append(Span(start_ms, start_ms + DAY_MS))
    return spans


def read_evidence(blobs: BlobStore, agent_id: str, span: Span) -> list[Evidence]:
    """The rows of a span, ordered by time and id."""
    body = blobs.read(evidence_key(agent_id))
    return list(evidence_rows(body, span)) if body else []


def renew_evidence(
    blobs: BlobStore, agent_id: str, day: date, decisions: Iterable[Decision], spans: Sequence[Span]
) -> Iterator[Evidence]:
    """Replace the rows of these spans by those of `decisions`, and drop what is too old at the end of `day`.

    Doing it twice for the same night changes nothing. Returns the rows up to the end of `day`, one after the other.
    """
    end_ms = day_start_ms(day) + DAY_MS
    oldest_ms = end_ms - EVIDENCE_DAYS * DAY_MS
    rows = [_row(evidence) for decision in decisions if (evidence := evidence_of(decision.as_dict()))]
    before = blobs.read(evidence_key(agent_id))
    body = merged_parquet(
        before or to_parquet([], _COLUMNS),
        rows,
        _COLUMNS,
        keep=" AND ".join(["timestamp_ms >= ?", *["NOT timestamp_ms BETWEEN ? AND ?"] * len(spans)]),
        parameters=[oldest_ms, *(edge for span in spans for edge in (span.start_ms, span.end_ms - 1))],
        order="timestamp_ms, decision_id",
    )
    blobs.write(evidence_key(agent_id), body)
    return evidence_rows(body, Span(oldest_ms, end_ms))


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
