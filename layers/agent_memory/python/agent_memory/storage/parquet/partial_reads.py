"""Some rows of a Parquet object: its footer is read and the row groups that may hold them, and nothing else.

    object    | row group | row group | row group | … | footer |
    read                    ^^^^^^^^^^^               ^^^^^^^^^^   two requests

DuckDB reads files. It gets one of the object's size, with holes where nothing was read, and is asked for the rows by
their numbers, so that it skips the other row groups. A hole that it did read would be no valid page, hence an error.
"""

import struct
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from agent_memory.core.concurrency import map_concurrently
from agent_memory.ports.blobs import Part
from agent_memory.storage.parquet.files import Columns, rows_of
from agent_memory.storage.parquet.row_groups import RowGroup, Slice, row_groups

IN_SMALL_ROW_GROUPS = ", ROW_GROUP_SIZE 1, WRITE_BLOOM_FILTER false"
"""Options of a file that is read by parts. DuckDB ends a row group after a chunk only, so that each chunk is one: 2,048
rows, or fewer where its reader's buffer ended. A bloom filter would lie outside of its row group."""

TAIL_BYTES = 65_536
"""Read first: the footer of a file of some 60,000 rows, and all of a small file."""

_FOOTER_END = 8  # length of the footer, then "PAR1"

ReadPart = Callable[[int, int | None], Part]


class ObjectReplaced(Exception):
    """The object was replaced between two reads of its parts."""


def rows_at(read: ReadPart, columns: Columns, order: tuple[str, str], slices: Sequence[Slice]) -> list[tuple[Any, ...]]:
    """The rows that lie in one of the slices, in the file's order.

    `order` names the columns that the file is ordered by: the kind (text), and within it the time (milliseconds).

    Raises:
        ObjectReplaced: read again.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.parquet")
        with source.open("wb") as file:
            tail = _tail(read)
            _fill(file, tail)
            file.flush()
            groups = [one for one in row_groups(source, order) if any(map(one.may_hold, slices))]
            missing = [one for one in _joined(groups) if one[0] < tail.start]
            for part in map_concurrently(lambda one: read(one[0], min(one[1], tail.start)), missing):
                if part.tag != tail.tag:
                    raise ObjectReplaced
                _fill(file, part)
        return _rows_in(source, columns, order, groups, slices)


def _rows_in(
    source: Path, columns: Columns, order: tuple[str, str], groups: Sequence[RowGroup], slices: Sequence[Slice]
) -> list[tuple[Any, ...]]:
    if not groups:
        return []
    kind, time = order
    read = " OR ".join(f"file_row_number BETWEEN {one.first_row} AND {one.end_row - 1}" for one in groups)
    inside = " OR ".join(
        f"({time} >= {one.span.start_ms} AND {time} < {one.span.end_ms}{f' AND {kind} = ?' if one.kind else ''})"
        for one in slices
    )
    kinds = [one.kind for one in slices if one.kind]
    return rows_of(source, columns, keep=f"({read}) AND ({inside})", parameters=kinds)


def _tail(read: ReadPart) -> Part:
    """The end of the object, with its whole footer at least."""
    tail = read(-TAIL_BYTES, None)
    (length,) = struct.unpack("<I", tail.body[-_FOOTER_END:-4])
    first = tail.size - _FOOTER_END - length
    if first >= tail.start:
        return tail
    rest = read(first, tail.start)
    if rest.tag != tail.tag:
        raise ObjectReplaced
    return Part(rest.body + tail.body, first, tail.size, tail.tag)


def _fill(file: BinaryIO, part: Part) -> None:
    file.seek(part.start)
    file.write(part.body)


def _joined(groups: Iterable[RowGroup]) -> list[tuple[int, int]]:
    """First byte and end of each run of row groups that touch."""
    runs: list[tuple[int, int]] = []
    for one in groups:
        touches = bool(runs) and runs[-1][1] == one.first_byte
        runs[-1:] = [(runs[-1][0], one.end_byte)] if touches else [*runs[-1:], (one.first_byte, one.end_byte)]
    return runs
