"""What callers hand in, checked: drafts of decisions and reports of outcomes."""

from collections.abc import Callable, Mapping
from typing import Any

from agent_memory.core import names
from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import new_decision_id, parse_decision_id, type_tag
from agent_memory.core.json_values import Document
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.outcomes import OutcomeUpdate

MAX_PARENTS = 100
MAX_MEMORIES = 100

# Clocks of agents and of this system may differ by so much.
_CLOCK_SKEW_MS = 5 * 60_000

# Names of fields, and whether each must be there.
DRAFT_FIELDS = {
    "decision_type": True,
    "context": True,
    "reasoning": True,
    "metadata": False,
    "decision_id": False,
    "timestamp": False,
    "parent_ids": False,
    "memory_ids": False,
}
REPORT_FIELDS = {
    "decision_id": True,
    "outcome": True,
    "success": True,
    "metrics": False,
    "horizon": False,
    "amend": False,
    "headline": False,
    "timestamp": False,
}


def decision_of(draft: Mapping[str, Any], *, agent_id: str, now_ms: int, path: str, write_shards: int = 1) -> Decision:
    """The decision that a draft describes, with an id and a time of its own where it names none.

    Raises:
        InvalidInput: names the field by its place under `path`.
    """
    given = _fields(draft, path, DRAFT_FIELDS)
    decision_type = _at(path, names.check_decision_type, given["decision_type"])
    decision_id, timestamp_ms = _identity(given, decision_type, now_ms, path, write_shards)
    if timestamp_ms > now_ms + _CLOCK_SKEW_MS:
        raise InvalidInput(f"{path}/timestamp", "lies in the future; decisions are logged when they are made")
    if timestamp_ms < now_ms - EXPIRE_AFTER_DAYS * DAY_MS:
        raise InvalidInput(f"{path}/timestamp", f"lies over {EXPIRE_AFTER_DAYS:,} days back, before all that is kept")
    parent_ids, memory_ids = given.get("parent_ids"), given.get("memory_ids")
    return Decision(
        agent_id=agent_id,
        decision_id=decision_id,
        decision_type=decision_type,
        timestamp_ms=timestamp_ms,
        context=_document(given["context"], f"{path}/context"),
        reasoning=_document(given["reasoning"], f"{path}/reasoning"),
        metadata=_document(given.get("metadata") or {}, f"{path}/metadata"),
        parent_ids=_parents(parent_ids, decision_id, timestamp_ms, f"{path}/parent_ids") if parent_ids else (),
        memory_ids=_memories(memory_ids, f"{path}/memory_ids") if memory_ids else (),
    )


def report_of(report: Mapping[str, Any], *, now_ms: int, path: str) -> tuple[object, OutcomeUpdate]:
    """The decision id that a report names, still unchecked, and what it says.

    Raises:
        InvalidInput: names the field by its place under `path`.
    """
    given = _fields(report, path, REPORT_FIELDS)
    timestamp, horizon = given.get("timestamp"), given.get("horizon")
    recorded_ms = now_ms if timestamp is None else parse_instant(timestamp, f"{path}/timestamp")
    if recorded_ms > now_ms + _CLOCK_SKEW_MS:
        raise InvalidInput(f"{path}/timestamp", "lies in the future; outcomes are logged when they are known")
    outcome = Outcome(
        success=_boolean(given["success"], f"{path}/success"),
        details=_document(given["outcome"], f"{path}/outcome"),
        metrics=_document(given.get("metrics") or {}, f"{path}/metrics"),
        recorded_ms=recorded_ms,
        horizon=None if horizon is None else _at(path, names.check_horizon, horizon),
    )
    amend = _boolean(given.get("amend", False), f"{path}/amend")
    headline = _boolean(given.get("headline", False), f"{path}/headline")
    return given["decision_id"], OutcomeUpdate(outcome, amend=amend, headline=headline)


def decision_draft(decision_type: str, context: Document, reasoning: Document, **optional: Any) -> dict[str, Any]:
    """Arguments of `log_decision` as a draft, without what is not given."""
    return {"decision_type": decision_type, "context": context, "reasoning": reasoning, **_given(optional)}


def outcome_report(decision_id: str, outcome: Document, success: bool, **optional: Any) -> dict[str, Any]:
    """Arguments of `log_outcome` as a report, without what is not given."""
    return {"decision_id": decision_id, "outcome": outcome, "success": success, **_given(optional)}


def _given(optional: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in optional.items() if value is not None and value is not False and value != ()}


def _identity(
    given: Mapping[str, Any], decision_type: str, now_ms: int, path: str, write_shards: int
) -> tuple[str, int]:
    """Id and time: the id carries the time, so that given both they must agree."""
    timestamp = given.get("timestamp")
    timestamp_ms = now_ms if timestamp is None else parse_instant(timestamp, f"{path}/timestamp")
    if given.get("decision_id") is None:
        return new_decision_id(decision_type, timestamp_ms, write_shards=write_shards), timestamp_ms
    decision_id = given["decision_id"]
    parts = parse_decision_id(decision_id, f"{path}/decision_id")
    if parts.type_tag != type_tag(decision_type):
        raise InvalidInput(f"{path}/decision_id", f"the id was made for another type than {decision_type}")
    if timestamp is not None and parts.timestamp_ms != timestamp_ms:
        raise InvalidInput(f"{path}/timestamp", "differs from the time that the decision_id carries; leave it out")
    return decision_id, parts.timestamp_ms


def _parents(given: object, decision_id: str, timestamp_ms: int, path: str) -> tuple[str, ...]:
    parents = _texts(given, path, MAX_PARENTS)
    for place, parent in enumerate(parents):
        parts = parse_decision_id(parent, f"{path}/{place}")
        if parent == decision_id:
            raise InvalidInput(f"{path}/{place}", "a decision cannot be its own parent")
        if parts.timestamp_ms > timestamp_ms:
            raise InvalidInput(f"{path}/{place}", "was made after this decision; parents are what led to it")
    return parents


def _memories(given: object, path: str) -> tuple[str, ...]:
    memories = _texts(given, path, MAX_MEMORIES)
    for place, memory in enumerate(memories):
        try:
            names.check_pattern_id(memory)
        except InvalidInput as error:
            raise InvalidInput(f"{path}/{place}", error.message) from error
    return memories


def _texts(given: object, path: str, most: int) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise InvalidInput(path, "expected a list of texts")
    unique = tuple(dict.fromkeys(given))
    if len(unique) > most:
        raise InvalidInput(path, f"holds {len(unique)}; at most {most} can be kept")
    return unique


def _boolean(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(path, f"expected true or false, got {value!r:.40}")
    return value


def _fields(given: Any, path: str, known: Mapping[str, bool]) -> Document:
    document = _document(given, path)
    for name in document:
        if name not in known:
            raise InvalidInput(f"{path}/{name}", f"no such field; known are {', '.join(known)}")
    for name, required in known.items():
        if required and name not in document:
            raise InvalidInput(f"{path}/{name}", "is missing")
    return document


def _document(value: Any, path: str) -> Document:
    if not isinstance(value, Mapping):
        raise InvalidInput(path, f"expected a JSON object, got {type(value).__name__}")
    return value


def _at(path: str, check: Callable[[object], str], value: object) -> str:
    """Run a check of `keys` and name the field by its place under `path`."""
    try:
        return check(value)
    except InvalidInput as error:
        raise InvalidInput(f"{path}/{error.field}", error.message) from error
