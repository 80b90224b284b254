"""The exact test of the difference of two success rates."""

import numpy as np

from agent_memory.learning.array_types import FloatArray, IntArray
from agent_memory.learning.special_functions import log_gamma


def exact_p_value(successes: int, n: int, other_successes: int, other_n: int, *, sided: int = 2) -> float:
    """Return the exact p-value of the difference of two rates: Fisher's test.

    Given both totals, the successes of the first group are hypergeometric. The tail in the observed direction is the
    one-sided p-value (`sided` = 1); twice that, at most 1, is the two-sided one. Fisher, Statistical Methods for
    Research Workers (1934) §21.02; doubling the tail: Agresti, Categorical Data Analysis (2013) §3.5.3.
    """
    total_won = successes + other_successes
    # Integer arithmetic, so that equal rates compare as equal.
    if successes * other_n >= other_successes * n:
        tail = np.arange(successes, min(n, total_won) + 1)
    else:
        tail = np.arange(max(0, total_won - other_n), successes + 1)
    logarithms = _log_binomial(n, tail) + _log_binomial(other_n, total_won - tail)
    logarithms -= _log_binomial(n + other_n, np.array([total_won]))
    return min(1.0, float(np.sum(np.exp(logarithms))) * sided)


def _log_binomial(n: int, k: IntArray) -> FloatArray:
    """Logarithm of the number of ways to choose k of n."""
    return np.asarray(log_gamma(np.array(n + 1)) - log_gamma(k + 1) - log_gamma(n - k + 1))
