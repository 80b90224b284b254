"""Conversion between records of decisions and rows of a Parquet file.

Documents are stored as canonical JSON text, which is lossless. What is empty is null: no ids, no metadata, revision 0.
A column that is null in every row of a file is not in it. The agent and the day are in the object's key. The ancestors
of a decision are derived and not archived.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from agent_memory.core.conditions import canonical_parts
from agent_memory.core.json_values import canonical_json
from agent_memory.model import records
from agent_memory.model.decisions import CONTENT, Decision, Kind
from agent_memory.model.records import Record
from agent_memory.model.seals import ROW_HASH
from agent_memory.ports.decisions import Selection
from agent_memory.storage.parquet.reader import ColumnTests

_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.TIME: "BIGINT",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.DOCUMENT: "VARCHAR",
    Kind.TEXTS: "VARCHAR[]",
    Kind.OUTCOMES: "VARCHAR",
}
_IN_CONTENT = {name: kind for name, kind in CONTENT.items() if kind is Kind.DOCUMENT}
_FIELDS: Mapping[str, Kind] = {
    **{name: records.IDENTITY[name] for name in ("decision_type", "timestamp_ms", "decision_id")},
    **_IN_CONTENT,
    **records.OUTCOME,
    **{name: kind for name, kind in CONTENT.items() if name not in _IN_CONTENT},
}
_NULL_IF_EMPTY = frozenset(
    {"metadata", "parent_ids", "memory_ids", "other_outcomes", "superseded_outcomes", "revision"}
)

COLUMNS = {**{name: _TYPES[kind] for name, kind in _FIELDS.items()}, ROW_HASH: "VARCHAR"}
"""The columns and their types, in order."""

FILE_ORDER = ("decision_type", "timestamp_ms")
"""The order of a day's rows, before their ids: similar rows are adjacent, in row groups of one type."""


def named_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries, from tuples in the order of `COLUMNS`."""
    return (dict(zip(COLUMNS, values, strict=True)) for values in rows)


def decision_row(decision: Decision) -> dict[str, Any]:
    """The row of a decision, without its hash."""
    record = records.decision_record(decision) | records.outcomes_record(decision)
    return {name: _encoded(name, kind, record.get(name)) for name, kind in _FIELDS.items()}


def decision_from_row(agent_id: str, row: Mapping[str, Any]) -> Decision:
    """The decision of an agent in a row."""
    record: Record = {"agent_id": agent_id}
    for name, kind in _FIELDS.items():
        value = row[name]
        record[name] = _DECODERS[kind](value) if kind in _DECODERS and value is not None else value
    return records.decision_from(record)


def column_tests(selection: Selection) -> ColumnTests:
    """What tells most rows that do not meet a selection from the others without decoding them."""
    tests: dict[str, Callable[[Any], bool]] = {}
    parts = canonical_parts(selection.context or {})
    if parts:
        tests["context"] = lambda text: text is None or all(part in text for part in parts)
    if selection.success is not None:
        tests["success"] = lambda success: success is selection.success
    elif selection.is_pending:
        tests["success"] = lambda success: success is None
    return tests


def _encoded(name: str, kind: Kind, value: Any) -> Any:
    if value is None or (name in _NULL_IF_EMPTY and not value):
        return None
    return _ENCODERS[kind](value) if kind in _ENCODERS else value


_ENCODERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.DOCUMENT: canonical_json,
    Kind.OUTCOMES: canonical_json,
    Kind.TEXTS: list,
}
_DECODERS: Mapping[Kind, Callable[[Any], Any]] = {Kind.DOCUMENT: json.loads, Kind.OUTCOMES: json.loads}
