"""What the footer of a Parquet file says of its row groups: where each is, and which rows it may hold.

    QUERY 0:00 … 9:00 | QUERY 9:00 … 23:59, SIGNAL 0:00 … 2:00 | SIGNAL 2:00 … 23:59

A row group in the middle of which a kind ends states by itself that it may hold any time of day. Its neighbours state
more, since the file is ordered: its rows are between the last row before it and the first one after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent_memory.core.clock import Span
from agent_memory.storage.parquet.footer import Footer, NotParquet

Place = tuple[str, int]
"""What a file is ordered by: a kind, and within it a time in milliseconds."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of a span of time, and of one kind where it is named."""

    span: Span
    kind: str | None = None

    def holds(self, kind: str, time_ms: int) -> bool:
        """Whether a row of a kind and a time is in it."""
        return self.span.start_ms <= time_ms < self.span.end_ms and self.kind in (None, kind)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group: where its bytes begin and end (not included), and the bounds of its rows.

    No row is before `low` or after `high` in the file's order, none is earlier than `earliest_ms` or later than
    `latest_ms`.
    """

    first_byte: int
    end_byte: int
    low: Place
    high: Place
    earliest_ms: int
    latest_ms: int

    @property
    def is_of_one_kind(self) -> bool:
        """Whether all its rows are of one kind, so that its bounds are rows of it."""
        return self.low[0] == self.high[0]

    def may_hold(self, wanted: Slice) -> bool:
        """Whether a row of the slice may be in it."""
        start_ms, end_ms = wanted.span.start_ms, wanted.span.end_ms
        if self.latest_ms < start_ms or end_ms <= self.earliest_ms:
            return False
        return wanted.kind is None or (self.low < (wanted.kind, end_ms) and (wanted.kind, start_ms) <= self.high)


def row_groups(footer: Footer, order: tuple[str, str]) -> list[RowGroup]:
    """The row groups of a file that is ordered by two columns, kind and time.

    Raises:
        NotParquet: the footer does not state their bounds.
    """
    kind, time = order
    groups: list[RowGroup] = []
    for info in footer.groups:
        kinds, times = info.columns[kind], info.columns[time]
        if kinds.low is None or kinds.high is None or times.low is None or times.high is None:
            raise NotParquet("its row groups are not written as the archive's are")
        low, high = kinds.low.decode(), kinds.high.decode()
        earliest, latest = (
            int.from_bytes(times.low, "little", signed=True),
            int.from_bytes(times.high, "little", signed=True),
        )
        groups.append(RowGroup(info.first_byte, info.end_byte, (low, earliest), (high, latest), earliest, latest))
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
