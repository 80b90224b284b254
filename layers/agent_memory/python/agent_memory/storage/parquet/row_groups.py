"""What the footer of a Parquet file tells of its row groups: where each lies, and which rows it may hold.

    QUERY 0:00 … 9:00 | QUERY 9:00 … 23:59, SIGNAL 0:00 … 2:00 | SIGNAL 2:00 … 23:59

A row group in the middle of which a kind ends says by itself that it may hold any time of day. Its neighbours say
more, since the file is ordered: its rows lie between the last row before it and the first one after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent_memory.core.clock import Span
from agent_memory.storage.parquet.files import NotParquet, query_rows

Place = tuple[str, int]
"""What a file is ordered by: a kind, and within it a time in milliseconds."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that are wanted: of a span of time, and of one kind where it is named."""

    span: Span
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group: where its bytes and rows begin and end (not included), and within which bounds its rows lie.

    No row of it stands before `low` or after `high` in the file's order, none is earlier than `earliest_ms` or later
    than `latest_ms`.
    """

    first_byte: int
    end_byte: int
    first_row: int
    end_row: int
    low: Place
    high: Place
    earliest_ms: int
    latest_ms: int

    @property
    def is_of_one_kind(self) -> bool:
        """Whether all its rows are of one kind, so that its bounds are rows of it."""
        return self.low[0] == self.high[0]

    def may_hold(self, wanted: Slice) -> bool:
        """Whether a row of the slice may lie in it."""
        start_ms, end_ms = wanted.span.start_ms, wanted.span.end_ms
        if self.latest_ms < start_ms or end_ms <= self.earliest_ms:
            return False
        return wanted.kind is None or (self.low < (wanted.kind, end_ms) and (wanted.kind, start_ms) <= self.high)


def row_groups(source: Path, order: tuple[str, str]) -> list[RowGroup]:
    """The row groups of a file that is ordered by two columns, kind and time; only its footer is read.

    Raises:
        NotParquet: the footer tells too little, as none of our files does.
    """
    kind, time = order
    found = query_rows(
        "SELECT min(least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), data_page_offset)) AS first, "  # noqa: S608
        "first + sum(total_compressed_size), max(row_group_num_rows), count(bloom_filter_offset), "
        "max(stats_min_value) FILTER (path_in_schema = ?), max(stats_max_value) FILTER (path_in_schema = ?), "
        "max(stats_min_value) FILTER (path_in_schema = ?), max(stats_max_value) FILTER (path_in_schema = ?) "
        f"FROM parquet_metadata('{source}') GROUP BY row_group_id ORDER BY row_group_id",
        [kind, kind, time, time],
    )
    groups: list[RowGroup] = []
    row = 0
    for first, end, rows, filters, *bounds in found:
        if filters or None in bounds:
            raise NotParquet("its row groups are not written as the archive's are")
        low, high, earliest, latest = bounds[0], bounds[1], int(bounds[2]), int(bounds[3])
        groups.append(RowGroup(first, int(end), row, row + rows, (low, earliest), (high, latest), earliest, latest))
        row += rows
    return list(_between_neighbours(groups))


def _between_neighbours(groups: Sequence[RowGroup]) -> Iterator[RowGroup]:
    """Those of several kinds bounded by their neighbours of one kind."""
    for before, one, after in zip([None, *groups], groups, [*groups[1:], None], strict=False):
        if one.is_of_one_kind:
            yield one
            continue
        low = max(one.low, before.high) if before and before.is_of_one_kind else one.low
        high = min(one.high, after.low) if after and after.is_of_one_kind else one.high
        yield replace(one, low=low, high=high)
