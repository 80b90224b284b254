"""The few special functions that learning needs, so that the layers of the functions need no SciPy.

Formulas are those of the NIST Digital Library of Mathematical Functions (DLMF), https://dlmf.nist.gov. The tests
compare them with SciPy.
"""

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from agent_memory.learning.array_types import FloatArray, IntArray

_TINY = 1e-300
_ITERATIONS = 10_000
_PRECISION = 1e-15
_LAST_STEP = 1e-8
_erfc = np.frompyfunc(math.erfc, 1, 1)
_lgamma = np.frompyfunc(math.lgamma, 1, 1)


def normal_cdf(values: FloatArray) -> FloatArray:
    """The distribution function of the standard normal, DLMF 7.2.2; the shape of `values`."""
    return np.asarray(_erfc(-np.asarray(values) / math.sqrt(2)) / 2, dtype=np.float64)


def log_gamma(values: FloatArray | IntArray) -> FloatArray:
    """The logarithm of the gamma function of positive numbers; the shape of `values`."""
    return np.asarray(_lgamma(values), dtype=np.float64)


def log_beta(alphas: FloatArray, betas: FloatArray) -> FloatArray:
    """The logarithm of the beta function, DLMF 5.12.1; of positive numbers, shapes broadcast."""
    return log_gamma(alphas) + log_gamma(betas) - log_gamma(alphas + betas)


def logit(rates: FloatArray | float) -> FloatArray:
    """The logarithm of the odds of rates between 0 and 1."""
    return np.asarray(np.log(rates) - np.log1p(-np.asarray(rates)), dtype=np.float64)


def expit(log_odds: FloatArray | float) -> FloatArray:
    """The rates that have these log odds."""
    return np.asarray(np.exp(-np.logaddexp(0, -np.asarray(log_odds))), dtype=np.float64)


def student_t_cdf(value: float, degrees: float) -> float:
    """The distribution function of Student's t with more than 0 degrees of freedom, which need not be whole.

    Half the regularized incomplete beta function I_x(ν/2, 1/2) at x = ν / (ν + t²) below zero: Abramowitz and Stegun,
    Handbook of Mathematical Functions (1964) 26.7.1.
    """
    square = value * value
    if math.isinf(square):
        return 0.0 if value < 0 else 1.0
    below = _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square), square / (degrees + square)) / 2
    return below if value < 0 else 1 - below


@lru_cache(maxsize=1024)  # searches ask for the same ones again and again
def student_t_quantile(probability: float, degrees: float) -> float:
    """The value that Student's t is below with a probability above 0.5 and below 1; Newton's method in a bracket.

    It begins at the first terms of the expansion around the normal distribution: Abramowitz and Stegun 26.7.5.
    """
    normal = NormalDist().inv_cdf(probability)
    value = normal + (normal**3 + normal) / (4 * degrees)
    low, high = 0.0, 2 * value
    while student_t_cdf(high, degrees) < probability:
        low, high = high, 2 * high
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    for _ in range(200):
        error = student_t_cdf(value, degrees) - probability
        low, high = (low, value) if error > 0 else (value, high)
        slope = math.exp(log_scale - (degrees + 1) / 2 * math.log1p(value * value / degrees))
        following = value - error / slope
        if not low < following < high:
            following = (low + high) / 2
        step, value = abs(following - value), following
        if step <= _LAST_STEP * value:  # the error left is about its square
            break
    return value


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """The regularized incomplete beta function I_x(a, b), with `rest` = 1 − x.

    The continued fraction DLMF 8.17.22, evaluated by Lentz's algorithm (Thompson and Barnett, Journal of Computational
    Physics 64, 1986). It converges fast below the mean; above it, the complement is evaluated.
    """
    if x == 0 or rest == 0:
        return float(rest == 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, rest, x)
    log_factor = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _ITERATIONS):
        at = a + 2 * m
        even = m * (b - m) * x / ((at - 1) * at)
        d, c = 1 / _nonzero(1 + even * d), _nonzero(1 + even / c)
        fraction *= c * d
        odd = -(a + m) * (a + b + m) * x / (at * (at + 1))
        d, c = 1 / _nonzero(1 + odd * d), _nonzero(1 + odd / c)
        fraction *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return math.exp(log_factor) * fraction / a


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
