"""`Columns`: the fields by which items are ranked, as one array per field and one row per item."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_agents.memory.decay import DecayGroup
from trading_agents.memory.item import TradingMemoryItem

Rows = NDArray[np.integer[Any]]
"""Row numbers; items are numbered in the order in which they were added."""

Scope = tuple[str | None, str | None]
"""The kind and the symbol that a query is restricted to; None for any."""

_FEW_ROWS = 16


class Columns:
    """Fields of items by row. Words, kinds and symbols are numbered; `key` orders the items of a `DecayGroup`."""

    def __init__(self) -> None:
        self.score, self.timestamp, self.key = array("d"), array("d"), array("d")
        self.is_live = bytearray()
        self._kind, self._symbol = array("I"), array("I")
        self._words, self._word_ends = array("I"), array("q", [0])
        self._number_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.is_live)

    def append(self, item: TradingMemoryItem, group: DecayGroup) -> set[int]:
        """Add a row, and return the distinct words of the item."""
        words = {self._number(word) for word in item.content.lower().split()}
        self.score.append(item.score)
        self.timestamp.append(item.timestamp)
        self.key.append(group.key(item.score, item.timestamp))
        self.is_live.append(1)
        self._kind.append(self._number(item.kind))
        self._symbol.append(self._number(item.symbol))
        self._words.extend(words)
        self._word_ends.append(len(self._words))
        return words

    def known_words(self, query: str) -> list[int]:
        """Return the distinct words of a query that occur in any item."""
        return [self._number_of[word] for word in dict.fromkeys(query.lower().split()) if word in self._number_of]

    def live_rows(self, rows: Rows, scope: Scope = (None, None)) -> Rows:
        """Return those rows whose item has not been removed and is in the scope."""
        rows = rows[np.frombuffer(self.is_live, dtype=np.bool_)[rows]]
        for name, column in zip(scope, (self._kind, self._symbol), strict=True):
            if name is not None:
                rows = rows[np.frombuffer(column, dtype=np.uint32)[rows] == self._number_of.get(name, -1)]
        return rows

    def count_shared_words(self, rows: Rows, words: Sequence[int]) -> NDArray[np.int64]:
        """Return how many of the words the item in each row contains; same shape as `rows`."""
        if len(rows) <= _FEW_ROWS:  # faster than building a dozen arrays
            asked, ends_of = set(words), self._word_ends
            contained = (self._words[ends_of[row] : ends_of[row + 1]] for row in rows.tolist())
            return np.array([len(asked.intersection(one)) for one in contained], dtype=np.int64)
        ends = np.frombuffer(self._word_ends, dtype=np.int64)
        starts, counts = ends[rows], ends[rows.astype(np.int64) + 1] - ends[rows]
        stops = np.cumsum(counts)
        positions = np.arange(stops[-1]) + np.repeat(starts - stops + counts, counts)
        occurring = np.frombuffer(self._words, dtype=np.uint32)[positions]
        is_asked = np.zeros(len(occurring), dtype=np.bool_)
        for word in words:
            is_asked |= occurring == word
        asked_before = np.concatenate([[0], np.cumsum(is_asked)])
        shared: NDArray[np.int64] = asked_before[stops] - asked_before[stops - counts]
        return shared

    def _number(self, name: str) -> int:
        return self._number_of.setdefault(name, len(self._number_of))
