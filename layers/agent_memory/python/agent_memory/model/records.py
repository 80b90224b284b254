"""The mapping between decisions, outcomes or memories and stored records, used by every store.

A record is a flat dictionary of plain values. `FIELDS` has the kind of each field of a decision's record; a store
encodes a field by its kind only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from agent_memory.core.clock import to_iso
from agent_memory.core.constructors import constructor_of
from agent_memory.core.errors import TooLarge
from agent_memory.core.json_values import canonical_json
from agent_memory.model.decisions import CONTENT, OPTIONAL, Decision, DecisionDict, Kind, Outcome, SupersededOutcome
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


_NO_VALUES = dict.fromkeys(DecisionDict.__annotations__)

make_memory = constructor_of(Memory)
make_decision, _make_outcome = constructor_of(Decision), constructor_of(Outcome)


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


def decision_from(record: Mapping[str, Any], outcomes: Mapping[str, Any] | None = None) -> Decision:
    """The decision of a record; missing fields have their defaults. Outcomes may be in a record of their own."""
    stored = record if outcomes is None else outcomes
    field, of_outcomes = record.get, stored.get
    others, earlier = of_outcomes("other_outcomes"), of_outcomes("superseded_outcomes")
    return make_decision(
        record["agent_id"],
        record["decision_id"],
        record["decision_type"],
        record["timestamp_ms"],
        record["context"],
        record["reasoning"],
        {} if (metadata := field("metadata")) is None else metadata,
        None if of_outcomes("success") is None else _headline(stored),
        tuple(field("parent_ids") or ()),
        tuple(field("memory_ids") or ()),
        tuple([Outcome(*one) for one in others]) if others else (),
        tuple([SupersededOutcome(Outcome(*one[:-1]), one[-1]) for one in earlier]) if earlier else (),
        of_outcomes("revision") or 0,
        field("ancestors") or {},
        *map(field, OPTIONAL),
    )


def entry_from(record: Record, outcomes: Record | None) -> DecisionDict:
    """`decision_from(record, outcomes).as_dict()`, in a third of the time; the records must not be used any more.

    A record has the fields of the APIs under the same names, but for the times and the further outcomes.
    """
    entry: Any = {
        **_NO_VALUES,
        "other_outcomes": [],
        "superseded_outcomes": [],
        "parent_ids": [],
        "memory_ids": [],
        "metadata": {},
        **record,
        **(outcomes or {}),
    }
    entry["timestamp"] = to_iso(entry.pop("timestamp_ms"))
    entry.pop("ancestors", None)
    is_plain = dict is type(entry["context"]) is type(entry["reasoning"]) is type(entry["metadata"])
    if outcomes:
        entry["outcome_recorded_at"] = to_iso(entry.pop("outcome_recorded_ms"))
        entry.pop("revision", None)
        has_further = entry["other_outcomes"] or entry["superseded_outcomes"]
        is_plain = is_plain and not has_further and dict is type(entry["outcome"]) is type(entry["metrics"])
    if not is_plain or len(entry) != len(_NO_VALUES):
        return decision_from(record, outcomes).as_dict()
    return cast("DecisionDict", entry)


def memory_record(memory: Memory) -> Record:
    """The record of one version of a memory."""
    return {one.name: getattr(memory, one.name) for one in fields(Memory)}


def memory_from(record: Mapping[str, Any]) -> Memory:
    """The memory of a record."""
    return Memory(**record)


def _headline(record: Mapping[str, Any]) -> Outcome:
    return _make_outcome(
        record["success"], record["outcome"], record["metrics"], record["outcome_recorded_ms"], record.get("horizon")
    )


def _outcome_list(outcome: Outcome) -> Sequence[Any]:
    return [outcome.success, outcome.details, outcome.metrics, outcome.recorded_ms, outcome.horizon]


MAX_DECISION_BYTES = 10_000_000
"""Larger decisions are refused."""


def check_size(content: str) -> None:
    """Check the size of a decision's or an outcome's JSON text; raise `TooLarge` if it exceeds the limit."""
    if not is_small(content) and len(content.encode()) > MAX_DECISION_BYTES:
        raise TooLarge(
            "decision", f"larger than {MAX_DECISION_BYTES:,} bytes; store large data elsewhere and refer to it"
        )


def is_small(text: str) -> bool:
    """Whether a text is certainly within the limit: a character takes at most four bytes."""
    return 4 * len(text) <= MAX_DECISION_BYTES


def largest_field(one: Decision | Outcome) -> str:
    """The JSON Pointer, in the input, of the document that takes the most space in a decision or an outcome."""
    documents = (
        {"/context": one.context, "/reasoning": one.reasoning, "/metadata": one.metadata}
        if isinstance(one, Decision)
        else {"/outcome": one.details, "/metrics": one.metrics}
    )
    return max(documents, key=lambda name: len(canonical_json(documents[name])))
