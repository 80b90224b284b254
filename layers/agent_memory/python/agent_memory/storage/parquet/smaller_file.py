"""Makes a small Parquet file smaller: its footer keeps what readers need.

The Parquet library writes minima and maxima of every column, indexes of pages, and types in two notations. Of a day of
150 decisions, these are a third of the file.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from agent_memory.storage.parquet.compact_protocol import Value, read_struct, struct_bytes, struct_list_bytes
from agent_memory.storage.parquet.footer import MAGIC, TRAILER_BYTES, footer_length, parse_footer, with_trailer

# The fields of parquet.thrift that are kept, by number. `_ALL` keeps a field as it is; a field that is not named here
# is left out.
_ALL = None
_SCHEMA_ELEMENT = dict.fromkeys((1, 3, 4, 5, 6), _ALL)  # type, repetition, name, number of children, converted type
_STATISTICS = dict.fromkeys((5, 6), _ALL)  # maximum, minimum
_META_DATA = dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 9, 11), _ALL)  # type, encodings, path, codec, sizes, offsets of pages
_PATH, _OF_STATISTICS = 3, 12

_Kept = Mapping[int, Any] | Callable[[Value], Mapping[int, Any]] | None


def smaller_file(body: bytes, statistics_of: Collection[str]) -> bytes:
    """The same rows, without indexes of pages, and with minima and maxima of these columns only.

    Raises:
        NotParquet: it is not a Parquet file.
    """

    def meta_data(value: Value) -> Mapping[int, Any]:
        has_statistics = value.value[_PATH].value[0].value.decode() in statistics_of
        return {**_META_DATA, _OF_STATISTICS: _STATISTICS} if has_statistics else _META_DATA

    row_group = {1: {2: _ALL, 3: meta_data}, 2: _ALL, 3: _ALL}  # columns, size, number of rows
    file = {1: _ALL, 2: _SCHEMA_ELEMENT, 3: _ALL, 4: row_group, 6: _ALL, 7: _ALL}
    end = len(body) - TRAILER_BYTES
    footer = body[end - footer_length(body[end:]) : end]
    data_end = max((group.end_byte for group in parse_footer(footer).groups), default=len(MAGIC))
    return body[:data_end] + with_trailer(_smaller(Value(0, read_struct(footer), 0, len(footer)), file, footer))


def _smaller(value: Value, kept: _Kept, footer: bytes) -> bytes:
    """The bytes of a value with the fields that are kept; a list's elements are treated alike."""
    if kept is None:
        return footer[value.start : value.end]
    if isinstance(value.value, list):
        return struct_list_bytes([_smaller(one, kept, footer) for one in value.value])
    fields = kept(value) if callable(kept) else kept
    return struct_bytes(
        {
            number: (one.kind, _smaller(one, fields[number], footer))
            for number, one in sorted(value.value.items())
            if number in fields
        }
    )
