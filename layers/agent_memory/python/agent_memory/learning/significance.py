"""Tests of the difference of two success rates, and the false discovery rate over many such tests.

Every function accepts numbers or arrays.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from agent_memory.learning.array_types import FloatArray, IntArray


def z_test_p_values(successes: ArrayLike, n: ArrayLike, other_successes: ArrayLike, other_n: ArrayLike) -> FloatArray:
    """Return approximate two-sided p-values of the difference of two rates: the pooled z-test.

    z = (r₁−r₂) / √(r(1−r)(1/n₁ + 1/n₂)), where r is the rate of both groups together. It is fast, and only decides
    which candidates deserve the exact test.
    """
    won, count, other_won, other_count = (
        np.asarray(values, dtype=np.float64) for values in (successes, n, other_successes, other_n)
    )
    pooled = (won + other_won) / (count + other_count)
    error = np.sqrt(pooled * (1 - pooled) * (1 / count + 1 / other_count))
    difference = np.abs(won / count - other_won / other_count)
    z = np.divide(difference, error, out=np.zeros_like(difference), where=error > 0)
    return np.asarray(2 * special.ndtr(-z), dtype=np.float64)


def exact_p_values(
    successes: ArrayLike, n: ArrayLike, other_successes: ArrayLike, other_n: ArrayLike, *, sided: int = 2
) -> FloatArray:
    """Return exact p-values of the difference of two rates: Fisher's test, for arrays of integer counts.

    Given both totals, the successes of the first group are hypergeometric. The tail in the observed direction is the
    one-sided p-value (`sided` = 1); twice that, at most 1, is the two-sided one. Fisher, Statistical Methods for
    Research Workers (1934) §21.02; doubling the tail: Agresti, Categorical Data Analysis (2013) §3.5.3.
    """
    won, count, other_won, other_count = (
        np.atleast_1d(np.asarray(values, dtype=np.int64)) for values in (successes, n, other_successes, other_n)
    )
    total, total_won = count + other_count, won + other_won
    # Integer arithmetic, so that equal rates compare as equal.
    is_higher = won * other_count >= other_won * count
    is_lower = ~is_higher
    tail = np.empty(len(won), dtype=np.float64)
    for side, probability, boundary in (
        (is_higher, stats.hypergeom.sf, won - 1),
        (is_lower, stats.hypergeom.cdf, won),
    ):
        tail[side] = probability(boundary[side], total[side], total_won[side], count[side])
    return np.clip(tail * sided, 0.0, 1.0)


def false_discovery_q_values(p_values: FloatArray, families: IntArray) -> FloatArray:
    """Return weighted Benjamini-Yekutieli q-values over all candidates that were tested.

    Rejecting q ≤ α keeps the expected share of false discoveries at or below α, however the candidates depend on each
    other. `families` is the family of each candidate (its number of features). The f families share the error budget
    equally: a candidate of a family of m_j among m has weight m/(f·m_j), which averages to 1, and p/weight replaces p.
    So 40 single features do not pay for 6,000 triples.

    Benjamini and Yekutieli, Annals of Statistics 29 (2001) 1165-1188; weights that are fixed before the outcomes are
    seen: Genovese, Roeder and Wasserman, Biometrika 93 (2006) 509-524, and for dependent tests Blanchard and Roquain,
    Electronic Journal of Statistics 2 (2008) 963-992.
    """
    if len(p_values) == 0:
        return np.empty(0, dtype=np.float64)
    weighted = np.minimum(p_values / family_weights(families), 1.0)
    return np.asarray(stats.false_discovery_control(weighted, method="by"), dtype=np.float64)


def family_weights(families: IntArray) -> FloatArray:
    """Return the weight m/(f·m_j) of each candidate; see `false_discovery_q_values`."""
    _, family, sizes = np.unique(families, return_inverse=True, return_counts=True)
    return np.asarray(len(families) / (len(sizes) * sizes[family]), dtype=np.float64)


def rejection_limits(families: IntArray, rate: float) -> FloatArray:
    """Return for each candidate a p-value above which `false_discovery_q_values` can never be ≤ `rate`.

    The most lenient step of Benjamini-Yekutieli is α/c(m) with c(m) = 1 + 1/2 + … + 1/m.
    """
    if len(families) == 0:
        return np.empty(0, dtype=np.float64)
    harmonic = float(np.sum(1.0 / np.arange(1, len(families) + 1)))
    return family_weights(families) * (rate / harmonic)
