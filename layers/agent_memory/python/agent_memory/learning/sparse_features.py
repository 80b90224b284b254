"""Which decisions have which features, as a sparse matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from agent_memory.learning.array_types import BoolArray, CodeArray, IntArray, WordArray

# So that what is needed besides the result stays near the processor.
_BLOCK_ENTRIES = 1 << 18
_ENTRIES_PER_FEATURE = 4


@dataclass(frozen=True, slots=True, eq=False)
class SparseFeatures:
    """The decisions of each feature, four bytes for each feature of a decision.

    Attributes:
        vocabulary: the features, sorted.
        starts: where the decisions of each feature begin in `rows`, and where those of the last one end; shape
            (features + 1,).
        rows: the decisions of one feature after the other, each ascending.
        decisions: number of decisions, including those without any feature.
    """

    vocabulary: tuple[str, ...]
    starts: IntArray
    rows: CodeArray
    decisions: int

    @classmethod
    def of_decisions(cls, vocabulary: tuple[str, ...], codes: CodeArray, lengths: CodeArray) -> Self:
        """Arrange the features of decisions by feature.

        Args:
            vocabulary: the features, sorted.
            codes: the features of one decision after the other, as positions in the vocabulary.
            lengths: how many features each decision has; shape (decisions,).
        """
        ends = np.cumsum(lengths, dtype=np.int64)
        counts = np.zeros(len(vocabulary), dtype=np.int64)
        # Each block takes time for the whole vocabulary, too.
        size = max(_BLOCK_ENTRIES, _ENTRIES_PER_FEATURE * len(vocabulary))
        for start in range(0, len(codes), size):
            counts += np.bincount(codes[start : start + size], minlength=len(vocabulary))
        starts = np.concatenate([[0], np.cumsum(counts)])
        rows = np.empty(len(codes), dtype=np.int32)
        following = starts[:-1].copy()
        for start in range(0, len(codes), size):
            block = codes[start : start + size]
            order = np.argsort(block, kind="stable")
            in_order = block[order]
            count = np.bincount(block, minlength=len(vocabulary))
            earlier = np.cumsum(count) - count
            position = np.arange(len(block)) + (following - earlier)[in_order]
            rows[position] = _decisions(ends, start, start + len(block))[order]
            following += count
        return cls(vocabulary, starts, rows, len(lengths))

    @property
    def counts(self) -> IntArray:
        """How many decisions have each feature."""
        return np.diff(self.starts)

    def of(self, code: int) -> CodeArray:
        """The decisions that have a feature, given as its position in the vocabulary; ascending."""
        return self.rows[self.starts[code] : self.starts[code + 1]]

    def matching(self, features: Sequence[str]) -> BoolArray:
        """Return which decisions have all these features; shape (decisions,)."""
        matching = np.ones(self.decisions, dtype=np.bool_)
        for feature in features:
            code = int(np.searchsorted(np.asarray(self.vocabulary, dtype=object), feature))
            has = np.zeros(self.decisions, dtype=np.bool_)
            if code < len(self.vocabulary) and self.vocabulary[code] == feature:
                has[self.of(code)] = True
            matching &= has
        return matching

    def sums(self, values: WordArray) -> WordArray:
        """The sum, modulo 2^64, of the values of each decision's features; shape (decisions,).

        `values` has one value for each feature of the vocabulary.
        """
        sums = np.zeros(self.decisions, dtype=np.uint64)
        counts = self.counts
        for code in np.flatnonzero(counts > 1):
            sums[self.of(int(code))] += values[code]
        # Features of single decisions may be as many as decisions, so not one by one.
        single = np.flatnonzero(counts == 1)
        np.add.at(sums, self.rows[self.starts[single]], values[single])
        return sums

    def select(self, which: BoolArray) -> Self:
        """The features of some of the decisions, which keep their order; shape (decisions,)."""
        is_kept = which[self.rows]
        kept = np.concatenate([[0], np.cumsum(is_kept)])
        rows = (np.cumsum(which, dtype=np.int32) - 1)[self.rows[is_kept]]
        return replace(self, starts=kept[self.starts], rows=rows, decisions=int(np.count_nonzero(which)))

    def oldest(self, count: int) -> Self:
        """The features of the first decisions."""
        is_kept = self.rows < count
        kept = np.concatenate([[0], np.cumsum(is_kept)])
        return replace(self, starts=kept[self.starts], rows=self.rows[is_kept], decisions=count)


def _decisions(ends: IntArray, start: int, end: int) -> CodeArray:
    """The decision of each of these entries, given the end of the entries of each decision."""
    first, last = np.searchsorted(ends, [start, end - 1], side="right").tolist()
    bounds = np.concatenate([[start], ends[first:last], [end]])
    return np.repeat(np.arange(first, last + 1, dtype=np.int32), np.diff(bounds))
