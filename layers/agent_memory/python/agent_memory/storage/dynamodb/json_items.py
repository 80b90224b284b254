"""Reads memories and decisions straight from the JSON of their items.

A page of a thousand decisions is fifty thousand small dictionaries, which take longer to make, and to be searched for
garbage, than the decisions themselves. Here msgspec reads an item into objects with the attributes that such an item
has, and checks their types meanwhile. What it refuses, and what is not as this package writes it, is left to
`dynamodb.items`, which reads it or says what is wrong.
"""

import json
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from agent_memory.core import keys
from agent_memory.model import records
from agent_memory.model.decisions import Decision, Kind
from agent_memory.model.listings import BAD_VALUES
from agent_memory.model.memories import Memory
from agent_memory.storage.dynamodb.attribute_values import decode_number, restore_floats
from agent_memory.storage.dynamodb.items import (
    CONTENT_FLOATS,
    NOT_STATED,
    OTHER_DECODERS,
    OUTCOME_FLOATS,
    TIMES,
    Item,
    checked_decision,
    milliseconds_of,
)
from agent_memory.storage.schema import BY_CONTEXT, BY_CONTEXT_KEYS

_REFUSED = (msgspec.MsgspecError, RecursionError, *BAD_VALUES)


class ReadDecision(NamedTuple):
    """A decision that was read from its item, with the item's sort key and, in seconds, when it expires."""

    sort_key: str
    decision: Decision
    expires: float | None


def read_memory(item: Raw) -> Memory | Item:
    """The memory of an item; what is not read here is returned as in another answer."""
    try:
        return _memory(_MEMORIES.decode(item))
    except _REFUSED:
        return _plain(item)


def read_decision(item: Raw) -> ReadDecision | Item:
    """The decision of an item; what is not read here, as one with large parts, is returned as in another answer."""
    try:
        return _decision(_DECISIONS.decode(item))
    except _REFUSED:
        return _plain(item)


def _plain(item: Raw) -> Item:
    plain: Item = json.loads(bytes(item))
    return plain


# --- pages ---------------------------------------------------------------------------------------


class _Page(Struct, gc=False):
    """The answer to a query. What else is in it, botocore leaves out as well."""

    Items: list[Raw] | UnsetType
    Count: Raw | UnsetType = UNSET
    ScannedCount: Raw | UnsetType = UNSET
    LastEvaluatedKey: Raw | UnsetType = UNSET
    ConsumedCapacity: Raw | UnsetType = UNSET


_PAGES = msgspec.json.Decoder(_Page)


def items_and_rest(body: bytes) -> tuple[list[Raw], bytes] | None:
    """The items of a page, each as its JSON, and the page without them; None for what is not a page."""
    try:
        page = _PAGES.decode(body)
    except _REFUSED:
        return None
    items, page.Items = page.Items, UNSET
    return None if items is UNSET else (items, msgspec.json.encode(page))


# --- attribute values ----------------------------------------------------------------------------

# Objects that are not searched for garbage: what is read from JSON has no cycles.


class _Text(Struct, gc=False):
    S: str


class _Number(Struct, gc=False):
    N: str


class _Flag(Struct, gc=False):
    BOOL: bool


class _Value(Struct, gc=False, forbid_unknown_fields=True):
    """A value inside a document."""

    S: str | UnsetType = UNSET
    N: str | UnsetType = UNSET
    M: "dict[str, _Value] | UnsetType" = UNSET
    L: "list[_Value] | UnsetType" = UNSET
    BOOL: bool | UnsetType = UNSET
    NULL: bool | UnsetType = UNSET


class _Document(Struct, gc=False, forbid_unknown_fields=True):
    M: dict[str, _Value]


class _Texts(Struct, gc=False):
    L: list[_Text]


def _object(members: Mapping[str, _Value]) -> dict[str, Any]:
    """The members of a map as JSON, as `decode_object` returns them."""
    decoded: dict[str, Any] = {}
    for name, value in members.items():
        if value.S is not UNSET:
            decoded[name] = value.S
        elif value.N is not UNSET:
            decoded[name] = int(value.N) if value.N.isdecimal() else decode_number(value.N)
        elif value.M is not UNSET:
            decoded[name] = _object(value.M)
        elif value.L is not UNSET:
            decoded[name] = [one.S if one.S is not UNSET else _object({"": one})[""] for one in value.L]
        elif value.BOOL is not UNSET:
            decoded[name] = value.BOOL
        elif value.NULL is not UNSET:
            decoded[name] = None
        else:
            raise ValueError(f"{name} has no value")
    return decoded


def _restore_floats(documents: dict[str, Any], *pointers: _Texts | UnsetType) -> None:
    for one in pointers:
        if one is not UNSET:
            restore_floats(documents, [path.S for path in one.L])


# --- memories ------------------------------------------------------------------------------------


class _MemoryItem(Struct, gc=False):
    sk: _Text
    agent_id: _Text
    memory_type: _Text
    pattern_id: _Text
    data: _Document
    learned_at: _Number
    updated_at: _Number
    version: _Number
    confidence: _Number
    words: _Text | UnsetType = UNSET
    whole_floats: _Texts | UnsetType = UNSET
    changed_by: _Text | UnsetType = UNSET
    reason: _Text | UnsetType = UNSET
    changed_as: _Text | UnsetType = UNSET
    embedding: _Text | UnsetType = UNSET
    is_removed: Raw | UnsetType = UNSET
    access_count: _Number | UnsetType = UNSET
    last_accessed: _Number | UnsetType = UNSET
    outcome_whole_floats: _Texts | UnsetType = UNSET


_MEMORIES = msgspec.json.Decoder(_MemoryItem)


def _memory(item: _MemoryItem) -> Memory:
    """As `items.memory_from`."""
    name, version, confidence = item.pattern_id.S, item.version.N, float(item.confidence.N)
    if name != item.sk.S and keys.history_sk(name, int(version)) != item.sk.S:
        raise ValueError("its attributes are those of another memory")
    learned, updated, data = item.learned_at.N, item.updated_at.N, _object(item.data.M)
    learned_ms = milliseconds_of(learned)
    if item.whole_floats is not UNSET or item.outcome_whole_floats is not UNSET:
        _restore_floats({"data": data}, item.whole_floats, item.outcome_whole_floats)
    words_of, _, words = ("", "", None) if item.words is UNSET else item.words.S.partition(" ")
    return records.make_memory(
        item.agent_id.S,
        item.memory_type.S,
        name,
        None if confidence == NOT_STATED else confidence,
        data,
        learned_ms,
        learned_ms if updated == learned else milliseconds_of(updated),  # they are equal in a first version
        int(version),
        None if item.changed_by is UNSET else item.changed_by.S,
        None if item.reason is UNSET else item.reason.S,
        None if item.changed_as is UNSET else item.changed_as.S,
        item.is_removed is not UNSET,
        0 if item.access_count is UNSET else int(item.access_count.N),
        None if item.last_accessed is UNSET else milliseconds_of(item.last_accessed.N),
        None if item.embedding is UNSET else item.embedding.S,
        words if words_of == version else None,
    )


# --- decisions -----------------------------------------------------------------------------------

_Decoder = Callable[[Any], Any]


def _stored(kind: Kind) -> _Decoder:
    """Reads the JSON of an attribute of a kind that few decisions have, as `items.decision_from` reads it."""
    decode = OTHER_DECODERS[kind]
    return lambda value: decode(_plain(value))


_KINDS: Mapping[Kind, tuple[Any, _Decoder]] = {
    Kind.TEXT: (_Text, attrgetter("S")),
    Kind.TIME: (_Number, lambda value: milliseconds_of(value.N)),
    Kind.INTEGER: (_Number, lambda value: int(value.N)),
    Kind.NUMBER: (_Number, lambda value: float(value.N)),
    Kind.BOOLEAN: (_Flag, attrgetter("BOOL")),
    Kind.DOCUMENT: (_Document, lambda value: _object(value.M)),
    Kind.TEXTS: (_Texts, lambda value: [one.S for one in value.L]),
    Kind.COUNTS: (Raw, _stored(Kind.COUNTS)),
    Kind.OUTCOMES: (Raw, _stored(Kind.OUTCOMES)),
}
"""By kind of field: the type of its attribute, and a function that returns its value."""

_KEYS = ("pk", "sk", "iso_timestamp", "ttl", CONTENT_FLOATS, OUTCOME_FLOATS)
_INDEXED = (BY_CONTEXT.partition.name, BY_CONTEXT_KEYS.partition.name)
# In the order in which items have them, in which they are found fastest. An attribute that is not here, as one of those
# that name a large part in the bucket, is refused.
_DecisionItem = msgspec.defstruct(
    "_DecisionItem",
    [
        *((TIMES.get(name, name), _KINDS[kind][0] | UnsetType, UNSET) for name, kind in records.FIELDS.items()),
        *((name, _Text | UnsetType, UNSET) for name in ("pk", "sk", "iso_timestamp", *_INDEXED)),
        ("ttl", _Number | UnsetType, UNSET),
        *((name, _Texts | UnsetType, UNSET) for name in (CONTENT_FLOATS, OUTCOME_FLOATS)),
    ],
    gc=False,
    forbid_unknown_fields=True,
)
_DECISIONS = msgspec.json.Decoder(_DecisionItem)
_TEXTS = tuple(name for name, kind in records.FIELDS.items() if kind is Kind.TEXT)
_DOCUMENTS = tuple(name for name, kind in records.FIELDS.items() if kind is Kind.DOCUMENT)
_OTHERS = tuple((name, _KINDS[kind][1]) for name, kind in records.FIELDS.items() if name not in _TEXTS + _DOCUMENTS)
_texts_of, _documents_of, _keys_of = attrgetter(*_TEXTS), attrgetter(*_DOCUMENTS), attrgetter(*_KEYS)
_others_of = attrgetter(*(TIMES.get(name, name) for name, _ in _OTHERS))


def _decision(item: Any) -> ReadDecision:
    """As `items.decision_from`."""
    record: records.Record = {}
    for name, value in zip(_TEXTS, _texts_of(item), strict=True):
        if value is not UNSET:
            record[name] = value.S
    for name, value in zip(_DOCUMENTS, _documents_of(item), strict=True):
        if value is not UNSET:
            record[name] = _object(value.M)
    for (name, decode), value in zip(_OTHERS, _others_of(item), strict=True):
        if value is not UNSET:
            record[name] = decode(value)
    pk, sk, iso_timestamp, ttl, *pointers = _keys_of(item)
    if pointers != [UNSET, UNSET]:
        _restore_floats(record, *pointers)
    iso_time = None if iso_timestamp is UNSET else iso_timestamp.S
    decision = checked_decision(records.decision_from(record), pk.S, sk.S, iso_time)
    return ReadDecision(sk.S, decision, None if ttl is UNSET else float(ttl.N))
