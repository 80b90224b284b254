"""The rolling evidence of one agent: a row for each decision whose outcome is known.

Nightly learning looks back over months, but reads a decision from the table only in the night after
it was made. From then on its row here, in one small Parquet file, stands for it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from agent_memory.clock import DAY_MS, day_start_ms
from agent_memory.keys import evidence_key
from agent_memory.learning.evidence import Evidence, evidence_of
from agent_memory.models import Decision
from agent_memory.retention import EVIDENCE_DAYS
from agent_memory.stores.base import BlobStore, Span
from agent_memory.stores.parquet import from_parquet, to_parquet

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


def read_evidence(blobs: BlobStore, agent_id: str) -> list[Evidence]:
    """All rows, ordered by time and id."""
    body = blobs.read(evidence_key(agent_id))
    return [_evidence(row) for row in from_parquet(body, _COLUMNS)] if body else []


def renew_evidence(blobs: BlobStore, agent_id: str, day: date, decisions: Iterable[Decision]) -> list[Evidence]:
    """Replace the rows of `fresh_span(day)` by those of `decisions`, and drop what is too old.

    Doing it twice for the same night changes nothing. Returns the rows up to the end of `day`.
    """
    span = fresh_span(day)
    fresh = [row for decision in decisions if (row := evidence_of(decision.as_dict()))]
    oldest_ms = span.end_ms - EVIDENCE_DAYS * DAY_MS
    kept = [
        row
        for row in read_evidence(blobs, agent_id)
        if row.timestamp_ms >= oldest_ms and not span.start_ms <= row.timestamp_ms < span.end_ms
    ]
    rows = sorted([*kept, *fresh], key=lambda row: (row.timestamp_ms, row.decision_id))
    blobs.write(evidence_key(agent_id), to_parquet((_row(row) for row in rows), _COLUMNS))
    return [row for row in rows if row.timestamp_ms < span.end_ms]


def _row(evidence: Evidence) -> dict[str, Any]:
    return {
        "decision_id": evidence.decision_id,
        "decision_type": evidence.decision_type,
        "timestamp_ms": evidence.timestamp_ms,
        "success": evidence.success,
        "features": list(evidence.features),
    }


def _evidence(row: dict[str, Any]) -> Evidence:
    return Evidence(**{**row, "features": tuple(row["features"])})
