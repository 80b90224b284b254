"""Reads some rows of a Parquet object: only its footer, and the row groups that may contain the rows.

    object    | row group | row group | row group | … | footer |
    read                    ^^^^^^^^^^^               ^^^^^^^^^^   two requests

The Parquet reader gets a sparse file of the object's size, with holes where nothing was read, and a footer of the row
groups that were read.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from agent_memory.core.concurrency import map_concurrently
from agent_memory.ports.blobs import ByteRange
from agent_memory.storage.parquet.footer import TRAILER_BYTES, Footer, footer_length, parse_footer
from agent_memory.storage.parquet.reader import Columns, ColumnTests, file_path, read_rows_from
from agent_memory.storage.parquet.row_groups import RowGroup, Slice, row_groups

TAIL_BYTES = 65_536
"""Size of the first read, which contains the footer of a file of more than 100,000 rows, or an entire small file."""

ReadRange = Callable[[int, int | None], ByteRange]


class ObjectReplaced(Exception):
    """The object was replaced between two reads."""


def read_slices(
    read: ReadRange,
    columns: Columns,
    order: tuple[str, str],
    slices: Sequence[Slice],
    keeps: ColumnTests | None = None,
) -> list[tuple[Any, ...]]:
    """The rows in any of the slices that pass the tests, in the file's order.

    `order` names the columns that the file is ordered by: a kind (text), then a time (milliseconds).

    Raises:
        ObjectReplaced: retry. NotParquet: the object is not a Parquet file with these columns.
    """
    tail, footer = _tail(read)
    groups = row_groups(footer, order)
    chosen = [index for index, group in enumerate(groups) if any(map(group.may_contain, slices))]
    if not chosen:
        return []
    with tempfile.TemporaryDirectory() as folder:
        with file_path(folder).open("wb") as file:
            _write(file, tail)
            ranges = [one for one in _byte_ranges([groups[index] for index in chosen]) if one[0] < tail.start]
            for part in map_concurrently(lambda one: read(one[0], min(one[1], tail.start)), ranges):
                if part.tag != tail.tag:
                    raise ObjectReplaced
                _write(file, part)
            file.seek(tail.size)
            file.write(footer.with_groups(chosen))
        rows = read_rows_from(Path(folder), columns, keeps)
    names = list(columns)
    kind, time = names.index(order[0]), names.index(order[1])
    return [row for row in rows if any(one.contains(row[kind], row[time]) for one in slices)]


def _tail(read: ReadRange) -> tuple[ByteRange, Footer]:
    """The end of the object, with its footer."""
    tail = read(-TAIL_BYTES, None)
    first = tail.size - TRAILER_BYTES - footer_length(tail.body[-TRAILER_BYTES:])
    if first < tail.start:
        rest = read(max(0, first), tail.start)
        if rest.tag != tail.tag:
            raise ObjectReplaced
        tail = ByteRange(rest.body + tail.body, rest.start, tail.size, tail.tag)
    return tail, parse_footer(tail.body[first - tail.start : -TRAILER_BYTES])


def _write(file: BinaryIO, part: ByteRange) -> None:
    file.seek(part.start)
    file.write(part.body)


def _byte_ranges(groups: Iterable[RowGroup]) -> list[tuple[int, int]]:
    """First byte and end of the row groups, with adjacent ones merged."""
    ranges: list[tuple[int, int]] = []
    for one in groups:
        if ranges and ranges[-1][1] == one.first_byte:
            ranges[-1] = (ranges[-1][0], one.end_byte)
        else:
            ranges.append((one.first_byte, one.end_byte))
    return ranges
