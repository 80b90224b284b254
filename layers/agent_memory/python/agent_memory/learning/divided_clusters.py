"""Clusters prepared for being divided by facts many times over, as the search does beside each set of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent_memory.learning.array_types import CodeArray, FloatArray, IntArray
from agent_memory.learning.clusters import Clustering

# Clusters are added up from finer ones if these are so much fewer than decisions.
_FEWER = 8
# A table of all possible numbers is used if it has at most so many entries for each number.
_TABLE = 2


@dataclass(frozen=True, slots=True, eq=False)
class DividedClusters:
    """A `Clustering` with what is the same for every division.

    Attributes:
        labels: as in `Clustering`, like `count` and `window_ms`.
        count: number of clusters.
        sizes: number of decisions in each of them.
        window_ms: the length of time that a cluster covers.
        is_by_facts: as in `Clustering`.
        order: the decisions in order of their clusters; None if they are.
        finer: the position, in the list, of clusters each of which is a part of one of these; None for none.
        of_finer: the cluster that each of the finer ones is a part of.
    """

    labels: CodeArray
    count: int
    sizes: FloatArray
    window_ms: int | None
    is_by_facts: bool
    order: CodeArray | None
    finer: int | None
    of_finer: IntArray


def divided_clusters(clusterings: Sequence[Clustering]) -> list[DividedClusters]:
    """Prepare clusterings in order of their number of clusters, the coarsest first."""
    return [_prepared(one, clusterings[number + 1 :], number + 1) for number, one in enumerate(clusterings)]


def distinct(
    keys: NDArray[np.integer[Any]], limit: int, order: IntArray | CodeArray | None = None
) -> tuple[IntArray, CodeArray, IntArray]:
    """The distinct numbers, ascending, the position of each number among them, and how often each of them occurs.

    This is what `numpy.unique` returns, but faster.

    Args:
        keys: the numbers, from 0.
        limit: all of them are below this.
        order: an order in which they are nearly ascending; None if they are.
    """
    if limit <= _TABLE * len(keys):
        counts = np.bincount(keys, minlength=limit)
        present = np.flatnonzero(counts)
        number = np.empty(limit, dtype=np.int32)
        number[present] = np.arange(len(present), dtype=np.int32)
        return present, number[keys], counts[present]
    nearly = keys if order is None else keys[order]
    # Merges what is in order already.
    sorting = np.argsort(nearly, kind="stable")
    ascending = nearly[sorting]
    is_first = np.concatenate([[True], ascending[1:] != ascending[:-1]])
    number = np.empty(len(keys), dtype=np.int32)
    number[sorting if order is None else order[sorting]] = np.cumsum(is_first, dtype=np.int32) - 1
    counts = np.diff(np.append(np.flatnonzero(is_first), len(keys)))
    return ascending[is_first].astype(np.int64), number, counts


def _prepared(clustering: Clustering, finer: Sequence[Clustering], first: int) -> DividedClusters:
    labels = clustering.labels
    is_ascending = bool(np.all(labels[1:] >= labels[:-1]))
    position, of_finer = _parts(labels, finer)
    return DividedClusters(
        labels=labels,
        count=clustering.count,
        sizes=np.bincount(labels, minlength=clustering.count).astype(np.float64),
        window_ms=clustering.window_ms,
        is_by_facts=clustering.is_by_facts,
        order=None if is_ascending else np.argsort(labels, kind="stable").astype(np.int32),
        finer=None if position is None else first + position,
        of_finer=of_finer,
    )


def _parts(labels: CodeArray, finer: Sequence[Clustering]) -> tuple[int | None, IntArray]:
    """The position of the first finer clusters that are parts of clusters, and of which; None if there are none."""
    for position, one in enumerate(finer):
        if one.count * _FEWER <= len(labels):
            of_finer = np.zeros(one.count, dtype=np.int64)
            of_finer[one.labels] = labels
            if np.array_equal(of_finer[one.labels], labels):
                return position, of_finer
    return None, np.empty(0, dtype=np.int64)
