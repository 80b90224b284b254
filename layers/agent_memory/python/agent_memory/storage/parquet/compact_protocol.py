"""Reads and writes structures in Thrift's compact protocol, in which the footers of Parquet files are.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STOP, _TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12
_LONG_LIST = 15
_MAX_DELTA = 15


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its type and its position in the bytes it was read from."""

    kind: int
    value: Any
    start: int
    end: int


Fields = Mapping[int, Value]
"""The fields of a structure by number."""


def read_struct(body: bytes) -> Fields:
    """The structure that begins the bytes.

    Raises:
        ValueError: a value of an unknown type. IndexError, RecursionError: it is cut off or otherwise damaged.
    """
    return _Reader(body).struct()


def struct_bytes(fields: Mapping[int, tuple[int, bytes]]) -> bytes:
    """The bytes of a structure, from the types and the bytes of its fields by number, in ascending order."""
    parts: list[bytes] = []
    before = 0
    for number, (kind, value) in fields.items():
        delta = number - before
        parts += [bytes([delta << 4 | kind]) if delta <= _MAX_DELTA else bytes([kind]) + varint(number << 1), value]
        before = number
    return b"".join([*parts, bytes([_STOP])])


def struct_list_bytes(elements: Sequence[bytes]) -> bytes:
    """The bytes of a list of structures, from those of its elements."""
    size = len(elements)
    head = bytes([size << 4 | _STRUCT]) if size < _LONG_LIST else bytes([_LONG_LIST << 4 | _STRUCT]) + varint(size)
    return b"".join([head, *elements])


def varint(number: int) -> bytes:
    """The bytes of an integer from 0; one that may be negative is shifted left by one bit before."""
    encoded = bytearray()
    while number >= 0x80:  # noqa: PLR2004  seven bits per byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


class _Reader:
    """Reads consecutive values."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def struct(self) -> dict[int, Value]:
        """The fields of a structure by number."""
        fields: dict[int, Value] = {}
        number = 0
        while True:
            header = self._byte()
            kind, delta = header & 0x0F, header >> 4
            if kind == _STOP:
                return fields
            number = number + delta if delta else self._zigzag()
            fields[number] = self._value(kind)

    def _value(self, kind: int, *, in_list: bool = False) -> Value:
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
            raise ValueError(f"a value of the unknown type {kind}")
        return Value(kind, value, start, self._at)

    def _list(self) -> list[Value]:
        header = self._byte()
        size, kind = header >> 4, header & 0x0F
        size = self._unsigned() if size == _LONG_LIST else size
        return [self._value(kind, in_list=True) for _ in range(size)]

    def _map(self) -> list[tuple[Value, Value]]:
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
