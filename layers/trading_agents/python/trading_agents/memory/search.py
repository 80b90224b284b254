"""`TopSearch`: the best items for a query, without scoring all of them.

score = importance × 0.5^(age / half-life) + number of words in common; among equal scores the item that was added
first.

Posting lists are in the order of importance, which does not depend on the time (`decay`). A search first reads the
heads of the lists of the queried words, which gives a score that any further result must reach. Of q words, an item
that is in none of the m shortest lists has at most q - m, so its importance must make up the difference: only that much
of the next list is read. This is MaxScore (Turtle, Flood, *Query Evaluation: Strategies and Optimizations*, Information
Processing & Management 31 (1995) 831-850) on impact-ordered lists. The scores that decide are computed one by one, with
exactly the arithmetic of the formula.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_agents.core.arrays import BoolArray, FloatArray, IntArray
from trading_agents.memory.columns import Columns, Rows, Scope
from trading_agents.memory.decay import NEGLIGIBLE, DecayGroup
from trading_agents.memory.posting_list import PostingList

_HEAD = 64
_FIRST_CHUNK = 512
_CHUNK = 8_192
_SCORE_ALL_UP_TO = 256
_LIST_LENGTH_PER_ROW = 32
_TOLERANCE = 1e-9
_ROUNDING = 1e-15


class TopSearch:
    """One query: its words by number, a scope, the number of results (1 or more), and the time.

    Call `search_group` for every decay group, then `rows`.
    """

    def __init__(self, columns: Columns, words: Sequence[int], scope: Scope, count: int, now: float) -> None:
        self._columns, self._words, self._scope = columns, words, scope
        self._count, self._now = count, now
        self._best: dict[int, float] = {}
        self._word_lists: Sequence[PostingList] = ()
        self._word_counts: NDArray[np.unsignedinteger[Any]] | None = None

    def rows(self) -> list[int]:
        """Return the rows of the best items, best first."""
        return list(self._best)

    def search_group(self, group: DecayGroup, all_items: PostingList, word_lists: Sequence[PostingList]) -> None:
        """Consider the items of one decay group.

        Args:
            group: of the items.
            all_items: every item of the group in the scope.
            word_lists: for each queried word that occurs in the group, the items with it, in the scope or in any.
        """
        self._word_lists, self._word_counts = word_lists, None
        if len(all_items) <= _SCORE_ALL_UP_TO:
            self._consider(group, all_items.slice(0, len(all_items)))
            return
        lists = [*sorted(word_lists, key=len), all_items]
        heads = [*[_HEAD] * len(word_lists), self._count]
        starts = [max(0, len(one) - head) for one, head in zip(lists, heads, strict=True)]
        read = [one.slice(start, len(one)) for one, start in zip(lists, starts, strict=True)]
        self._consider(group, distinct(np.concatenate(read)))
        for position, (one, stop) in enumerate(zip(lists, starts, strict=True)):
            self._read(group, one, stop, most_words=len(word_lists) - position)

    def _read(self, group: DecayGroup, rows: PostingList, stop: int, most_words: int) -> None:
        """Consider a list from position `stop` down, as far as importance can make up for missing words."""
        size = _FIRST_CHUNK
        while stop > 0:
            lowest = self._lowest_score()
            missing = lowest - most_words - _ROUNDING * max(lowest, most_words)
            start = max(rows.first_at_least(group.lowest_key(missing, self._now)), stop - size)
            if start >= stop:
                return
            self._consider(group, rows.slice(start, stop))
            stop, size = start, _CHUNK

    def _lowest_score(self) -> float:
        """Return the score that a further result must reach."""
        return next(reversed(self._best.values())) if len(self._best) == self._count else 0.0

    def _consider(self, group: DecayGroup, rows: Rows) -> None:
        """Add the best of some rows to the results."""
        columns = self._columns
        rows = columns.live_rows(rows, self._scope)
        if not len(rows):
            return
        shared = self._count_shared_words(rows)
        importance = group.approximate_importance(np.frombuffer(columns.key)[rows], self._now)
        promising = self._promising(importance + shared)
        rows, shared, importance = rows[promising], shared[promising], importance[promising]
        if len(rows) > self._count + _HEAD:
            scores, times = np.frombuffer(columns.score)[rows], np.frombuffer(columns.timestamp)[rows]
            kept = first_of_equals(rows, scores, times, shared, importance, count=self._count)
            rows, shared = rows[kept], shared[kept]
        for row, words in zip(rows.tolist(), shared.tolist(), strict=True):
            score = group.exact_importance(columns.score[row], columns.timestamp[row], self._now) + words
            if score > 0:
                self._best[row] = score
        ranked = sorted(self._best.items(), key=lambda one: (-one[1], one[0]))
        self._best = dict(ranked[: self._count])

    def _count_shared_words(self, rows: Rows) -> IntArray:
        """Return how many queried words each row has: for few rows from their words, for many from the lists."""
        if self._word_counts is None:
            if len(rows) * _LIST_LENGTH_PER_ROW < sum(map(len, self._word_lists)):
                return self._columns.count_shared_words(rows, self._words)
            size = np.uint8 if len(self._word_lists) <= np.iinfo(np.uint8).max else np.uint32
            self._word_counts = np.zeros(len(self._columns), dtype=size)
            for one in self._word_lists:
                self._word_counts[one.unordered()] += 1
        return self._word_counts[rows].astype(np.int64)

    def _promising(self, scores: FloatArray) -> BoolArray:
        """Return which approximate scores may belong to the best, allowing for rounding."""
        lowest = self._lowest_score()
        if len(scores) > self._count:
            lowest = max(lowest, float(np.partition(scores, len(scores) - self._count)[len(scores) - self._count]))
        promising: BoolArray = scores >= lowest - _TOLERANCE * abs(lowest) - NEGLIGIBLE
        return promising


def distinct(rows: Rows) -> Rows:
    """Return each row once, ascending; `rows` is not empty. As `np.unique`, in a fourth of the time."""
    ordered = np.sort(rows)
    is_new = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


def first_of_equals(
    rows: Rows, scores: FloatArray, times: FloatArray, shared: IntArray, importance: FloatArray, *, count: int
) -> NDArray[np.integer]:
    """Return the positions of the first `count` rows of each group of certainly equal results; all shapes (n,).

    Certainly equal are rows with the same score, time and number of shared words, and rows with the same number of
    shared words whose importance is below the last digit of the sum.
    """
    is_negligible = (np.abs(importance) < np.finfo(np.float64).eps / 8) & (shared > 0)
    scores, times = np.where(is_negligible, 0.0, scores), np.where(is_negligible, 0.0, times)
    order = np.lexsort((rows, scores, times, shared))
    ranked = np.stack([scores[order], times[order], shared[order].astype(np.float64)])
    is_first = np.concatenate([[True], (ranked[:, 1:] != ranked[:, :-1]).any(axis=0)])
    positions = np.arange(len(order))
    rank_in_group = positions - np.maximum.accumulate(np.where(is_first, positions, 0))
    kept: NDArray[np.integer] = order[rank_in_group < count]
    return kept
