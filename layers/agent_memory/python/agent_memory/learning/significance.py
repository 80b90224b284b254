"""The exact test of the difference of two success rates, for numbers or arrays."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from agent_memory.learning.array_types import FloatArray


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
