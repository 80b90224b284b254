"""What callers hand in, checked: drafts of decisions and reports of outcomes."""

from collections.abc import Callable, Mapping
from typing import Any

from agent_memory import keys
from agent_memory.clock import parse_instant
from agent_memory.errors import InvalidInput
from agent_memory.ids import new_decision_id, parse_decision_id, type_tag
from agent_memory.models import Decision, Document, Outcome

# Clocks of agents and of this system may differ by so much.
_CLOCK_SKEW_MS = 5 * 60_000

# Names of fields, and whether each must be there.
_DRAFT_FIELDS = {
    "decision_type": True,
    "context": True,
    "reasoning": True,
    "metadata": False,
    "decision_id": False,
    "timestamp": False,
}
_OUTCOME_FIELDS = {"decision_id": True, "outcome": True, "success": True, "metrics": False}


def decision_of(draft: Mapping[str, Any], *, agent_id: str, now_ms: int, path: str) -> Decision:
    """The decision that a draft describes, with an id and a time of its own where it names none.

    Raises:
        InvalidInput: names the field by its place under `path`.
    """
    given = _fields(draft, path, _DRAFT_FIELDS)
    decision_type = _at(path, keys.check_decision_type, given["decision_type"])
    decision_id, timestamp_ms = _identity(given, decision_type, now_ms, path)
    if timestamp_ms > now_ms + _CLOCK_SKEW_MS:
        raise InvalidInput(f"{path}/timestamp", "lies in the future; decisions are logged when they are made")
    return Decision(
        agent_id=agent_id,
        decision_id=decision_id,
        decision_type=decision_type,
        timestamp_ms=timestamp_ms,
        context=_document(given["context"], f"{path}/context"),
        reasoning=_document(given["reasoning"], f"{path}/reasoning"),
        metadata=_document(given.get("metadata") or {}, f"{path}/metadata"),
    )


def outcome_of(report: Mapping[str, Any], *, now_ms: int, path: str) -> tuple[object, Outcome]:
    """The decision id that a report names, still unchecked, and the outcome that it tells.

    Raises:
        InvalidInput: names the field by its place under `path`.
    """
    given = _fields(report, path, _OUTCOME_FIELDS)
    if not isinstance(given["success"], bool):
        raise InvalidInput(f"{path}/success", f"expected true or false, got {given['success']!r:.40}")
    outcome = Outcome(
        success=given["success"],
        details=_document(given["outcome"], f"{path}/outcome"),
        metrics=_document(given.get("metrics") or {}, f"{path}/metrics"),
        recorded_ms=now_ms,
    )
    return given["decision_id"], outcome


def _identity(given: Mapping[str, Any], decision_type: str, now_ms: int, path: str) -> tuple[str, int]:
    """Id and time: the id carries the time, so that given both they must agree."""
    timestamp = given.get("timestamp")
    timestamp_ms = now_ms if timestamp is None else parse_instant(timestamp, f"{path}/timestamp")
    if given.get("decision_id") is None:
        return new_decision_id(decision_type, timestamp_ms), timestamp_ms
    decision_id = given["decision_id"]
    parts = parse_decision_id(decision_id, f"{path}/decision_id")
    if parts.type_tag != type_tag(decision_type):
        raise InvalidInput(f"{path}/decision_id", f"the id was made for another type than {decision_type}")
    if timestamp is not None and parts.timestamp_ms != timestamp_ms:
        raise InvalidInput(f"{path}/timestamp", "differs from the time that the decision_id carries; leave it out")
    return decision_id, parts.timestamp_ms


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
