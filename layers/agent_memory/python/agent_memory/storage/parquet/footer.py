"""The footer of a Parquet file: positions and bounds of its row groups, and the footer of a file with some of them.

The footer is a `FileMetaData` structure in Thrift's compact protocol, followed by its length and `PAR1`:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from agent_memory.storage.parquet.compact_protocol import Fields, read_struct, struct_list_bytes, varint

TRAILER_BYTES = 8
"""The size of the footer's length and the magic number after it."""

MAGIC = b"PAR1"
"""The first and the last bytes of a Parquet file."""
# Field numbers in parquet.thrift.
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _GROUP_ROWS = 1, 3
_META_DATA = 3
_PATH, _COMPRESSED_SIZE, _DATA_OFFSET, _DICTIONARY_OFFSET, _STATISTICS, _BLOOM_FILTER = 3, 7, 9, 11, 12, 14
_MAX_VALUE, _MIN_VALUE = 5, 6


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
            varint(rows << 1),
            body[self._num_rows[1] : self._list[0]],
            struct_list_bytes(elements),
            body[self._list[1] :],
        ]
        return with_trailer(b"".join(parts))


def footer_length(trailer: bytes) -> int:
    """The size of a file's footer, from the last `TRAILER_BYTES` of the file.

    Raises:
        NotParquet: they are not the end of a Parquet file.
    """
    if len(trailer) != TRAILER_BYTES or trailer[4:] != MAGIC:
        raise NotParquet("the file does not end as a Parquet file does")
    return int(struct.unpack("<I", trailer[:4])[0])


def with_trailer(footer: bytes) -> bytes:
    """A footer with its length and the magic number after it."""
    return footer + struct.pack("<I", len(footer)) + MAGIC


def parse_footer(body: bytes) -> Footer:
    """Parse a footer, without the length and the magic number after it.

    Raises:
        NotParquet: it cannot be read, or its row groups are not as the archive writes them.
    """
    try:
        fields = read_struct(body)
        num_rows, groups = fields[_NUM_ROWS], fields[_ROW_GROUPS]
        return Footer(
            tuple(_group(one.value) for one in groups.value),
            body,
            (num_rows.start, num_rows.end),
            (groups.start, groups.end),
            tuple((one.start, one.end) for one in groups.value),
        )
    except NotParquet:
        raise
    except (IndexError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise NotParquet(f"the footer cannot be read: {type(error).__name__} {error}") from error


def _group(fields: Fields) -> GroupInfo:
    chunks = [chunk.value[_META_DATA].value for chunk in fields[_COLUMNS].value]
    if any(_BLOOM_FILTER in one for one in chunks):
        raise NotParquet("the row groups are not as the archive writes them")
    starts = [min(one[name].value for name in (_DATA_OFFSET, _DICTIONARY_OFFSET) if name in one) for one in chunks]
    first = min(starts)
    columns = {one[_PATH].value[0].value.decode(): _chunk(one) for one in chunks}
    size = sum(one[_COMPRESSED_SIZE].value for one in chunks)
    return GroupInfo(first, first + size, fields[_GROUP_ROWS].value, columns)


def _chunk(meta_data: Fields) -> Chunk:
    statistics = meta_data[_STATISTICS].value if _STATISTICS in meta_data else {}
    low, high = statistics.get(_MIN_VALUE), statistics.get(_MAX_VALUE)
    return Chunk(low and low.value, high and high.value)
