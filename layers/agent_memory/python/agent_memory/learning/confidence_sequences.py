"""Confidence sequences: intervals that hold at every night at once, so that one may look, and stop, at any of them.

An estimate d with variance v, of a difference Δ, is a score S = d/v with information V = 1/v. By the central limit
theorem S − ΔV is close to a Wiener process at time V, uniformly over time (Waudby-Smith, Arbour, Sinha, Kennedy and
Ramdas, Annals of Statistics 52 (2024) 2613-2640). For a Wiener process W and any distribution F over θ > 0,

    M(W, V) = ∫ exp(θW − θ²V/2) dF(θ)

is a martingale that begins at 1, so that it ever reaches 1/α with a probability of at most α (Ville). The lower limit
at time V is therefore d − x/V, where M(x, V) = 1/α; the upper one by symmetry (Robbins, Annals of Mathematical
Statistics 41 (1970) 1397-1409; Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021) 1055-1080).

F has nine tenths of its weight at one effect, for which the limit is found about as soon as by any procedure with this
error rate (Wald's sequential test), and one tenth spread as a half-normal distribution, so that the interval shrinks to
zero with time:

    M(x, V) = 0.9 · exp(θx − θ²V/2) + 0.1 · 2 (1 + ρ²V)^−½ exp(ρ²x² / 2(1 + ρ²V)) Φ(ρx / (1 + ρ²V)^½)

Of the error rate of 5 %, four fifths are spent on the lower limit: whether memory pays is what is asked.
"""

from math import erfc, exp, inf, log, log1p, sqrt

LOWER_ERROR, UPPER_ERROR = 0.04, 0.01
"""The probabilities with which the lower limit is ever above the truth, and the upper one ever below it."""
_POINT_WEIGHT = 0.9
_EFFECT = 0.06
_SPREAD = 0.12
_STEPS = 60


def always_valid_interval(estimate: float, variance: float, scale: float) -> tuple[float, float]:
    """Return an interval of a difference that holds at all times at once with a probability of 95 %.

    It is found soonest for a difference of 0.06 standard deviations of an outcome: 3 points of success at a rate near
    one half. It holds approximately, for estimates that are near normal.

    Args:
        estimate: of the difference, in units of the outcome.
        variance: of the estimate, over 0.
        scale: the standard deviation of one outcome, over 0.
    """
    information = scale * scale / variance  # in units of outcomes with a standard deviation of 1
    lower, upper = (_half_width(information, error) * scale for error in (LOWER_ERROR, UPPER_ERROR))
    return estimate - lower, estimate + upper


def _half_width(information: float, error: float) -> float:
    """The x/V at which the logarithm of M is −log(error), by bisection; M grows with x."""
    target = -log(error)
    low, high = 0.0, 1.0
    while _log_mixture(high * information, information) < target:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _log_mixture(middle * information, information) >= target else (middle, high)
    return high


def _log_mixture(x: float, information: float) -> float:
    point = log(_POINT_WEIGHT) + _EFFECT * x - _EFFECT * _EFFECT * information / 2
    spread = log1p(_SPREAD * _SPREAD * information)
    root = _SPREAD / sqrt(1 + _SPREAD * _SPREAD * information)
    half_normal = erfc(-x * root / sqrt(2))  # 2 Φ
    normal = log(1 - _POINT_WEIGHT) - spread / 2 + (x * root) ** 2 / 2 + (log(half_normal) if half_normal else -inf)
    high, low = max(point, normal), min(point, normal)
    return high + log1p(exp(low - high))
