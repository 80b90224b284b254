"""The archive: one Parquet file a day, agent and decision type, and beside it its manifest.

Documents are kept as their canonical JSON text, so that what comes back is exactly what was
logged. The manifest's name begins with an underscore: Athena passes over such files.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from agent_memory.clock import DAY_MS, day_start_ms, to_iso
from agent_memory.codec import canonical_json
from agent_memory.errors import Unavailable
from agent_memory.ids import timestamp_of
from agent_memory.keys import archive_day_prefix, archive_prefix
from agent_memory.models import Decision, Document, Outcome, Superseded
from agent_memory.stores.base import BlobStore, Part, Span
from agent_memory.stores.parquet import from_parquet, to_parquet
from agent_memory.stores.parquet_ranges import IN_SMALL_ROW_GROUPS, ObjectReplaced, rows_at

# A day is replaced by nights only: to meet a second replacement while reading would be a fault.
_ATTEMPTS = 3

COLUMNS = {
    "decision_id": "VARCHAR",
    "agent_id": "VARCHAR",
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "iso_timestamp": "VARCHAR",
    "context": "VARCHAR",
    "reasoning": "VARCHAR",
    "metadata": "VARCHAR",
    "success": "BOOLEAN",
    "outcome": "VARCHAR",
    "metrics": "VARCHAR",
    "outcome_recorded_ms": "BIGINT",
    "horizon": "VARCHAR",
    "other_outcomes": "VARCHAR",
    "superseded_outcomes": "VARCHAR",
    "revision": "BIGINT",
    "parent_ids": "VARCHAR[]",
    "memory_ids": "VARCHAR[]",
}


class ParquetArchive:
    """`ArchiveStore` on any store of whole objects."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def write_day(self, agent_id: str, decision_type: str, day: date, decisions: Sequence[Decision]) -> Document:
        """Write a day, read it back, and only then write its manifest. Returns the manifest.

        Raises:
            Unavailable: what was read back is not what was written.
        """
        ordered = sorted(decisions, key=lambda decision: (decision.timestamp_ms, decision.decision_id))
        body = to_parquet((_row(decision) for decision in ordered), COLUMNS, options=IN_SMALL_ROW_GROUPS)
        prefix = archive_day_prefix(agent_id, decision_type, day)
        self._blobs.write(_file_key(agent_id, decision_type, day), body)
        if self.read_day(agent_id, decision_type, day) != ordered:
            raise Unavailable(f"{prefix}decisions.parquet reads back otherwise than it was written")
        manifest = {
            "agent_id": agent_id,
            "decision_type": decision_type,
            "date": day.isoformat(),
            "rows": len(ordered),
            "with_outcome": sum(1 for decision in ordered if decision.outcome),
            "first": to_iso(ordered[0].timestamp_ms) if ordered else None,
            "last": to_iso(ordered[-1].timestamp_ms) if ordered else None,
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        self._blobs.write(f"{prefix}_manifest.json", canonical_json(manifest).encode())
        return manifest

    def read_day(self, agent_id: str, decision_type: str, day: date, span: Span | None = None) -> list[Decision]:
        """The decisions of a day, of a span in it, ordered by time and id; empty where the day was not archived."""
        key = _file_key(agent_id, decision_type, day)
        day_ms = day_start_ms(day)
        if span is not None and (span.start_ms > day_ms or span.end_ms < day_ms + DAY_MS):
            return self._some(key, [span])
        body = self._blobs.read(key)
        return _decisions(from_parquet(body, COLUMNS)) if body else []

    def get(self, agent_id: str, decision_type: str, day: date, decision_ids: Sequence[str]) -> list[Decision]:
        """Those of a day's decisions that have these ids, ordered by time and id; little else is read."""
        moments = sorted({timestamp_of(one) for one in decision_ids})
        found = self._some(_file_key(agent_id, decision_type, day), [Span(ms, ms + 1) for ms in moments])
        return [decision for decision in found if decision.decision_id in set(decision_ids)]

    def manifest(self, agent_id: str, decision_type: str, day: date) -> Document | None:
        """The manifest of a day, or None where the day was not archived."""
        body = self._blobs.read(f"{archive_day_prefix(agent_id, decision_type, day)}_manifest.json")
        return json.loads(body) if body else None

    def days(self, agent_id: str, decision_type: str) -> list[date]:
        """The days that are archived, oldest first."""
        prefix = archive_prefix(agent_id, decision_type)
        folders = self._blobs.list_prefixes(prefix)
        return [date.fromisoformat(folder.removeprefix(f"{prefix}date=").rstrip("/")) for folder in folders]

    def _some(self, key: str, spans: Sequence[Span]) -> list[Decision]:
        """The decisions in spans, by reading parts of the file."""

        def read(start: int, end: int | None) -> Part:
            part = self._blobs.read_part(key, start, end)
            if part is None:
                raise FileNotFoundError
            return part

        for _ in range(_ATTEMPTS):
            try:
                return _decisions(rows_at(read, COLUMNS, "timestamp_ms", spans))
            except FileNotFoundError:
                return []
            except ObjectReplaced:
                continue
        raise Unavailable(f"{key} kept being replaced while it was read")


def _file_key(agent_id: str, decision_type: str, day: date) -> str:
    return f"{archive_day_prefix(agent_id, decision_type, day)}decisions.parquet"


def _decisions(rows: Iterable[tuple[Any, ...]]) -> list[Decision]:
    return [_decision(dict(zip(COLUMNS, row, strict=True))) for row in rows]


def _row(decision: Decision) -> dict[str, Any]:
    outcome = decision.outcome
    return {
        "decision_id": decision.decision_id,
        "agent_id": decision.agent_id,
        "decision_type": decision.decision_type,
        "timestamp_ms": decision.timestamp_ms,
        "iso_timestamp": to_iso(decision.timestamp_ms),
        "context": canonical_json(decision.context),
        "reasoning": canonical_json(decision.reasoning),
        "metadata": canonical_json(decision.metadata),
        "success": outcome.success if outcome else None,
        "outcome": canonical_json(outcome.details) if outcome else None,
        "metrics": canonical_json(outcome.metrics) if outcome else None,
        "outcome_recorded_ms": outcome.recorded_ms if outcome else None,
        "horizon": outcome.horizon if outcome else None,
        "other_outcomes": _list_text([_outcome_list(one) for one in decision.other_outcomes]),
        "superseded_outcomes": _list_text([[*_outcome_list(one.outcome), one.until_ms] for one in decision.superseded]),
        "revision": decision.revision,
        "parent_ids": list(decision.parent_ids),
        "memory_ids": list(decision.memory_ids),
    }


def _decision(row: dict[str, Any]) -> Decision:
    return Decision(
        agent_id=row["agent_id"],
        decision_id=row["decision_id"],
        decision_type=row["decision_type"],
        timestamp_ms=row["timestamp_ms"],
        context=json.loads(row["context"]),
        reasoning=json.loads(row["reasoning"]),
        metadata=json.loads(row["metadata"]),
        outcome=_outcome(row),
        parent_ids=tuple(row["parent_ids"] or ()),
        memory_ids=tuple(row["memory_ids"] or ()),
        other_outcomes=tuple(Outcome(*one) for one in _list_from(row["other_outcomes"])),
        superseded=tuple(Superseded(Outcome(*one), until) for *one, until in _list_from(row["superseded_outcomes"])),
        revision=row["revision"] or 0,
    )


def _outcome(row: dict[str, Any]) -> Outcome | None:
    if row["success"] is None:
        return None
    return Outcome(
        success=row["success"],
        details=json.loads(row["outcome"]),
        metrics=json.loads(row["metrics"]),
        recorded_ms=row["outcome_recorded_ms"],
        horizon=row["horizon"],
    )


def _outcome_list(outcome: Outcome) -> list[Any]:
    """The fields of an outcome in their order."""
    return [outcome.success, outcome.details, outcome.metrics, outcome.recorded_ms, outcome.horizon]


def _list_text(values: list[Any]) -> str | None:
    return canonical_json(values) if values else None


def _list_from(text: str | None) -> list[Any]:
    return json.loads(text) if text else []
