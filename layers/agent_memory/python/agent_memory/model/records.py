"""The mapping between decisions, outcomes or memories and stored records, used by every store.

A record is a flat dictionary of plain values. `FIELDS` has the kind of each field of a decision's record; a store
encodes a field by its kind only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from agent_memory.core.errors import TooLarge
from agent_memory.core.json_values import canonical_json
from agent_memory.model.decisions import CONTENT, Decision, Kind, Outcome, SupersededOutcome
from agent_memory.model.memories import Memory

Record = dict[str, Any]

IDENTITY: Mapping[str, Kind] = {
    "agent_id": Kind.TEXT,
    "decision_id": Kind.TEXT,
    "decision_type": Kind.TEXT,
    "timestamp_ms": Kind.TIME,
}
OUTCOME: Mapping[str, Kind] = {
    "success": Kind.BOOLEAN,
    "outcome": Kind.DOCUMENT,
    "metrics": Kind.DOCUMENT,
    "outcome_recorded_ms": Kind.TIME,
    "horizon": Kind.TEXT,
    "other_outcomes": Kind.OUTCOMES,
    "superseded_outcomes": Kind.OUTCOMES,
    "revision": Kind.INTEGER,
}
"""The fields that an outcome or an amendment may change."""

FIELDS: Mapping[str, Kind] = {**IDENTITY, **CONTENT, "ancestors": Kind.COUNTS, **OUTCOME}
"""The fields of a decision's record. `None`, 0 and empty values need not be stored, except for documents."""

OUTCOME_FIELDS = ("success", "outcome", "metrics", "recorded_ms", "horizon")
"""The order of an outcome's fields in a list; a superseded outcome ends with `replaced_ms`."""


def decision_record(decision: Decision) -> Record:
    """The record of a new decision, without outcomes."""
    return {
        "agent_id": decision.agent_id,
        "decision_id": decision.decision_id,
        "decision_type": decision.decision_type,
        "timestamp_ms": decision.timestamp_ms,
        **{name: getattr(decision, name) for name in CONTENT},
        "ancestors": decision.ancestors,
    }


def headline_record(outcome: Outcome | None) -> Record:
    """The fields that a decision's first outcome adds to its record."""
    if outcome is None:
        return {}
    return {
        "success": outcome.success,
        "outcome": outcome.details,
        "metrics": outcome.metrics,
        "outcome_recorded_ms": outcome.recorded_ms,
        "horizon": outcome.horizon,
    }


def outcomes_record(decision: Decision) -> Record:
    """The fields of all of a decision's outcomes."""
    return {
        **headline_record(decision.outcome),
        "other_outcomes": [_outcome_list(one) for one in decision.other_outcomes],
        "superseded_outcomes": [[*_outcome_list(one.outcome), one.replaced_ms] for one in decision.superseded],
        "revision": decision.revision,
    }


def decision_from(record: Mapping[str, Any]) -> Decision:
    """The decision of a record; missing fields have their defaults."""
    content: dict[str, Any] = {}
    for name, kind in CONTENT.items():
        value = record.get(name)
        if value is not None:
            content[name] = tuple(value) if kind is Kind.TEXTS else value
    return Decision(
        agent_id=record["agent_id"],
        decision_id=record["decision_id"],
        decision_type=record["decision_type"],
        timestamp_ms=record["timestamp_ms"],
        **content,
        outcome=_headline(record),
        other_outcomes=tuple([Outcome(*one) for one in record.get("other_outcomes") or ()]),
        superseded=tuple(
            [SupersededOutcome(Outcome(*one[:-1]), one[-1]) for one in record.get("superseded_outcomes") or ()]
        ),
        revision=record.get("revision") or 0,
        ancestors=record.get("ancestors") or {},
    )


def memory_record(memory: Memory) -> Record:
    """The record of one version of a memory."""
    return {one.name: getattr(memory, one.name) for one in fields(Memory)}


def memory_from(record: Mapping[str, Any]) -> Memory:
    """The memory of a record."""
    return Memory(**record)


def _headline(record: Mapping[str, Any]) -> Outcome | None:
    if record.get("success") is None:
        return None
    return Outcome(
        success=record["success"],
        details=record["outcome"],
        metrics=record["metrics"],
        recorded_ms=record["outcome_recorded_ms"],
        horizon=record.get("horizon"),
    )


def _outcome_list(outcome: Outcome) -> Sequence[Any]:
    return [outcome.success, outcome.details, outcome.metrics, outcome.recorded_ms, outcome.horizon]


MAX_DECISION_BYTES = 10_000_000
"""Larger decisions are refused."""


def check_size(content: str) -> None:
    """Check the size of a decision's or an outcome's JSON text; raise `TooLarge` if it exceeds the limit."""
    # A character takes at most four bytes, so that most texts need not be encoded to be measured.
    if 4 * len(content) > MAX_DECISION_BYTES and len(content.encode()) > MAX_DECISION_BYTES:
        raise TooLarge(
            "decision", f"larger than {MAX_DECISION_BYTES:,} bytes; store large data elsewhere and refer to it"
        )


def largest_field(one: Decision | Outcome) -> str:
    """The JSON Pointer, in the input, of the document that takes the most space in a decision or an outcome."""
    documents = (
        {"/context": one.context, "/reasoning": one.reasoning, "/metadata": one.metadata}
        if isinstance(one, Decision)
        else {"/outcome": one.details, "/metrics": one.metrics}
    )
    return max(documents, key=lambda name: len(canonical_json(documents[name])))
