"""Confidence intervals of success rates and of their differences.

Plain Python, although SciPy has Wilson's interval (`binomtest(…).proportion_ci`): the function behind the HTTP API uses
this module, and SciPy would multiply its start time.
"""

from math import hypot, sqrt

Z_95 = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


def wilson_interval(rate: float, n: float, *, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a success rate.

    (r + z²/2n ± z·√(r(1−r)/n + z²/4n²)) / (1 + z²/n). Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212.
    `n` need not be an integer; for `n` = 0 the interval is (0, 1).
    """
    if n <= 0:
        return 0.0, 1.0
    shrink = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrink
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe_interval(
    rate: float, n: float, other_rate: float, other_n: float, *, z: float = Z_95
) -> tuple[float, float]:
    """Return the interval of the difference of two independent rates, `rate` − `other_rate`.

    With Wilson limits (l₁, u₁) and (l₂, u₂): d − √((r₁−l₁)² + (u₂−r₂)²) to d + √((u₁−r₁)² + (r₂−l₂)²).
    Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.
    """
    low, high = wilson_interval(rate, n, z=z)
    other_low, other_high = wilson_interval(other_rate, other_n, z=z)
    difference = rate - other_rate
    return (
        difference - hypot(rate - low, other_high - other_rate),
        difference + hypot(high - rate, other_rate - other_low),
    )
