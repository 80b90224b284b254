"""Recursive averages of columns. Row t uses rows up to t; leading NaN rows are skipped."""

import numpy as np

from trading_agents.core.arrays import FloatArray


def wilder(values: FloatArray, window: int) -> FloatArray:
    """Return Wilder's average: the mean of the first `window` values, then a step of 1 / window towards each value.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), chapter 2.
    """
    return _recursive(values, window, 1 / window)


def ewma(values: FloatArray, half_life: float) -> FloatArray:
    """Return the exponentially weighted mean from the first value: v += (1 - 0.5^(1 / half_life)) (x - v)."""
    return _recursive(values, 1, 1 - 0.5 ** (1 / half_life))


def _recursive(values: FloatArray, window: int, step: float) -> FloatArray:
    """Return the mean of the first `window` values after leading NaN, then steps towards each value."""
    from scipy.signal import lfilter  # noqa: PLC0415  takes half a second, and most commands smooth nothing

    result = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < window:
        return result
    start = known[0] + window
    level = values[known[0] : start].mean()
    result[start - 1] = level
    result[start:] = lfilter([step], [1, step - 1], values[start:], zi=[(1 - step) * level])[0]
    return result
