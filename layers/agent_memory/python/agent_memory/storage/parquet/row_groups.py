"""The row groups of an ordered Parquet file: where each one is, and which rows it may contain.

    QUERY 0:00 … 9:00 | QUERY 9:00 … 23:59, SIGNAL 0:00 … 2:00 | SIGNAL 2:00 … 23:59

By its own statistics, a row group with two kinds may contain rows of any time of day. As the file is ordered, its
neighbours bound it more closely: its rows are between the last row before it and the first one after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent_memory.core.clock import Span
from agent_memory.storage.parquet.footer import Footer, NotParquet

SortKey = tuple[str, int]
"""The columns that a file is ordered by: a kind, then a time in milliseconds."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of a span, of one kind if `kind` is not None."""

    span: Span
    kind: str | None = None

    def contains(self, kind: str, time_ms: int) -> bool:
        """Whether a row of this kind and time is in the slice."""
        return self.span.start_ms <= time_ms < self.span.end_ms and self.kind in (None, kind)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group: the range of its bytes, and the bounds of its rows.

    No row is before `low` or after `high` in the file's order, and none is earlier than `earliest_ms` or later than
    `latest_ms`.
    """

    first_byte: int
    end_byte: int
    low: SortKey
    high: SortKey
    earliest_ms: int
    latest_ms: int

    @property
    def has_one_kind(self) -> bool:
        """Whether all rows are of the same kind, so that `low` and `high` are the first and the last row."""
        return self.low[0] == self.high[0]

    def may_contain(self, one: Slice) -> bool:
        """Whether the row group may contain a row of the slice."""
        start_ms, end_ms = one.span.start_ms, one.span.end_ms
        if self.latest_ms < start_ms or end_ms <= self.earliest_ms:
            return False
        return one.kind is None or (self.low < (one.kind, end_ms) and (one.kind, start_ms) <= self.high)


def row_groups(footer: Footer, order: tuple[str, str]) -> list[RowGroup]:
    """The row groups of a file that is ordered by two columns, kind and time.

    Raises:
        NotParquet: the footer does not have their bounds.
    """
    kind, time = order
    groups: list[RowGroup] = []
    for info in footer.groups:
        kinds, times = info.columns[kind], info.columns[time]
        if kinds.low is None or kinds.high is None or times.low is None or times.high is None:
            raise NotParquet("the row groups are not as the archive writes them")
        low, high = kinds.low.decode(), kinds.high.decode()
        earliest, latest = (
            int.from_bytes(times.low, "little", signed=True),
            int.from_bytes(times.high, "little", signed=True),
        )
        groups.append(RowGroup(info.first_byte, info.end_byte, (low, earliest), (high, latest), earliest, latest))
    return list(_between_neighbours(groups))


def _between_neighbours(groups: Sequence[RowGroup]) -> Iterator[RowGroup]:
    """The row groups; those of several kinds are bounded by their neighbours of one kind."""
    for before, one, after in zip([None, *groups], groups, [*groups[1:], None], strict=False):
        if one.has_one_kind:
            yield one
            continue
        low = max(one.low, before.high) if before and before.has_one_kind else one.low
        high = min(one.high, after.low) if after and after.has_one_kind else one.high
        yield replace(one, low=low, high=high)
