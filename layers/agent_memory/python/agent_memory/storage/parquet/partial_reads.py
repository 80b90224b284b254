"""Some rows of a Parquet object: its footer is read and the row groups that may hold them, and nothing else.

    object    | row group | row group | row group | … | footer |
    read                    ^^^^^^^^^^^               ^^^^^^^^^^   two requests

The reader gets a file of the object's size, with holes where nothing was read, whose footer names the row groups that
were read and no others.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from agent_memory.core.concurrency import map_concurrently
from agent_memory.ports.blobs import Part
from agent_memory.storage.parquet.footer import TRAILER_BYTES, Footer, footer_length, parse_footer
from agent_memory.storage.parquet.reader import Columns, file_in, rows_of_file
from agent_memory.storage.parquet.row_groups import RowGroup, Slice, row_groups

IN_SMALL_ROW_GROUPS = ", ROW_GROUP_SIZE 1, WRITE_BLOOM_FILTER false"
"""Options of a file that is read in parts. DuckDB ends a row group after a chunk only, so that each chunk is one: 2,048
rows, or fewer where its reader's buffer ended. A bloom filter would be stored outside of its row group."""

TAIL_BYTES = 65_536
"""Read first: the footer of a file of some 60,000 rows, and all of a small file."""

ReadPart = Callable[[int, int | None], Part]


class ObjectReplaced(Exception):
    """The object was replaced between two reads of its parts."""


def rows_at(read: ReadPart, columns: Columns, order: tuple[str, str], slices: Sequence[Slice]) -> list[tuple[Any, ...]]:
    """The rows in any of the slices, in the file's order.

    `order` names the columns that the file is ordered by: the kind (text), and within it the time (milliseconds).

    Raises:
        ObjectReplaced: read again. NotParquet: the object is not such a file.
    """
    tail, footer = _tail(read)
    groups = row_groups(footer, order)
    chosen = [index for index, group in enumerate(groups) if any(map(group.may_hold, slices))]
    if not chosen:
        return []
    with tempfile.TemporaryDirectory() as folder:
        with file_in(folder).open("wb") as file:
            _write(file, tail)
            missing = [run for run in _joined([groups[index] for index in chosen]) if run[0] < tail.start]
            for part in map_concurrently(lambda run: read(run[0], min(run[1], tail.start)), missing):
                if part.tag != tail.tag:
                    raise ObjectReplaced
                _write(file, part)
            file.seek(tail.size)
            file.write(footer.with_groups(chosen))
        rows = rows_of_file(Path(folder), columns)
    names = list(columns)
    kind, time = names.index(order[0]), names.index(order[1])
    return [row for row in rows if any(one.holds(row[kind], row[time]) for one in slices)]


def _tail(read: ReadPart) -> tuple[Part, Footer]:
    """The end of the object, with its footer."""
    tail = read(-TAIL_BYTES, None)
    first = tail.size - TRAILER_BYTES - footer_length(tail.body[-TRAILER_BYTES:])
    if first < tail.start:
        rest = read(max(0, first), tail.start)
        if rest.tag != tail.tag:
            raise ObjectReplaced
        tail = Part(rest.body + tail.body, rest.start, tail.size, tail.tag)
    return tail, parse_footer(tail.body[first - tail.start : -TRAILER_BYTES])


def _write(file: BinaryIO, part: Part) -> None:
    file.seek(part.start)
    file.write(part.body)


def _joined(groups: Iterable[RowGroup]) -> list[tuple[int, int]]:
    """First byte and end of each run of row groups that touch."""
    runs: list[tuple[int, int]] = []
    for one in groups:
        touches = bool(runs) and runs[-1][1] == one.first_byte
        runs[-1:] = [(runs[-1][0], one.end_byte)] if touches else [*runs[-1:], (one.first_byte, one.end_byte)]
    return runs
