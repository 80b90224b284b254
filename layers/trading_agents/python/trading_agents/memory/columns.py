"""`Columns`: what items are ranked by, a value a place."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_agents.memory.decay import Fading
from trading_agents.memory.item import TradingMemoryItem

Places = NDArray[np.integer[Any]]

Labels = tuple[str | None, str | None]
"""A kind and a symbol; None stands for any."""


_FEW = 16


class Columns:
    """Columns of items. Words, kinds and symbols are numbers in them; `key` is what a `Fading` orders by."""

    def __init__(self) -> None:
        self.score, self.timestamp, self.key = array("d"), array("d"), array("d")
        self.is_alive = bytearray()
        self._kind, self._symbol = array("I"), array("I")
        self._words, self._word_ends = array("I"), array("q", [0])
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.is_alive)

    def append(self, item: TradingMemoryItem, fading: Fading) -> set[int]:
        """Add a row and return the item's words, each once."""
        words = {self._number(word) for word in item.content.lower().split()}
        self.score.append(item.score)
        self.timestamp.append(item.timestamp)
        self.key.append(fading.key(item.score, item.timestamp))
        self.is_alive.append(1)
        self._kind.append(self._number(item.kind))
        self._symbol.append(self._number(item.symbol))
        self._words.extend(words)
        self._word_ends.append(len(self._words))
        return words

    def numbers_of(self, query: str) -> list[int]:
        """The words of a query that any item has, each once."""
        return [self._numbers[word] for word in dict.fromkeys(query.lower().split()) if word in self._numbers]

    def alive(self, places: Places, labels: Labels = (None, None)) -> Places:
        """Those of the places that still hold an item, of the kind and symbol asked for."""
        places = places[np.frombuffer(self.is_alive, dtype=np.bool_)[places]]
        for name, column in zip(labels, (self._kind, self._symbol), strict=True):
            if name is not None:
                places = places[np.frombuffer(column, dtype=np.uint32)[places] == self._numbers.get(name, -1)]
        return places

    def shared_words(self, places: Places, words: Sequence[int]) -> NDArray[np.int64]:
        """How many of the words the item at each place has; shape as `places`."""
        if len(places) <= _FEW:  # sooner than a dozen arrays are made
            asked, ends_of = set(words), self._word_ends
            own = (self._words[ends_of[place] : ends_of[place + 1]] for place in places.tolist())
            return np.array([len(asked.intersection(one)) for one in own], dtype=np.int64)
        ends = np.frombuffer(self._word_ends, dtype=np.int64)
        starts, counts = ends[places], ends[places.astype(np.int64) + 1] - ends[places]
        until = np.cumsum(counts)
        at = np.arange(until[-1]) + np.repeat(starts - until + counts, counts)
        had = np.frombuffer(self._words, dtype=np.uint32)[at]
        is_asked = np.zeros(len(had), dtype=np.bool_)
        for word in words:
            is_asked |= had == word
        asked_until = np.concatenate([[0], np.cumsum(is_asked)])
        shared: NDArray[np.int64] = asked_until[until] - asked_until[until - counts]
        return shared

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))
