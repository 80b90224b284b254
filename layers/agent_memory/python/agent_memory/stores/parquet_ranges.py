"""Some rows of a Parquet object: its footer is read and the row groups that may hold them, and nothing else.

    object    | row group | row group | row group | … | footer |
    read                    ^^^^^^^^^^^               ^^^^^^^^^^   two requests

DuckDB reads files. It gets one of the object's size, with holes where nothing was read: it skips the row groups whose
statistics rule them out by the same footer, and a hole that it did read would be no valid page, hence an error.
"""

import struct
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from agent_memory.stores.base import Part, Span
from agent_memory.stores.concurrently import map_concurrently
from agent_memory.stores.parquet import Columns, query_rows, rows_of

IN_SMALL_ROW_GROUPS = ", ROW_GROUP_SIZE 2048, WRITE_BLOOM_FILTER false"
"""Options of a file that is read by parts. A bloom filter would lie outside of its row group."""

TAIL_BYTES = 65_536
"""Read first: the footer of a file of some 60,000 rows, and all of a small file."""

_FOOTER_END = 8  # length of the footer, then "PAR1"

ReadPart = Callable[[int, int | None], Part]


class ObjectReplaced(Exception):
    """The object was replaced between two reads of its parts."""


def rows_at(read: ReadPart, columns: Columns, moments: str, spans: Sequence[Span]) -> list[tuple[Any, ...]]:
    """The rows whose column `moments` (milliseconds) lies in one of the spans, in the file's order.

    Raises:
        ObjectReplaced: read again.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.parquet")
        with source.open("wb") as file:
            tail = _tail(read)
            _fill(file, tail)
            file.flush()
            missing = [one for one in _ranges(source, moments, spans, tail.size) if one[0] < tail.start]
            for part in map_concurrently(lambda one: read(one[0], min(one[1], tail.start)), missing):
                if part.tag != tail.tag:
                    raise ObjectReplaced
                _fill(file, part)
        inside = " OR ".join(f"({moments} >= {one.start_ms} AND {moments} < {one.end_ms})" for one in spans)
        return rows_of(source, columns, keep=inside)


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


def _ranges(source: Path, moments: str, spans: Sequence[Span], size: int) -> list[tuple[int, int]]:
    """First byte and end of what has to be read, neighbours joined; all of it where the footer tells too little."""
    groups = query_rows(
        "SELECT min(least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), data_page_offset)) AS first, "  # noqa: S608
        "first + sum(total_compressed_size), count(bloom_filter_offset), "
        "max(stats_min_value) FILTER (path_in_schema = ?), max(stats_max_value) FILTER (path_in_schema = ?) "
        f"FROM parquet_metadata('{source}') GROUP BY row_group_id ORDER BY first",
        [moments, moments],
    )
    if any(filters or low is None or high is None for _, _, filters, low, high in groups):
        return [(0, size)]
    wanted: list[tuple[int, int]] = []
    for first, end, _, low, high in groups:
        if any(int(low) < span.end_ms and span.start_ms <= int(high) for span in spans):
            touches = bool(wanted) and wanted[-1][1] == first
            wanted[-1:] = [(wanted[-1][0], int(end))] if touches else [*wanted[-1:], (int(first), int(end))]
    return wanted
