"""The format of records in a segment file.

    4 bytes  magic, whose last byte is the version of the format
    4 bytes  CRC-32 of everything after it
    4 bytes  length of the payload
    8 bytes  sequence number: one more than that of the previous record
    8 bytes  when it was logged, milliseconds since the epoch
    1 byte   kind
    payload

Integers are little endian. With the magic and the sequence number a reader can continue after damaged
bytes and tell how many records are missing.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

DECISION = b"D"
OUTCOME = b"O"

_MAGIC = b"\xabAM\x01"
_HEAD = struct.Struct("<4sI")
_CHECKED_HEAD = struct.Struct("<IQQc")
OVERHEAD_BYTES = _HEAD.size + _CHECKED_HEAD.size


class Record(NamedTuple):
    """A logged decision or outcome. `payload` is JSON."""

    sequence: int
    kind: bytes
    logged_ms: int
    payload: bytes


class Damage(NamedTuple):
    """Bytes that contain no valid record; `sequence` is that of the first missing record."""

    sequence: int
    data: bytes

    @property
    def is_torn(self) -> bool:
        """Whether it is the beginning of a record that was not completely written."""
        return _record_size(self.data) > len(self.data)


Item = Record | Damage


def frame(record: Record) -> bytes:
    """Encode a record."""
    head = _CHECKED_HEAD.pack(len(record.payload), record.sequence, record.logged_ms, record.kind)
    return _HEAD.pack(_MAGIC, zlib.crc32(record.payload, zlib.crc32(head))) + head + record.payload


def decode_records(data: bytes, sequence: int, *, to_end: bool) -> Iterator[tuple[Item, int]]:
    """Decode the records in `data`, and damage between them, each with the offset of its end.

    Args:
        data: bytes of a segment that begin with a record.
        sequence: the expected sequence number of the first record.
        to_end: whether `data` extends to the end of the segment. Otherwise it may end within a record, and decoding
            stops before the first bytes that are not a complete, valid record.
    """
    offset = 0
    while offset < len(data):
        record = _read(data, offset)
        if record is not None:
            end = offset + OVERHEAD_BYTES + len(record.payload)
            yield record, end
            sequence = record.sequence + 1
        elif to_end:
            end = _next_record(data, offset + 1)
            yield Damage(sequence, data[offset:end]), end
        else:
            return
        offset = end


def _read(data: bytes, offset: int) -> Record | None:
    if len(data) - offset < OVERHEAD_BYTES:
        return None
    magic, checksum = _HEAD.unpack_from(data, offset)
    length, sequence, logged_ms, kind = _CHECKED_HEAD.unpack_from(data, offset + _HEAD.size)
    start = offset + OVERHEAD_BYTES
    if magic != _MAGIC or start + length > len(data):
        return None
    if zlib.crc32(memoryview(data)[offset + _HEAD.size : start + length]) != checksum:
        return None
    return Record(sequence, kind, logged_ms, data[start : start + length])


def _next_record(data: bytes, offset: int) -> int:
    """The offset of the next valid record; the end of the data if there is none."""
    while (offset := data.find(_MAGIC, offset)) != -1:
        if _read(data, offset) is not None:
            return offset
        offset += 1
    return len(data)


def _record_size(data: bytes) -> int:
    """The size in bytes of the record that begins here, which may be incomplete; 0 if no record begins here."""
    if not data.startswith(_MAGIC[: len(data)]):
        return 0
    if len(data) < OVERHEAD_BYTES:
        return OVERHEAD_BYTES
    return OVERHEAD_BYTES + int(_CHECKED_HEAD.unpack_from(data, _HEAD.size)[0])
