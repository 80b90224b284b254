"""Groups of decisions whose outcomes may be correlated: what shares a position, or was decided close in time.

Copies of one position share its outcome, and decisions that are made close in time share the market's fortune. Which of
them matters is not known beforehand, so that an effect is tested with several groupings (`learning.effect_tests`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import CodeArray, IntArray, WordArray
from agent_memory.learning.evidence import key_of
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.feature_matrix import FeatureMatrix

# Decisions with the same facts within this many days may be copies of one position that the record does not name.
_COPIES_DAYS = (1, 4)
# With fewer different sets of facts, many decisions have the same without being copies.
_MIN_SETS_OF_FACTS = 30
# A fact that one decision tells of the next more often than not is the market's, or the hour's, and no position's.
_LASTING = 0.5
# In standard errors: how much more concentrated in days than at random the facts of positions are at least.
_CONCENTRATED = 2.5
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Decisions in clusters.

    Attributes:
        labels: the cluster of each decision, 0 to `count` - 1; shape (decisions,).
        count: number of clusters.
        window_ms: the length of time that a cluster covers; None for clusters that are not windows of time.
    """

    labels: CodeArray
    count: int
    window_ms: int | None = None


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
    digests = [_numbered(table.features.sums(_random(len(table.features.vocabulary))))]
    of_positions = _facts_of_positions(matrix, table.times_ms)
    if of_positions:
        sums = np.zeros(len(table), dtype=np.uint64)
        for row, value in zip(of_positions, _random(len(of_positions)), strict=True):
            sums[matrix.rows[row]] += value
        digests.append(_numbered(sums))
    counts = [1 + int(np.max(facts)) for facts in digests]
    days = (table.times_ms - table.times_ms[0]) // DAY_MS
    for facts, count, others in zip(digests, counts, ((), counts[:1]), strict=False):
        if count >= _MIN_SETS_OF_FACTS and count not in others:
            for length in _COPIES_DAYS:
                yield _clustering(facts.astype(np.int64) * (1 + int(days[-1])) + days // length)


def _facts_of_positions(matrix: FeatureMatrix, times_ms: IntArray) -> list[int]:
    """The facts that copies of a position have in common, and other decisions of the same time do not.

    These are concentrated in days, as copies are, but one decision hardly tells them of the next, which mostly belongs
    to another position. All facts of a key are taken together.

    Returns:
        Positions in the matrix.
    """
    days = np.unique(times_ms // DAY_MS, return_inverse=True)[1]
    sizes = np.bincount(days)
    is_followed = np.diff(times_ms // _MINUTE_MS) > 0  # by one that is not of the same minute
    followed = int(np.count_nonzero(is_followed))
    by_key: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(matrix.names):
        by_key[key_of(name)].append(number)

    def is_of_positions(of_key: Sequence[int]) -> bool:
        shared = together = spread = 0.0
        for row in map(matrix.rows.__getitem__, of_key):
            share = np.count_nonzero(row) / len(row)
            spread += share * (1 - share)
            shared += float(np.sum((np.bincount(days, row) - share * sizes) ** 2)) / len(row)
            together += np.count_nonzero(row[:-1] & row[1:] & is_followed) / followed - share**2
        degrees = max(1, len(of_key) - 1) * max(1, len(sizes) - 1)
        return shared > spread * (1 + _CONCENTRATED * np.sqrt(2 / degrees)) and together < spread * _LASTING

    if not followed:
        return []
    return [number for of_key in by_key.values() if is_of_positions(of_key) for number in of_key]


def _numbered(sums: WordArray) -> CodeArray:
    """Numbers that are equal where sums are."""
    return np.unique(sums, return_inverse=True)[1].astype(np.int32)


def _random(count: int) -> WordArray:
    """Random 64-bit numbers, one for each fact; two sets have the same sum with a probability of 2^-64."""
    return np.random.default_rng(0).integers(0, 2**63, size=count, dtype=np.uint64)


def _clustering(keys: IntArray | CodeArray, window_ms: int | None = None) -> Clustering:
    distinct, labels = np.unique(keys, return_inverse=True)
    return Clustering(labels.astype(np.int32), len(distinct), window_ms)
