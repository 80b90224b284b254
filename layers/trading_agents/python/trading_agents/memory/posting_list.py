"""`PostingList`: the rows of all items with some property, in the order of a column of keys."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np

from trading_agents.memory.columns import Rows

_INSERT_ONE_BY_ONE = 16


class PostingList:
    """Rows in ascending order of their keys; among equal keys the latest row comes first.

    Read from the end, it therefore yields the highest keys first, and among equal ones the earliest row. New rows stay
    unsorted at the end until the order is needed, so that a list that is never read costs one append per row.
    """

    __slots__ = ("_keys", "_rows", "_sorted_count")

    def __init__(self, keys: "array[float]") -> None:
        self._keys = keys
        self._rows = array("I")
        self._sorted_count = 0

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, row: int) -> None:
        """Add a row later than all before; its key is in the column already."""
        self._rows.append(row)

    def first_at_least(self, key: float) -> int:
        """Return the position of the first row whose key is not below `key`."""
        return bisect_left(self._sorted_rows(), key, key=self._keys.__getitem__)

    def first_above(self, key: float) -> int:
        """Return the position after the last row whose key is not above `key`."""
        return bisect_right(self._sorted_rows(), key, key=self._keys.__getitem__)

    def slice(self, start: int, stop: int) -> Rows:
        """Return the rows at positions `start` up to, not including, `stop`."""
        return np.array(self._sorted_rows()[max(start, 0) : stop], dtype=np.uint32)

    def row_at(self, position: int) -> int:
        """Return the row at a position."""
        return self._sorted_rows()[position]

    def unordered(self) -> Rows:
        """Return all rows in arbitrary order."""
        return np.array(self._rows, dtype=np.uint32)

    def filtered(self, keep: Callable[[Rows], Rows]) -> "PostingList":
        """Return a list of the rows that `keep` returns, in the same order."""
        filtered = PostingList(self._keys)
        filtered._rows = array("I", keep(self.slice(0, len(self))).astype(np.uint32).tobytes())
        filtered._sorted_count = len(filtered._rows)
        return filtered

    def drop_first(self, count: int) -> None:
        """Remove the first `count` rows."""
        del self._sorted_rows()[:count]
        self._sorted_count -= count

    def _sorted_rows(self) -> "array[int]":
        unsorted = len(self._rows) - self._sorted_count
        if unsorted > _INSERT_ONE_BY_ONE + self._sorted_count // 5_000:
            self._sort()
        elif unsorted:
            self._insert(self._rows[self._sorted_count :])
        self._sorted_count = len(self._rows)
        return self._rows

    def _insert(self, new: "array[int]") -> None:
        del self._rows[self._sorted_count :]
        for row in new:
            position = bisect_left(self._rows, self._keys[row], key=self._keys.__getitem__)
            self._rows.insert(position, row)

    def _sort(self) -> None:
        rows = np.array(self._rows, dtype=np.int64)
        order = np.lexsort((-rows, np.frombuffer(self._keys)[rows]))
        self._rows = array("I", rows[order].astype(np.uint32).tobytes())
