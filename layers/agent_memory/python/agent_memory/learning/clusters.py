"""Groups of decisions whose outcomes may be correlated: what shares a position, or was decided close in time.

Copies of one position share its outcome, and decisions that are made close in time share the market's fortune. Which of
them matters is not known beforehand, so that an effect is tested with several groupings (`learning.effect_tests`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import CodeArray, IntArray
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.sparse_features import SparseFeatures

# Decisions with the same facts within this many days may be copies of one position that the record does not name.
_COPIES_DAYS = (1, 4)
# With fewer different sets of facts, many decisions have the same without being copies.
_MIN_SETS_OF_FACTS = 30


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


def clusterings(table: EvidenceTable, windows_ms: Sequence[int]) -> tuple[Clustering, ...]:
    """The groupings of a type's decisions: by windows of time, and by what shares an outcome or may share one."""
    return (*_windows(table.times_ms, windows_ms), *_recorded(table.cluster_codes), *_copies(table))


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


def _copies(table: EvidenceTable) -> Iterator[Clustering]:
    """Decisions with the same facts within a few days."""
    if not len(table):
        return
    facts = _digests(table.features).astype(np.int64)
    if 1 + int(np.max(facts)) < _MIN_SETS_OF_FACTS:
        return
    days = (table.times_ms - table.times_ms[0]) // DAY_MS
    for length in _COPIES_DAYS:
        yield _clustering(facts * (1 + int(days[-1])) + days // length)


def _digests(features: SparseFeatures) -> CodeArray:
    """The number of each decision's set of facts: equal for decisions with the same facts."""
    # Sums of random 64-bit numbers, one for each fact; two sets have the same sum with a probability of 2^-64.
    values = np.random.default_rng(0).integers(0, 2**63, size=len(features.vocabulary), dtype=np.uint64)
    return np.unique(features.sums(values), return_inverse=True)[1].astype(np.int32)


def _clustering(keys: IntArray | CodeArray, window_ms: int | None = None) -> Clustering:
    distinct, labels = np.unique(keys, return_inverse=True)
    return Clustering(labels.astype(np.int32), len(distinct), window_ms)
