"""The footer of a Parquet file: positions and bounds of its row groups, and the footer of a file with some of them.

The footer is a `FileMetaData` structure in Thrift's compact protocol, followed by its length and `PAR1`:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TRAILER_BYTES = 8
"""The size of the footer's length and the magic number after it."""

_MAGIC = b"PAR1"
# Field numbers in parquet.thrift.
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _GROUP_ROWS = 1, 3
_META_DATA = 3
_PATH, _COMPRESSED_SIZE, _DATA_OFFSET, _DICTIONARY_OFFSET, _STATISTICS, _BLOOM_FILTER = 3, 7, 9, 11, 12, 14
_MAX_VALUE, _MIN_VALUE = 5, 6
# Types of the compact protocol.
_STOP, _TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12
_LONG_LIST = 15
_STRUCT_IN_LIST = 0x0C


class NotParquet(ValueError):
    """The bytes are not a Parquet file, or not one of the form that the archive writes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column of a row group: its minimum and maximum as bytes, None if the footer does not have them."""

    low: bytes | None
    high: bytes | None


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """One row group: the range of its bytes, its number of rows, and its columns by name."""

    first_byte: int
    end_byte: int
    rows: int
    columns: dict[str, Chunk]


@dataclass(frozen=True, slots=True)
class Footer:
    """A parsed footer."""

    groups: tuple[GroupInfo, ...]
    _body: bytes
    _num_rows: tuple[int, int]
    _list: tuple[int, int]
    _elements: tuple[tuple[int, int], ...]

    def with_groups(self, chosen: Sequence[int]) -> bytes:
        """The footer and trailer of a file that has only the row groups with these indexes, at the same positions."""
        body = self._body
        rows = sum(self.groups[index].rows for index in chosen)
        elements = [body[first:end] for first, end in (self._elements[index] for index in chosen)]
        parts = [
            body[: self._num_rows[0]],
            _varint(rows << 1),
            body[self._num_rows[1] : self._list[0]],
            bytes([_LONG_LIST << 4 | _STRUCT_IN_LIST]) + _varint(len(elements)),
            *elements,
            body[self._list[1] :],
        ]
        footer = b"".join(parts)
        return footer + struct.pack("<I", len(footer)) + _MAGIC


def footer_length(trailer: bytes) -> int:
    """The size of a file's footer, from the last `TRAILER_BYTES` of the file.

    Raises:
        NotParquet: they are not the end of a Parquet file.
    """
    if len(trailer) != TRAILER_BYTES or trailer[4:] != _MAGIC:
        raise NotParquet("the file does not end as a Parquet file does")
    return int(struct.unpack("<I", trailer[:4])[0])


def parse_footer(body: bytes) -> Footer:
    """Parse a footer, without the length and the magic number after it.

    Raises:
        NotParquet: it cannot be read, or its row groups are not as the archive writes them.
    """
    try:
        reader = _Reader(body)
        fields = reader.struct()
        num_rows, groups = fields[_NUM_ROWS], fields[_ROW_GROUPS]
        return Footer(
            tuple(_group(one.value) for one in groups.value),
            body,
            (num_rows.start, num_rows.end),
            (groups.start, groups.end),
            tuple((one.start, one.end) for one in groups.value),
        )
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError, struct.error) as error:
        raise NotParquet(f"the footer cannot be read: {type(error).__name__} {error}") from error


def _group(fields: dict[int, "_Value"]) -> GroupInfo:
    chunks = [chunk.value[_META_DATA].value for chunk in fields[_COLUMNS].value]
    if any(_BLOOM_FILTER in one for one in chunks):
        raise NotParquet("the row groups are not as the archive writes them")
    starts = [min(one[name].value for name in (_DATA_OFFSET, _DICTIONARY_OFFSET) if name in one) for one in chunks]
    first = min(starts)
    columns = {one[_PATH].value[0].value.decode(): _chunk(one) for one in chunks}
    size = sum(one[_COMPRESSED_SIZE].value for one in chunks)
    return GroupInfo(first, first + size, fields[_GROUP_ROWS].value, columns)


def _chunk(meta_data: dict[int, "_Value"]) -> Chunk:
    statistics = meta_data[_STATISTICS].value if _STATISTICS in meta_data else {}
    low, high = statistics.get(_MIN_VALUE), statistics.get(_MAX_VALUE)
    return Chunk(low and low.value, high and high.value)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value with its position in the footer."""

    value: Any
    start: int
    end: int


class _Reader:
    """Reads consecutive values of the compact protocol."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def struct(self) -> dict[int, _Value]:
        """The fields of a structure by number."""
        fields: dict[int, _Value] = {}
        number = 0
        while True:
            header = self._byte()
            kind, delta = header & 0x0F, header >> 4
            if kind == _STOP:
                return fields
            number = number + delta if delta else self._zigzag()
            fields[number] = self._value(kind)

    def _value(self, kind: int, *, in_list: bool = False) -> _Value:
        start = self._at
        if kind in {_TRUE, _FALSE}:
            value: Any = self._byte() == _TRUE if in_list else kind == _TRUE
        elif kind == _BYTE:
            value = self._byte()
        elif _BYTE < kind <= _I64:
            value = self._zigzag()
        elif kind == _DOUBLE:
            value = self._take(8)
        elif kind == _BINARY:
            value = self._take(self._unsigned())
        elif kind in {_LIST, _SET}:
            value = self._list()
        elif kind == _MAP:
            value = self._map()
        elif kind == _STRUCT:
            value = self.struct()
        else:
            raise NotParquet(f"the footer contains a value of the unknown type {kind}")
        return _Value(value, start, self._at)

    def _list(self) -> list[_Value]:
        header = self._byte()
        size, kind = header >> 4, header & 0x0F
        size = self._unsigned() if size == _LONG_LIST else size
        return [self._value(kind, in_list=True) for _ in range(size)]

    def _map(self) -> list[tuple[_Value, _Value]]:
        size = self._unsigned()
        if not size:
            return []
        kinds = self._byte()
        key, value = kinds >> 4, kinds & 0x0F
        return [(self._value(key, in_list=True), self._value(value, in_list=True)) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._body[self._at - 1]

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._body):
            raise IndexError("a value exceeds the footer")
        self._at += size
        return self._body[self._at - size : self._at]

    def _unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004  the last byte of a varint has its high bit clear
                return number

    def _zigzag(self) -> int:
        number = self._unsigned()
        return number >> 1 ^ -(number & 1)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:  # noqa: PLR2004  seven bits per byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
