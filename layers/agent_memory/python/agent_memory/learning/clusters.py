"""Groups of decisions whose outcomes may be correlated: what shares a position, or was decided close in time.

Copies of one position share its outcome, and decisions that are made close in time share the market's fortune. Which of
them matters is not known beforehand, so that an effect is tested with several groupings (`learning.effect_tests`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import CodeArray, IntArray, WordArray
from agent_memory.learning.copies import facts_of_positions
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.feature_matrix import FeatureMatrix

# Decisions with the same facts within this many days may be copies of one position that the record does not name.
_COPIES_DAYS = (1, 8)
# With fewer different sets of facts, many decisions have the same without being copies.
_MIN_SETS_OF_FACTS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Decisions in clusters.

    Attributes:
        labels: the cluster of each decision, 0 to `count` - 1; shape (decisions,).
        count: number of clusters.
        window_ms: the length of time that a cluster covers; None for clusters that are not windows of time.
        is_by_facts: whether the decisions of a cluster have the same facts, so that an effect of facts looks like a
            correlation of their outcomes.
    """

    labels: CodeArray
    count: int
    window_ms: int | None = None
    is_by_facts: bool = False


def clusterings(table: EvidenceTable, windows_ms: Sequence[int], matrix: FeatureMatrix) -> tuple[Clustering, ...]:
    """The groupings of a type's decisions: by windows of time, and by what shares an outcome or may share one.

    Args:
        table: the decisions.
        windows_ms: lengths of the windows of time.
        matrix: the facts of the decisions that are worth counting.
    """
    return (*_windows(table.times_ms, windows_ms), *_recorded(table.cluster_codes), *_copies(table, matrix))


def _windows(times_ms: IntArray, windows_ms: Sequence[int]) -> Iterator[Clustering]:
    origin = int(times_ms[0]) if len(times_ms) else 0
    for window_ms in windows_ms:
        # Windows of whole days begin with the first day; shorter ones are those of the clock.
        first = origin // DAY_MS * DAY_MS
        yield _clustering((times_ms - first) // window_ms, window_ms)


def _recorded(codes: CodeArray) -> Iterator[Clustering]:
    """The positions, cycles and chains that the record names; each other decision is a cluster of its own."""
    if np.any(codes >= 0):
        yield _clustering(np.where(codes >= 0, codes, -1 - np.arange(len(codes))))


def _copies(table: EvidenceTable, matrix: FeatureMatrix) -> Iterator[Clustering]:
    """Decisions with the same facts within a few days: all facts, and those that look like a position's own.

    What is logged again after hours finds another market, another hour, or has a time of its own among its facts.
    """
    if not len(table):
        return
    everything = _numbered(table.features.sums(_random(len(table.features.vocabulary))))
    digests = [everything] if np.max(everything) >= _MIN_SETS_OF_FACTS - 1 else []
    for of_positions in facts_of_positions(matrix, table.times_ms):
        sums = np.zeros(len(table), dtype=np.uint64)
        for row, value in zip(of_positions, _random(len(of_positions)), strict=True):
            sums[matrix.rows[row]] += value
        same_position = _numbered(sums)
        if not digests or np.max(same_position) < np.max(everything):  # else they are the same sets
            digests.append(same_position)
    days = (table.times_ms - table.times_ms[0]) // DAY_MS
    for facts in digests:
        for length in _COPIES_DAYS:
            yield _clustering(facts.astype(np.int64) * (1 + int(days[-1])) + days // length, is_by_facts=True)


def _numbered(sums: WordArray) -> CodeArray:
    """Numbers that are equal where sums are."""
    return np.unique(sums, return_inverse=True)[1].astype(np.int32)


def _random(count: int) -> WordArray:
    """Random 64-bit numbers, one for each fact; two sets have the same sum with a probability of 2^-64."""
    return np.random.default_rng(0).integers(0, 2**63, size=count, dtype=np.uint64)


def _clustering(keys: IntArray | CodeArray, window_ms: int | None = None, *, is_by_facts: bool = False) -> Clustering:
    steps = np.diff(keys)
    if len(keys) and np.all(steps >= 0):  # as windows of time are, which need not be sorted
        labels = np.zeros(len(keys), dtype=np.int32)
        np.cumsum(steps > 0, out=labels[1:])
        return Clustering(labels, 1 + int(labels[-1]), window_ms, is_by_facts)
    found, positions = np.unique(keys, return_inverse=True)
    return Clustering(positions.astype(np.int32), len(found), window_ms, is_by_facts)
