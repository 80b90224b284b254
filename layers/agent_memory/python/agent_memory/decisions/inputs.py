"""Parses and checks the decisions and outcomes that callers log.

`DecisionInput` and `OutcomeInput` declare the fields, from which the HTTP API validates and documents its requests.
Direct, buffered and HTTP calls are all parsed here, so that the same rules apply to them.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Required

from typing_extensions import TypedDict

from agent_memory.core import ids
from agent_memory.core.checks import check_boolean, check_list, check_propensity, check_text
from agent_memory.core.clock import CLOCK_TOLERANCE_MS, DAY_MS, MAX_SECONDS, Instant, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput, TooEarly, shown
from agent_memory.core.fields import Described, Json, strict
from agent_memory.core.ids import check_decision_id, parse_decision_id, type_tag
from agent_memory.core.json_values import Document, check_mapping, check_object, is_plain
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.model.records import make_decision

MAX_PARENTS = 100
MAX_MEMORIES = 100
MAX_POLICY_CHARACTERS = 128
_OLDEST_MS = EXPIRE_AFTER_DAYS * DAY_MS
_DEFAULTS: Mapping[str, Any] = {"amend": False, "headline": False, "parent_ids": (), "memory_ids": ()}
_SECONDS = {"type": "number", "minimum": 0, "exclusiveMaximum": MAX_SECONDS}
_POLICY = {"minLength": 1, "maxLength": MAX_POLICY_CHARACTERS}
_PROBABILITY = {"exclusiveMinimum": 0, "maximum": 1}
Time = Annotated[
    Any,
    Described(
        "ISO 8601 with an offset, or seconds since 1970; by default now",
        {"anyOf": [{"type": "string", "format": "date-time"}, _SECONDS]},
    ),
]


@strict
class DecisionInput(TypedDict, total=False):
    """A decision to log."""

    decision_type: Required[
        Annotated[str, Described("In capitals: SOURCE_SELECTION, QUERY, SIGNAL_GENERATION, LEARNING or another")]
    ]
    context: Required[Annotated[Json, Described("The situation; statistics are grouped by its `market`")]]
    reasoning: Required[Annotated[Json, Described("Why it was made; `selected` lists the chosen sources")]]
    metadata: Annotated[Json | None, Described("Other data of the decision")]
    decision_id: Annotated[str | None, Described("Set by callers that may retry the request")]
    timestamp: Time | None
    parent_ids: Annotated[list[str] | None, Described("Earlier decisions of this agent that led to it")]
    memory_ids: Annotated[list[str] | None, Described("Long-term memories that it is based on")]
    policy: Annotated[str | None, Described("Name of the policy that chose", _POLICY)]
    policy_version: Annotated[str | None, Described("Version of the policy, by its rules and parameters", _POLICY)]
    propensity: Annotated[
        float | None, Described("Probability with which the policy chose what this decision names", _PROBABILITY)
    ]
    joint_propensity: Annotated[
        float | None, Described("Probability of all that it chose at once, where it chose several", _PROBABILITY)
    ]


@strict
class OutcomeInput(TypedDict, total=False):
    """The outcome of a decision."""

    outcome: Required[Annotated[Json, Described("What happened")]]
    success: Required[Annotated[bool, Described("Whether the decision was a success")]]
    metrics: Annotated[Json | None, Described("Measurements such as `quality` or `latency_ms`")]
    horizon: Annotated[str | None, Described("When the decision was judged: `1h`, `exit`")]
    amend: Annotated[bool, Described("Replace a different outcome of this horizon, which is kept")]
    headline: Annotated[bool, Described("Make it the outcome that `success` and queries by outcome use")]
    timestamp: Time | None


@strict
class OutcomeItem(OutcomeInput, total=False):
    """The outcome of a decision, with its id."""

    decision_id: Required[str]


def decision_input(decision_type: str, context: Document, reasoning: Document, **optional: Any) -> Json:
    """The arguments of `log_decision` as an input, without those that have their default value."""
    return {"decision_type": decision_type, "context": context, "reasoning": reasoning, **_without_defaults(optional)}


def outcome_item(decision_id: str, outcome: Document, success: bool, **optional: Any) -> Json:
    """The arguments of `log_outcome` as an input, without those that have their default value."""
    return {"decision_id": decision_id, "outcome": outcome, "success": success, **_without_defaults(optional)}


def parse_decision(data: Any, *, agent_id: str, now_ms: int, path: str = "", write_shards: int = 1) -> Decision:
    """The decision that an input describes; a missing id is generated, a missing time is `now_ms`.

    Raises:
        InvalidInput: names the field by its JSON Pointer under `path`.
    """
    fields = _fields(data, path, DecisionInput)
    decision_type = _at(path, ids.check_decision_type, fields["decision_type"])
    decision_id, timestamp_ms = _identity(fields, decision_type, now_ms, path, write_shards)
    if not now_ms - _OLDEST_MS <= timestamp_ms <= now_ms + CLOCK_TOLERANCE_MS:
        # An id contains the time, so that the field is the one which the caller passed.
        field = "timestamp" if fields.get("timestamp") is not None else "decision_id"
        _check_not_in_the_future(timestamp_ms, now_ms, f"{path}/{field}", "decisions are logged when they are made")
        raise InvalidInput(f"{path}/{field}", f"is over {EXPIRE_AFTER_DAYS:,} days ago; nothing older is kept")
    parent_ids, memory_ids = fields.get("parent_ids"), fields.get("memory_ids")
    return make_decision(  # in the order of its fields
        agent_id,
        decision_id,
        decision_type,
        timestamp_ms,
        _document(fields["context"], path, "context"),
        _document(fields["reasoning"], path, "reasoning"),
        {} if (metadata := fields.get("metadata")) is None else _document(metadata, path, "metadata"),
        None,  # without an outcome
        _parents(parent_ids, decision_id, timestamp_ms, path) if parent_ids is not None else (),
        _memories(memory_ids, path) if memory_ids is not None else (),
        (),  # nor others
        (),  # nor earlier ones
        0,  # not changed
        {},  # whose ancestors are found when it is stored
        _policy_text(fields.get("policy"), f"{path}/policy"),
        _policy_text(fields.get("policy_version"), f"{path}/policy_version"),
        _propensity(fields, "propensity", path),
        _propensity(fields, "joint_propensity", path),
    )


def parse_outcome(data: Any, *, now_ms: int, path: str = "") -> tuple[object, OutcomeUpdate]:
    """The decision id of an input, which is not checked yet, and the outcome that it describes.

    Raises:
        InvalidInput: names the field by its JSON Pointer under `path`.
    """
    fields = _fields(data, path, OutcomeItem)
    timestamp, horizon = fields.get("timestamp"), fields.get("horizon")
    recorded_ms = now_ms if timestamp is None else parse_instant(timestamp, f"{path}/timestamp")
    _check_not_in_the_future(recorded_ms, now_ms, f"{path}/timestamp", "outcomes are logged when they are known")
    outcome = Outcome(
        success=check_boolean(f"{path}/success", fields["success"]),
        details=_document(fields["outcome"], path, "outcome"),
        metrics={} if (metrics := fields.get("metrics")) is None else _document(metrics, path, "metrics"),
        recorded_ms=recorded_ms,
        horizon=None if horizon is None else _at(path, ids.check_horizon, horizon),
    )
    amend = check_boolean(f"{path}/amend", fields.get("amend", False))
    headline = check_boolean(f"{path}/headline", fields.get("headline", False))
    return fields["decision_id"], OutcomeUpdate(outcome, amend=amend, headline=headline)


def check_outcome_time(outcome: Outcome, decision_ms: int, path: str = "") -> None:
    """Check that an outcome did not become known before its decision was made.

    Raises:
        InvalidInput: it did, by more than clocks may differ.
    """
    if outcome.recorded_ms < decision_ms - CLOCK_TOLERANCE_MS:
        raise InvalidInput(
            f"{path}/timestamp",
            f"{to_iso(outcome.recorded_ms)} is before the decision itself, which was made at {to_iso(decision_ms)}; "
            "check the clock, or pass the time at which the outcome became known",
        )


def _check_not_in_the_future(time_ms: int, now_ms: int, field: str, rule: str) -> None:
    ahead_ms = time_ms - now_ms
    if ahead_ms <= CLOCK_TOLERANCE_MS:
        return
    raise TooEarly(
        field,
        f"is in the future, {ahead_ms // 1000:,} seconds ahead of this clock ({to_iso(now_ms)}); {rule}",
        retry_after_seconds=-((CLOCK_TOLERANCE_MS - ahead_ms) // 1000),
    )


def _without_defaults(optional: Mapping[str, Any]) -> dict[str, Any]:
    # The very objects: `metrics=False` is not a default, although it equals some.
    return {name: value for name, value in optional.items() if value is not None and value is not _DEFAULTS.get(name)}


def _identity(fields: Document, decision_type: str, now_ms: int, path: str, write_shards: int) -> tuple[str, int]:
    """The id and the time of a decision. An id contains the time, so the two must agree if both are passed."""
    timestamp: Instant | None = fields.get("timestamp")
    timestamp_ms = now_ms if timestamp is None else parse_instant(timestamp, f"{path}/timestamp")
    if fields.get("decision_id") is None:
        return ids.random_id(decision_type, timestamp_ms, write_shards=write_shards), timestamp_ms
    decision_id = check_decision_id(fields["decision_id"], f"{path}/decision_id")
    parts = parse_decision_id(decision_id, f"{path}/decision_id")
    if parts.type_tag != type_tag(decision_type):
        raise InvalidInput(f"{path}/decision_id", f"is an id of a type other than {decision_type}")
    if timestamp is not None and parts.timestamp_ms != timestamp_ms:
        raise InvalidInput(f"{path}/timestamp", "differs from the time in decision_id; omit it")
    return decision_id, parts.timestamp_ms


def _parents(value: object, decision_id: str, timestamp_ms: int, path: str) -> tuple[str, ...]:
    parents = _strings(value, f"{path}/parent_ids", MAX_PARENTS)
    for index, parent in enumerate(parents):
        parts = parse_decision_id(parent, f"{path}/parent_ids/{index}")
        if parent == decision_id:
            raise InvalidInput(f"{path}/parent_ids/{index}", "a decision cannot be its own parent")
        if parts.timestamp_ms > timestamp_ms + CLOCK_TOLERANCE_MS:
            raise InvalidInput(f"{path}/parent_ids/{index}", "was made after this decision")
    return parents


def _memories(value: object, path: str) -> tuple[str, ...]:
    memories = _strings(value, f"{path}/memory_ids", MAX_MEMORIES)
    for index, memory in enumerate(memories):
        try:
            ids.check_pattern_id(memory)
        except InvalidInput as error:
            raise InvalidInput(f"{path}/memory_ids/{index}", error.message) from error
    return memories


def _policy_text(value: object, path: str) -> str | None:
    return None if value is None else check_text(path, value, MAX_POLICY_CHARACTERS)


def _propensity(fields: Document, name: str, path: str) -> float | None:
    value = fields.get(name)
    return None if value is None else check_propensity(f"{path}/{name}", value)


def _strings(value: object, path: str, maximum: int) -> tuple[str, ...]:
    """The distinct strings of a list, in order."""
    items = check_list(path, value)
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise InvalidInput(f"{path}/{index}", f"expected text, got {type(item).__name__}")
    unique = tuple(dict.fromkeys(items))
    if len(unique) > maximum:
        raise InvalidInput(path, f"has {len(unique)} entries; at most {maximum} are allowed")
    return unique


def _fields(data: Any, path: str, model: Any) -> Document:
    """The fields of an input, after a check that none is unknown and that all required ones are present."""
    fields = check_mapping(path, data)
    if not fields.keys() <= model.__annotations__.keys():
        unknown = next(name for name in fields if name not in model.__annotations__)
        raise InvalidInput(
            f"{path}/{_key_text(unknown)}", f"unknown field; the fields are {', '.join(model.__annotations__)}"
        )
    if not model.__required_keys__ <= fields.keys():
        missing = next(name for name in model.__annotations__ if name in model.__required_keys__ - fields.keys())
        raise InvalidInput(f"{path}/{missing}", "is missing")
    return fields


def _key_text(key: object) -> str:
    """A key as part of an error's path."""
    return ascii(key)[1:-1] if isinstance(key, str) else shown(key)


def _document(value: Any, path: str, name: str) -> Document:
    try:
        if type(value) is dict and is_plain(value):
            return value
    except RuntimeError:  # another thread changes it: `check_object` says so if it still does
        pass
    return check_object(f"{path}/{name}", value)


def _at(path: str, check: Callable[[object], str], value: object) -> str:
    """Run a check of `ids`; an error names the field by its JSON Pointer under `path`."""
    try:
        return check(value)
    except InvalidInput as error:
        raise InvalidInput(f"{path}/{error.field}", error.message) from error
