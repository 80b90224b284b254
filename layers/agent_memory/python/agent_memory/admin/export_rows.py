"""The rows of an export: decisions, memories, states and short-term memory as lines of JSON, and back.

A row is what the APIs return, with what they leave out beside it, so that the row is read back as the same object.
Exports of earlier versions have neither `revision` and `ancestors` of decisions nor the counts of reads; what follows
from the rest is computed.
"""

from collections.abc import Mapping
from typing import Any

from agent_memory.core import ids
from agent_memory.core.checks import check_boolean, check_integer, check_propensity, check_text
from agent_memory.core.clock import parse_instant
from agent_memory.core.errors import InvalidInput, Unreadable, shown
from agent_memory.core.json_values import check_object
from agent_memory.model.decisions import CONTENT, OPTIONAL, Decision, Kind, Outcome, SupersededOutcome
from agent_memory.model.memories import Memory
from agent_memory.model.states import State

Row = Mapping[str, Any]

_HIDDEN = "hidden_data"
"""The member of a memory's row with the fields of its data whose names the row uses for something else."""
_NOT_DATA = frozenset(Memory("a", "A", "a", None, {}, 0, 0, 1).as_dict()) | {"removed", _HIDDEN}
"""The names in a memory's row that are not those of its data."""
_MAX_NAME = 1_100


def decision_row(decision: Decision) -> dict[str, Any]:
    """The row of a decision with its outcomes."""
    return {**decision.as_dict(), "revision": decision.revision, "ancestors": dict(sorted(decision.ancestors.items()))}


def decision_from_row(agent_id: str, row: Row) -> Decision:
    """The decision of a row. Raises `InvalidInput`, which names the field."""
    _check_agent(agent_id, row)
    decision_id = ids.check_decision_id(_member(row, "decision_id"))
    decision_type = ids.check_decision_type(_member(row, "decision_type"))
    timestamp_ms = parse_instant(_member(row, "timestamp"))
    parts = ids.parse_decision_id(decision_id)
    if (parts.timestamp_ms, parts.type_tag) != (timestamp_ms, ids.type_tag(decision_type)):
        raise InvalidInput("decision_id", f"{decision_id} is the id of a decision of another time or type")
    others = tuple(_outcome(one) for one in _objects(row, "other_outcomes"))
    superseded = tuple(
        SupersededOutcome(_outcome(one), parse_instant(_member(one, "replaced_at"), "replaced_at"))
        for one in _objects(row, "superseded_outcomes")
    )
    return Decision(
        agent_id=agent_id,
        decision_id=decision_id,
        decision_type=decision_type,
        timestamp_ms=timestamp_ms,
        context=check_object("context", _member(row, "context")),
        reasoning=check_object("reasoning", _member(row, "reasoning")),
        metadata=check_object("metadata", row.get("metadata", {})),
        outcome=_headline(row),
        parent_ids=tuple(ids.check_decision_id(one, "parent_ids") for one in _items(row, "parent_ids")),
        memory_ids=tuple(check_text("memory_ids", one) for one in _items(row, "memory_ids")),
        **{name: _optional(row, name) for name in OPTIONAL},
        other_outcomes=others,
        superseded=superseded,
        revision=check_integer("revision", row.get("revision", len(others) + len(superseded)), minimum=0),
        ancestors={
            ids.check_decision_id(name, "ancestors"): check_integer("ancestors", steps, minimum=1)
            for name, steps in check_object("ancestors", row.get("ancestors", {})).items()
        },
    )


def memory_row(memory: Memory) -> dict[str, Any]:
    """The row of one version of a memory."""
    hidden = {name: value for name, value in memory.data.items() if name in _NOT_DATA}
    row = {**memory.as_dict(), "removed": memory.is_removed}
    return row | {_HIDDEN: hidden} if hidden else row


def memory_from_row(agent_id: str, row: Row) -> Memory:
    """The version of a memory in a row. Raises `InvalidInput`, which names the field."""
    _check_agent(agent_id, row)
    confidence, last_accessed = _member(row, "confidence"), row.get("last_accessed")
    if confidence is not None and (type(confidence) not in (int, float) or not 0 <= confidence <= 1):
        raise InvalidInput("confidence", f"{confidence!r:.40} is not a number from 0 to 1")
    data = {name: value for name, value in row.items() if name not in _NOT_DATA} | as_row(_HIDDEN, row.get(_HIDDEN, {}))
    return Memory(
        agent_id=agent_id,
        memory_type=ids.check_memory_type(_member(row, "memory_type")),
        pattern_id=ids.check_pattern_id(_member(row, "pattern_id")),
        confidence=confidence,
        data=check_object("data", data),
        learned_ms=parse_instant(_member(row, "learned_at"), "learned_at"),
        updated_ms=parse_instant(_member(row, "updated_at"), "updated_at"),
        version=check_integer("version", _member(row, "version"), minimum=1),
        changed_by=_optional_text(row, "changed_by"),
        reason=_optional_text(row, "reason"),
        changed_as=_optional_text(row, "changed_as"),
        is_removed=check_boolean("removed", _member(row, "removed")),
        access_count=check_integer("access_count", row.get("access_count", 0), minimum=0),
        last_accessed_ms=None if last_accessed is None else parse_instant(last_accessed, "last_accessed"),
    )


def state_row(name: str, state: State) -> dict[str, Any]:
    """The row of a state."""
    return {"state_type": name, **state.as_dict()}


def state_from_row(row: Row) -> tuple[str, State]:
    """The name and the state of a row. Raises `InvalidInput`, which names the field."""
    return check_text("state_type", _member(row, "state_type"), _MAX_NAME), State(
        data=check_object("data", _member(row, "data")),
        version=check_integer("version", _member(row, "version"), minimum=1),
        updated_ms=parse_instant(_member(row, "updated_at"), "updated_at"),
    )


def short_term_row(key: str, value: Any) -> dict[str, Any]:
    """The row of a key of short-term memory; `unreadable` has the reason where the value cannot be read."""
    return {"key": key, "unreadable": value.why} if isinstance(value, Unreadable) else {"key": key, "data": value}


def short_term_from_row(row: Row) -> tuple[str, Any]:
    """The key and the value of a row, None where the value could not be read."""
    return check_text("key", _member(row, "key")), row.get("data")


def _headline(row: Row) -> Outcome | None:
    if row.get("success") is None:
        return None
    return _outcome({**row, "recorded_at": row.get("outcome_recorded_at")})


def _outcome(row: Row) -> Outcome:
    horizon = row.get("horizon")
    return Outcome(
        success=check_boolean("success", _member(row, "success")),
        details=check_object("outcome", _member(row, "outcome")),
        metrics=check_object("metrics", _member(row, "metrics")),
        recorded_ms=parse_instant(_member(row, "recorded_at"), "recorded_at"),
        horizon=None if horizon is None else ids.check_horizon(horizon),
    )


def as_row(field: str, value: object) -> dict[str, Any]:
    """Return an object that was parsed from JSON, or raise `InvalidInput`. Its members are not checked.

    `check_object` would refuse a row whose documents are as deep as they may be.
    """
    if not isinstance(value, dict):
        raise InvalidInput(field, f"expected a JSON object, got {shown(value)}")
    return value


def _objects(row: Row, name: str) -> list[dict[str, Any]]:
    return [as_row(name, one) for one in _items(row, name)]


def _items(row: Row, name: str) -> list[Any]:
    value = row.get(name, [])
    if not isinstance(value, list):
        raise InvalidInput(name, f"expected a list, got {shown(value)}")
    return value


def _optional(row: Row, name: str) -> Any:
    """An attribute of a decision that may be None: a text or a probability."""
    return _optional_text(row, name) if CONTENT[name] is Kind.TEXT else check_propensity(name, row.get(name))


def _optional_text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return None if value is None else check_text(name, value)


def _member(row: Row, name: str) -> Any:
    if name not in row:
        raise InvalidInput(name, "is missing")
    return row[name]


def _check_agent(agent_id: str, row: Row) -> None:
    if _member(row, "agent_id") != agent_id:
        raise InvalidInput("agent_id", f"{row['agent_id']!r:.80} is another agent than {agent_id}")
