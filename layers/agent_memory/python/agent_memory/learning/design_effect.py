"""The design effect: how many independent decisions a sample of correlated ones is worth.

`learning.clusters` says which decisions may be correlated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import BoolArray, CodeArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class CorrelatedClusters:
    """The cluster of each decision, and the correlation of two outcomes of one cluster, 0 to 1."""

    labels: CodeArray
    correlation: float

    def select(self, which: IntArray | slice) -> "CorrelatedClusters":
        """The clusters of some of the decisions, with the correlation of all of them."""
        return CorrelatedClusters(self.labels[which], self.correlation)


def effective_sample_sizes(
    matching: BoolArray, clusterings: Sequence[CorrelatedClusters], *, least_design_effect: float = 1.0
) -> tuple[float, float]:
    """Return how many independent decisions the matching ones are worth, and the rest.

    Of several clusterings (a minute, a day, a position) the one with the largest design effect counts.
    """
    matching_count = int(np.count_nonzero(matching))
    matching_effect = rest_effect = least_design_effect
    for clusters in clusterings:
        if clusters.correlation > 0:
            labels = clusters.labels
            matching_effect = max(matching_effect, design_effect(np.bincount(labels[matching]), clusters.correlation))
            rest_effect = max(rest_effect, design_effect(np.bincount(labels[~matching]), clusters.correlation))
    return matching_count / matching_effect, (len(matching) - matching_count) / rest_effect


def intraclass_correlation(sums: FloatArray, squares: float, sizes: FloatArray) -> float:
    """Estimate the correlation of two values of one cluster, 0 to 1, by analysis of variance.

    With k clusters of m_i decisions, N in all: ρ = (MSB − MSW) / (MSB + (m₀ − 1)·MSW), where MSB and MSW are the mean
    squares between and within clusters and m₀ = (N − Σm_i²/N)/(k − 1). A negative estimate counts as 0.
    Donner, International Statistical Review 54 (1986) 67-82; Ridout, Demétrio and Firth, Biometrics 55 (1999)
    137-148, for binary outcomes.

    Args:
        sums: of the values of each cluster.
        squares: the sum of the squares of all values.
        sizes: the number of values of each cluster.
    """
    total, count = float(np.sum(sizes)), len(sizes)
    if count < 2 or total == count:  # noqa: PLR2004
        return 0.0
    between = float(np.sum(sums * sums / sizes))
    mean_square_between = (between - float(sums.sum()) ** 2 / total) / (count - 1)
    mean_square_within = (squares - between) / (total - count)
    typical_size = (total - float(np.sum(sizes * sizes)) / total) / (count - 1)
    spread = mean_square_between + (typical_size - 1) * mean_square_within
    if spread <= 0:
        return 0.0
    return float(np.clip((mean_square_between - mean_square_within) / spread, 0.0, 1.0))


def design_effect(sizes: IntArray | FloatArray, correlation: float) -> float:
    """Return the factor by which clusters of these sizes inflate the variance of a rate; at least 1.

    deff = 1 + (m′ − 1)·ρ with m′ = Σm²/Σm, the mean size of the cluster that a decision is in. n/deff is the effective
    sample size. Kish, Survey Sampling (1965) §5.4; unequal sizes: Kerry and Bland, Statistics in Medicine 20 (2001)
    377-390; dividing counts by it: Rao and Scott, Biometrics 48 (1992) 577-585.
    """
    total = float(np.sum(sizes))
    if total == 0:
        return 1.0
    mean_size = float(np.dot(sizes, sizes)) / total
    return max(1.0, 1.0 + (mean_size - 1.0) * correlation)
