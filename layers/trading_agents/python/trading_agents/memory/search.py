"""`Search`: the best items for a question, without looking at all of them.

sum = score × 0.5^(age / half-life) + number of words in common; of equal sums the item that was added first.

Lists of places are in the order of what is left of the importance, which is the same at any time (`fading`). A search
first looks at the heads of the lists of the words that are asked, which gives a sum that the last result must reach.
Of q words, an item that is in none of the m shortest lists has q - m at most, so it must make up the rest by its
importance: only the head that can do so is read of the next list. This is MaxScore (Turtle, Flood, *Query Evaluation:
Strategies and Optimizations*, Information Processing & Management 31 (1995) 831-850) on lists in order of impact. The
sums that decide are computed one by one, in the very arithmetic of the formula.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_agents.memory.columns import Columns, Labels, Places
from trading_agents.memory.decay import NOTHING, Fading
from trading_agents.memory.posting_list import OrderedPlaces

_HEAD = 64
_FIRST_CHUNK = 512
_CHUNK = 8_192
_FEW = 256
_LIST_TO_OWN_WORDS = 32
_CLOSE = 1e-9
_ROUNDING = 1e-15


class Search:
    """One question: the numbers of its words, a kind and symbol, how many results (1 or more), and the time.

    `look_into` each fading of the items in turn, then take `places`.
    """

    def __init__(self, columns: Columns, words: Sequence[int], labels: Labels, count: int, now: float) -> None:
        self._columns, self._words, self._labels = columns, words, labels
        self._count, self._now = count, now
        self._found: dict[int, float] = {}
        self._of_words: Sequence[OrderedPlaces] = ()
        self._counts: NDArray[np.unsignedinteger[Any]] | None = None

    def places(self) -> list[int]:
        """Places of the best, best first."""
        return list(self._found)

    def look_into(self, fading: Fading, everything: OrderedPlaces, of_words: Sequence[OrderedPlaces]) -> None:
        """Consider the items of one fading.

        Args:
            fading: theirs.
            everything: all of them that have the kind and symbol asked for.
            of_words: for each of the words that any of them has, those that have it, of the kind and symbol or of any.
        """
        self._of_words, self._counts = of_words, None
        if len(everything) <= _FEW:
            self._consider(fading, everything.between(0, len(everything)))
            return
        lists = [*sorted(of_words, key=len), everything]
        heads = [*[_HEAD] * len(of_words), self._count]
        starts = [max(0, len(one) - head) for one, head in zip(lists, heads, strict=True)]
        read = [one.between(start, len(one)) for one, start in zip(lists, starts, strict=True)]
        self._consider(fading, distinct(np.concatenate(read)))
        for position, (one, end) in enumerate(zip(lists, starts, strict=True)):
            self._read(fading, one, end, words_at_most=len(of_words) - position)

    def _read(self, fading: Fading, ordered: OrderedPlaces, end: int, words_at_most: int) -> None:
        """Consider a list from position `end` down, as far as importance may still make up for missing words."""
        size = _FIRST_CHUNK
        while end > 0:
            least = self._least_sum()
            missing = least - words_at_most - _ROUNDING * max(least, words_at_most)
            start = max(ordered.start_of(fading.key_from(missing, self._now)), end - size)
            if start >= end:
                return
            self._consider(fading, ordered.between(start, end))
            end, size = start, _CHUNK

    def _least_sum(self) -> float:
        """What a further result must reach."""
        return next(reversed(self._found.values())) if len(self._found) == self._count else 0.0

    def _consider(self, fading: Fading, places: Places) -> None:
        """Put the best of some places among those found."""
        columns = self._columns
        places = columns.alive(places, self._labels)
        if not len(places):
            return
        shared = self._shared_words(places)
        faded = fading.about(np.frombuffer(columns.key)[places], self._now)
        hopeful = self._hopeful(faded + shared)
        places, shared, faded = places[hopeful], shared[hopeful], faded[hopeful]
        if len(places) > self._count + _HEAD:
            scores, times = np.frombuffer(columns.score)[places], np.frombuffer(columns.timestamp)[places]
            kept = first_of_equals(places, scores, times, shared, faded, count=self._count)
            places, shared = places[kept], shared[kept]
        for place, words in zip(places.tolist(), shared.tolist(), strict=True):
            total = fading.exactly(columns.score[place], columns.timestamp[place], self._now) + words
            if total > 0:
                self._found[place] = total
        best = sorted(self._found.items(), key=lambda one: (-one[1], one[0]))
        self._found = dict(best[: self._count])

    def _shared_words(self, places: Places) -> NDArray[np.int64]:
        """How many of the words asked the item at each place has: of a few by its own words, of many by the lists."""
        if self._counts is None:
            if len(places) * _LIST_TO_OWN_WORDS < sum(map(len, self._of_words)):
                return self._columns.shared_words(places, self._words)
            size = np.uint8 if len(self._of_words) <= np.iinfo(np.uint8).max else np.uint32
            self._counts = np.zeros(len(self._columns), dtype=size)
            for one in self._of_words:
                self._counts[one.in_any_order()] += 1
        return self._counts[places].astype(np.int64)

    def _hopeful(self, sums: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which sums may be among the best, rounding allowed for."""
        least = self._least_sum()
        if len(sums) > self._count:
            least = max(least, float(np.partition(sums, len(sums) - self._count)[len(sums) - self._count]))
        hopeful: NDArray[np.bool_] = sums >= least - _CLOSE * abs(least) - NOTHING
        return hopeful


def distinct(places: Places) -> Places:
    """Each place once, ascending; shape (n,), n above 0. What `np.unique` does, in a fourth of the time."""
    ordered = np.sort(places)
    is_new = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


def first_of_equals(
    places: Places,
    scores: NDArray[np.float64],
    times: NDArray[np.float64],
    shared: NDArray[np.int64],
    faded: NDArray[np.float64],
    *,
    count: int,
) -> NDArray[np.integer]:
    """Positions of the first `count` places of each group whose sums are equal for certain; all shapes (n,).

    Those are the ones with the same score, time and words, and those with the same words whose importance has faded
    to less than the last digit of the sum.
    """
    is_nothing = (np.abs(faded) < np.finfo(np.float64).eps / 8) & (shared > 0)
    scores, times = np.where(is_nothing, 0.0, scores), np.where(is_nothing, 0.0, times)
    order = np.lexsort((places, scores, times, shared))
    ranked = np.stack([scores[order], times[order], shared[order].astype(np.float64)])
    is_first = np.concatenate([[True], (ranked[:, 1:] != ranked[:, :-1]).any(axis=0)])
    at = np.arange(len(order))
    rank_in_group = at - np.maximum.accumulate(np.where(is_first, at, 0))
    positions: NDArray[np.integer] = order[rank_in_group < count]
    return positions
