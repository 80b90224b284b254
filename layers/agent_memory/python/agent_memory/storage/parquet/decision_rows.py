"""An archived decision as a row of a Parquet file and back.

Documents are kept as their canonical JSON text, so that what comes back is exactly what was logged. The agent and the
day stand in the object's key; a decision's time is `timestamp_ms`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from agent_memory.core.json_values import canonical_json
from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome
from agent_memory.model.seals import ROW_HASH

COLUMNS = {
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "decision_id": "VARCHAR",
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
    ROW_HASH: "VARCHAR",
}

FILE_ORDER = ("decision_type", "timestamp_ms")
"""Columns that a day's rows are ordered by, before their ids: like stands beside like, in row groups of one type."""


def rows_from(found: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows with their names, from their values in the order of `COLUMNS`."""
    return [dict(zip(COLUMNS, values, strict=True)) for values in found]


def row_of(decision: Decision) -> dict[str, Any]:
    """A decision as a row, all but its hash."""
    outcome = decision.outcome
    return {
        "decision_type": decision.decision_type,
        "timestamp_ms": decision.timestamp_ms,
        "decision_id": decision.decision_id,
        "context": canonical_json(decision.context),
        "reasoning": canonical_json(decision.reasoning),
        "metadata": canonical_json(decision.metadata),
        "success": outcome.success if outcome else None,
        "outcome": canonical_json(outcome.details) if outcome else None,
        "metrics": canonical_json(outcome.metrics) if outcome else None,
        "outcome_recorded_ms": outcome.recorded_ms if outcome else None,
        "horizon": outcome.horizon if outcome else None,
        "other_outcomes": _list_text([_outcome_list(one) for one in decision.other_outcomes]),
        "superseded_outcomes": _list_text(
            [[*_outcome_list(one.outcome), one.replaced_ms] for one in decision.superseded]
        ),
        "revision": decision.revision,
        "parent_ids": list(decision.parent_ids),
        "memory_ids": list(decision.memory_ids),
    }


def decision_of_row(agent_id: str, row: Mapping[str, Any]) -> Decision:
    """The decision of an agent that a row holds."""
    return Decision(
        agent_id=agent_id,
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
        superseded=tuple(
            SupersededOutcome(Outcome(*one), until) for *one, until in _list_from(row["superseded_outcomes"])
        ),
        revision=row["revision"] or 0,
    )


def _outcome(row: Mapping[str, Any]) -> Outcome | None:
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
