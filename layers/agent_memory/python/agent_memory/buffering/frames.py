"""Records as they lie in a segment file, and how they are found again.

    4 bytes  magic, its last byte the version of this layout
    4 bytes  CRC-32 of everything after it
    4 bytes  length of the payload
    8 bytes  sequence number: one more than that of the record before
    8 bytes  when it was logged, milliseconds since the epoch
    1 byte   kind
    payload

Integers are little endian. The magic and the sequence number let a reader go on behind damaged bytes
and say how much is missing.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

DECISION = b"D"
OUTCOME = b"O"

_MAGIC = b"\xabAM\x01"
_HEAD = struct.Struct("<4sI")
_CHECKED_HEAD = struct.Struct("<IQQc")
OVERHEAD_BYTES = _HEAD.size + _CHECKED_HEAD.size


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was logged. `payload` is its JSON text."""

    sequence: int
    kind: bytes
    logged_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes in which no record can be read; `sequence` is that of the first record that is missing."""

    sequence: int
    data: bytes

    @property
    def is_torn(self) -> bool:
        """Whether it is the beginning of one record whose writing was cut off."""
        return _needed(self.data) > len(self.data)


Item = Record | Damage


def frame(record: Record) -> bytes:
    """The record as it is written."""
    head = _CHECKED_HEAD.pack(len(record.payload), record.sequence, record.logged_ms, record.kind)
    return _HEAD.pack(_MAGIC, zlib.crc32(record.payload, zlib.crc32(head))) + head + record.payload


def walk(data: bytes, sequence: int, *, whole: bool) -> Iterator[tuple[Item, int]]:
    """What lies in `data`, each with the offset behind it.

    Args:
        data: bytes of a segment from the beginning of a record on.
        sequence: the sequence number that the first record should have.
        whole: whether `data` goes up to the segment's end. Else it may end within a record, and the walk ends
            before anything that is not a whole, good record.
    """
    offset = 0
    while offset < len(data):
        record = _read(data, offset)
        if record is not None:
            end = offset + OVERHEAD_BYTES + len(record.payload)
            yield record, end
            sequence = record.sequence + 1
        elif whole:
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
    """Where the next good record begins; the end of the data where there is none."""
    while (offset := data.find(_MAGIC, offset)) != -1:
        if _read(data, offset) is not None:
            return offset
        offset += 1
    return len(data)


def _needed(data: bytes) -> int:
    """How many bytes the record that begins here takes; 0 where no record begins."""
    if not data.startswith(_MAGIC[: len(data)]):
        return 0
    if len(data) < OVERHEAD_BYTES:
        return OVERHEAD_BYTES
    return OVERHEAD_BYTES + int(_CHECKED_HEAD.unpack_from(data, _HEAD.size)[0])
