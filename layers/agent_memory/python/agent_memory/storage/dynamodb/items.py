"""Conversion between records and DynamoDB items.

Attributes have the names of the record's fields, except for times, which are stored as Unix seconds under other names.
The pointers of floats without a fraction, which DynamoDB would return as integers, are in an attribute of the item.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from agent_memory.core import keys
from agent_memory.core.clock import END_OF_TIME_MS, to_iso
from agent_memory.core.errors import TooLarge
from agent_memory.core.ids import shard_of, timestamp_of
from agent_memory.core.json_values import MAX_DEPTH
from agent_memory.model import records
from agent_memory.model.decisions import Decision, DecisionKey, Kind, Outcome, context_type_of
from agent_memory.model.memories import Memory
from agent_memory.model.records import Record
from agent_memory.storage.dynamodb.attribute_values import (
    AttributeValue,
    decode_object,
    encode,
    encode_members,
    restore_floats,
)
from agent_memory.storage.schema import BY_CONTEXT, BY_CONTEXT_KEYS

Item = dict[str, AttributeValue]

TIMES = {"timestamp_ms": "timestamp", "outcome_recorded_ms": "outcome_recorded"}
CONTENT_FLOATS, OUTCOME_FLOATS = "whole_floats", "outcome_whole_floats"
_OUTCOME_TIMES = ("recorded", "until")
_DOCUMENTS = tuple(name for name, kind in records.FIELDS.items() if kind is Kind.DOCUMENT)
_TEXTS = tuple(name for name, kind in records.FIELDS.items() if kind is Kind.TEXT)

OUTCOME_ATTRIBUTES = frozenset({TIMES.get(name, name) for name in records.OUTCOME} | {OUTCOME_FLOATS})
"""The attributes of outcomes."""

MAX_COPIED_BYTES = 768
"""The largest item of a new decision of which the index by context has a copy.

With an outcome of up to a quarter of a kilobyte both are within a kilobyte, so that each takes one write unit.
"""

OFFLOADABLE = (
    *_DOCUMENTS,
    CONTENT_FLOATS,
    OUTCOME_FLOATS,
    *(name for name, kind in records.FIELDS.items() if kind is Kind.OUTCOMES),
)
"""The attributes that may be stored as objects in the bucket."""


# --- values --------------------------------------------------------------------------------------


def text(value: str) -> AttributeValue:
    """A string attribute."""
    return {"S": value}


def number(value: float) -> AttributeValue:
    """A number attribute. A float without a fraction is read as an integer, so that the reader has to know the type."""
    return encode(value)[0]


def seconds(ms: int) -> AttributeValue:
    """A Unix timestamp in seconds, with milliseconds as its fraction."""
    return {"N": f"{ms / 1000:.3f}".rstrip("0").rstrip(".")}


def milliseconds(value: AttributeValue) -> int:
    """The milliseconds of a timestamp that `seconds` wrote; `ValueError` if it is outside the years 1970 to 9999."""
    return milliseconds_of(value["N"])


def milliseconds_of(stated: str) -> int:
    """The milliseconds of a timestamp's number; `ValueError` if it is outside the years 1970 to 9999."""
    ms = round(float(stated) * 1000)
    if not 0 <= ms < END_OF_TIME_MS:
        raise ValueError(f"{stated} is not a time")
    return ms


def document_attributes(documents: Mapping[str, Any], floats_attribute: str = CONTENT_FLOATS) -> Item:
    """JSON documents as attributes, with the pointers of their floats without a fraction if there are any.

    Raises:
        InvalidInput: names the JSON Pointer of what cannot be stored.
    """
    floats: list[str] = []
    paths = [f"/{name}" for name in documents]
    item = dict(zip(documents, encode_members(documents.values(), paths, MAX_DEPTH, floats), strict=True))
    if floats:
        item[floats_attribute] = {"L": [{"S": path} for path in floats]}
    return item


def documents_from(item: Mapping[str, AttributeValue], names: Sequence[str]) -> dict[str, Any]:
    """The JSON documents that `document_attributes` wrote, by name; `TypeError` if one is not an object."""
    documents: dict[str, Any] = {}
    for name in names:
        ((kind, members),) = item[name].items()
        if kind != "M":
            raise TypeError(f"{name} is not an object")
        documents[name] = decode_object(members)
    for attribute in (CONTENT_FLOATS, OUTCOME_FLOATS):
        if attribute in item:
            restore_floats(documents, [entry["S"] for entry in item[attribute]["L"]])
    return documents


# --- decisions -----------------------------------------------------------------------------------


def decision_key_item(key: DecisionKey) -> Item:
    """The primary key of a decision's item."""
    return {
        "pk": {"S": keys.decision_pk(key.agent_id, key.decision_type, shard_of(key.decision_id))},
        "sk": {"S": keys.decision_sk(key.timestamp_ms, key.decision_id)},
    }


def decision_item(decision: Decision) -> Item:
    """The item of a new decision, without outcomes.

    Raises:
        InvalidInput: a value that cannot be stored.
    """
    key = decision.key
    item = decision_key_item(key) | _attributes(records.decision_record(decision), CONTENT_FLOATS)
    item["iso_timestamp"] = {"S": to_iso(decision.timestamp_ms)}
    context_type = context_type_of(decision.context)
    if context_type is not None:
        partition = text(keys.context_pk(decision.agent_id, context_type, shard_of(decision.decision_id)))
        with_copy = item | {BY_CONTEXT.partition.name: partition}
        if item_size(with_copy) <= MAX_COPIED_BYTES:
            return with_copy
        item[BY_CONTEXT_KEYS.partition.name] = partition
    return item


def headline_attributes(outcome: Outcome) -> Item:
    """The attributes that a decision's first outcome adds to its item."""
    return _attributes(records.headline_record(outcome), OUTCOME_FLOATS)


def outcome_attributes(decision: Decision) -> Item:
    """The attributes of all of a decision's outcomes."""
    return _attributes(records.outcomes_record(decision), OUTCOME_FLOATS)


def decision_from(item: Item) -> Decision:
    """The decision of an item.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the item is not that of a decision.
    """
    record: Record = documents_from(item, [name for name in _DOCUMENTS if name in item])
    for name in _TEXTS:
        if name in item:
            record[name] = item[name]["S"]
    for name, attribute, decode in _OTHERS:
        if attribute in item:
            record[name] = decode(item[attribute])
    iso_timestamp = item["iso_timestamp"]["S"] if "iso_timestamp" in item else None
    return checked_decision(records.decision_from(record), item["pk"]["S"], item["sk"]["S"], iso_timestamp)


def checked_decision(decision: Decision, pk: str, sk: str, iso_timestamp: str | None) -> Decision:
    """The decision of an item; `ValueError` unless it belongs to the item's key and the time that is stated there."""
    partition, timestamp_ms = f"{decision.agent_id}#{decision.decision_type}", decision.timestamp_ms
    if pk != partition and not pk.startswith(f"{partition}#"):
        raise ValueError("its attributes are those of another partition")
    if sk != f"{to_iso(timestamp_ms) if iso_timestamp is None else iso_timestamp}#{decision.decision_id}":
        raise ValueError("its attributes are those of another decision")
    if timestamp_of(decision.decision_id) != timestamp_ms:
        raise ValueError("its id is that of another time")
    return decision


def _attributes(record: Record, floats_attribute: str) -> Item:
    """The attributes of a record's fields; empty ones are left out, except for documents."""
    item: Item = {}
    documents: dict[str, Any] = {}
    for name, value in record.items():
        kind = records.FIELDS[name]
        if kind is Kind.DOCUMENT:
            documents[name] = value
        elif kind is Kind.TEXT:
            if value is not None:
                item[name] = {"S": value}
        elif value or kind is Kind.BOOLEAN:
            item[TIMES.get(name, name)] = _ENCODERS[kind](value)
    return item | document_attributes(documents, floats_attribute)


def _encode_outcomes(outcomes: Sequence[Sequence[Any]]) -> AttributeValue:
    return {"L": [{"M": _outcome_map(one)} for one in outcomes]}


def _outcome_map(outcome: Sequence[Any]) -> Item:
    success, details, metrics, recorded_ms, horizon, *replaced_ms = outcome
    item = document_attributes({"outcome": details, "metrics": metrics}) | {"success": {"BOOL": success}}
    item |= {name: seconds(ms) for name, ms in zip(_OUTCOME_TIMES, (recorded_ms, *replaced_ms), strict=False)}
    return item if horizon is None else item | {"horizon": text(horizon)}


def _decode_outcomes(attribute: AttributeValue) -> list[list[Any]]:
    return [_outcome_list(one["M"]) for one in attribute["L"]]


def _outcome_list(item: Item) -> list[Any]:
    times = [milliseconds(item[name]) for name in _OUTCOME_TIMES if name in item]
    horizon = item["horizon"]["S"] if "horizon" in item else None
    documents = documents_from(item, ("outcome", "metrics"))
    return [item["success"]["BOOL"], documents["outcome"], documents["metrics"], times[0], horizon, *times[1:]]


_ENCODERS: Mapping[Kind, Callable[[Any], AttributeValue]] = {
    Kind.TIME: seconds,
    Kind.BOOLEAN: lambda value: {"BOOL": value},
    Kind.INTEGER: lambda value: {"N": str(value)},
    Kind.NUMBER: number,
    Kind.TEXTS: lambda value: {"L": [{"S": one} for one in value]},
    Kind.COUNTS: lambda value: {"M": {name: {"N": str(count)} for name, count in value.items()}},
    Kind.OUTCOMES: _encode_outcomes,
}
OTHER_DECODERS: Mapping[Kind, Callable[[AttributeValue], Any]] = {
    Kind.TIME: milliseconds,
    Kind.BOOLEAN: lambda attribute: attribute["BOOL"],
    Kind.INTEGER: lambda attribute: int(attribute["N"]),
    Kind.NUMBER: lambda attribute: float(attribute["N"]),
    Kind.TEXTS: lambda attribute: [entry["S"] for entry in attribute["L"]],
    Kind.COUNTS: lambda attribute: {name: int(count["N"]) for name, count in attribute["M"].items()},
    Kind.OUTCOMES: _decode_outcomes,
}
_OTHERS = tuple(
    (name, TIMES.get(name, name), OTHER_DECODERS[kind])
    for name, kind in records.FIELDS.items()
    if kind not in {Kind.DOCUMENT, Kind.TEXT}
)


# --- memories ------------------------------------------------------------------------------------

_SUCCESS_RATE = "success_rate"
# The stored confidence of a memory that states none, so that the index by confidence has it, in the last place.
NOT_STATED = -1.0

_OPTIONAL_TEXTS = ("changed_by", "reason", "changed_as", "embedding")
OPTIONAL_MEMORY_ATTRIBUTES = (*_OPTIONAL_TEXTS, "words", _SUCCESS_RATE, CONTENT_FLOATS)
"""The attributes that not every version of a memory has."""

_MEMORY_TEXTS = ("agent_id", "memory_type", "pattern_id", *_OPTIONAL_TEXTS)
_DATA = ("data",)
_MEMORY_TIMES = {"learned_ms": "learned_at", "updated_ms": "updated_at"}


def memory_item(memory: Memory) -> Item:
    """The item of a memory's current version, without its accesses."""
    record = records.memory_record(memory)
    item = document_attributes({"data": record["data"]})
    item |= {name: text(record[name]) for name in _MEMORY_TEXTS if record[name] is not None}
    item |= {attribute: seconds(record[name]) for name, attribute in _MEMORY_TIMES.items()}
    item |= number_attribute(memory.data, _SUCCESS_RATE)
    if memory.words is not None:
        # A writer that does not know the words leaves those of an earlier version.
        item["words"] = text(f"{memory.version} {memory.words}")
    return item | {
        "pk": text(keys.memory_pk(memory.agent_id, memory.memory_type)),
        "sk": text(memory.pattern_id),
        "confidence": number(NOT_STATED if memory.confidence is None else memory.confidence),
        "version": number(memory.version),
    }


def number_attribute(document: Mapping[str, Any], name: str) -> Item:
    """A number of a document as an attribute of its item as well, for tools that read tables; empty if it is none.

    This package reads the document only.
    """
    value = document.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {name: number(value)}
    return {}


def history_item(memory: Memory, current: Item | None = None) -> Item:
    """The item of a version in the history, which does not appear in the index by confidence.

    `current` is its item as the current version, if there is one already: to encode the data takes time.
    """
    item = dict(memory_item(memory) if current is None else current)
    item["pk"] = text(keys.history_pk(memory.agent_id, memory.memory_type))
    item["sk"] = text(keys.history_sk(memory.pattern_id, memory.version))
    item["known_confidence"] = item.pop("confidence")
    for name in ("embedding", "words"):  # only current versions are in an index
        item.pop(name, None)
    if memory.is_removed:
        item["is_removed"] = {"BOOL": True}
    return item


def removal_item(removal: Memory) -> Item:
    """What is left in the place of a removed memory; the history has the removal itself."""
    return {
        "pk": text(keys.memory_pk(removal.agent_id, removal.memory_type)),
        "sk": text(removal.pattern_id),
        "version": number(removal.version),
        "updated_at": seconds(removal.updated_ms),
        "is_removed": {"BOOL": True},
    }


def memory_from(item: Item) -> Memory:
    """The memory's version of an item."""
    confidence = float((item.get("confidence") or item["known_confidence"])["N"])
    version, name = item["version"]["N"], item["pattern_id"]["S"]
    if item["sk"]["S"] != name and item["sk"]["S"] != keys.history_sk(name, int(version)):
        raise ValueError("its attributes are those of another memory")
    changed_by, reason, changed_as, embedding = [item[one]["S"] if one in item else None for one in _OPTIONAL_TEXTS]
    words_of, _, words = item["words"]["S"].partition(" ") if "words" in item else ("", "", None)
    return Memory(
        agent_id=item["agent_id"]["S"],
        memory_type=item["memory_type"]["S"],
        pattern_id=name,
        confidence=None if confidence == NOT_STATED else confidence,
        data=documents_from(item, _DATA)["data"],
        learned_ms=milliseconds(item["learned_at"]),
        updated_ms=milliseconds(item["updated_at"]),
        version=int(version),
        changed_by=changed_by,
        reason=reason,
        changed_as=changed_as,
        is_removed="is_removed" in item,
        access_count=int(item["access_count"]["N"]) if "access_count" in item else 0,
        last_accessed_ms=milliseconds(item["last_accessed"]) if "last_accessed" in item else None,
        embedding=embedding,
        words=words if words_of == version else None,
    )


# --- sizes ---------------------------------------------------------------------------------------

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
MAX_ITEM_BYTES = 400 * 1024 - 512
"""Limit of an item that is stored in one piece: DynamoDB's, less what the nightly job adds about accesses."""

_CONTAINER_BYTES = 3
_MEMBER_BYTES = 1
_EXACT = Context(prec=60)


def item_size(item: Mapping[str, Any]) -> int:
    """Size of an item in bytes by DynamoDB's rules: the names of its attributes in UTF-8, and their values."""
    return sum([len(name.encode()) + value_size(value) for name, value in item.items()])


def value_size(value: Mapping[str, Any]) -> int:
    """Size of an attribute value in bytes. A list or map takes 3 bytes, and 1 for each member in addition to it."""
    size, pending = 0, [value]
    while pending:
        ((kind, raw),) = pending.pop().items()
        if kind == "S":
            size += len(raw.encode())
        elif kind == "N":
            size += _number_size(raw)
        elif kind == "M":
            size += _CONTAINER_BYTES + _MEMBER_BYTES * len(raw) + sum([len(name.encode()) for name in raw])
            pending += raw.values()
        elif kind == "L":
            size += _CONTAINER_BYTES + _MEMBER_BYTES * len(raw)
            pending += raw
        elif kind == "SS":
            size += sum([len(one.encode()) for one in raw])
        else:
            size += 1
    return size


def check_item_size(item: Mapping[str, Any], field: str) -> None:
    """Raise `TooLarge`, which names the field, if DynamoDB cannot store an item."""
    if fits(item, MAX_ITEM_BYTES):
        return
    size = item_size(item)
    if size > MAX_ITEM_BYTES:
        raise TooLarge(
            field, f"takes {size:,} bytes; {MAX_ITEM_BYTES:,} can be stored. Keep large data elsewhere and refer to it"
        )


def fits(item: Mapping[str, Any], budget_bytes: int) -> bool:
    """A quick check that an item's size is within a budget; if it returns False, the item may still be.

    The JSON text of an attribute value is never shorter than its size by DynamoDB's rules.
    """
    return len(json.dumps(item, separators=(",", ":"))) <= budget_bytes


def _number_size(text: str) -> int:
    """One byte for each pair of significant digits, paired from the decimal point; one more; and one for the sign."""
    if text.isdigit() and text.isascii() and text[0] != "0":  # as counts, and most times
        return (len(text) + 1) // 2 + (1 - len(text) + len(text.rstrip("0"))) // 2 + 1
    number = Decimal(text).normalize(_EXACT)
    sign, digits, exponent = number.as_tuple()
    if not number:
        return 1
    before_point = len(digits) + int(exponent)
    pairs = (before_point + 1) // 2 + (1 - int(exponent)) // 2
    return pairs + 1 + sign
