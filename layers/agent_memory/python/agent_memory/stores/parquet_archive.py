"""The archive: one Parquet file a day, agent and decision type, and beside it its manifest.

Documents are kept as their canonical JSON text, so that what comes back is exactly what was
logged. The manifest's name begins with an underscore: Athena passes over such files.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from agent_memory.clock import to_iso
from agent_memory.codec import canonical_json
from agent_memory.errors import Unavailable
from agent_memory.keys import archive_day_prefix, archive_prefix
from agent_memory.models import Decision, Document, Outcome, Superseded
from agent_memory.stores.base import BlobStore
from agent_memory.stores.parquet import from_parquet, to_parquet

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
        body = to_parquet((_row(decision) for decision in ordered), COLUMNS)
        prefix = archive_day_prefix(agent_id, decision_type, day)
        self._blobs.write(f"{prefix}decisions.parquet", body)
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

    def read_day(self, agent_id: str, decision_type: str, day: date) -> list[Decision]:
        """The decisions of a day, ordered by time and id; empty where the day was not archived."""
        body = self._blobs.read(f"{archive_day_prefix(agent_id, decision_type, day)}decisions.parquet")
        return [_decision(dict(zip(COLUMNS, row, strict=True))) for row in from_parquet(body, COLUMNS)] if body else []

    def restore_day(self, agent_id: str, decision_type: str, day: date) -> None:
        """Ask for a day in cold storage to be readable for a week, which takes up to twelve hours."""
        self._blobs.restore(f"{archive_day_prefix(agent_id, decision_type, day)}decisions.parquet")

    def manifest(self, agent_id: str, decision_type: str, day: date) -> Document | None:
        """The manifest of a day, or None where the day was not archived."""
        body = self._blobs.read(f"{archive_day_prefix(agent_id, decision_type, day)}_manifest.json")
        return json.loads(body) if body else None

    def days(self, agent_id: str, decision_type: str) -> list[date]:
        """The days that are archived, oldest first."""
        prefix = archive_prefix(agent_id, decision_type)
        folders = self._blobs.list_prefixes(prefix)
        return [date.fromisoformat(folder.removeprefix(f"{prefix}date=").rstrip("/")) for folder in folders]


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
