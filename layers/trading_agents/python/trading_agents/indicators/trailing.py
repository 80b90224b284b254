"""Statistics over a window of bars that ends with each bar, so that none looks ahead.

Arrays have the shape (bars,) or (bars, symbols); the first `window - 1` rows of a result are NaN.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trading_agents.core.arrays import FloatArray


def trailing_mean(values: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last `window` values."""
    return _padded(sliding_window_view(values, window, axis=0).mean(axis=-1), window)


def trailing_std(values: FloatArray, window: int) -> FloatArray:
    """Return the standard deviation of the last `window` values around their mean (divisor `window`)."""
    return _padded(sliding_window_view(values, window, axis=0).std(axis=-1), window)


def trailing_median(values: FloatArray, window: int) -> FloatArray:
    """Return the median of the last `window` values."""
    return _padded(np.median(sliding_window_view(values, window, axis=0), axis=-1), window)


def trailing_rank(values: FloatArray, window: int) -> FloatArray:
    """Return the rank of the newest among the last `window` values, from 0 (lowest) to 1 (highest).

    Values equal to it count half, so that the rank in a constant series is 0.5.
    """
    windows = sliding_window_view(values, window, axis=0)
    newest = windows[..., -1:]
    below = (windows < newest).sum(axis=-1)
    equal = (windows == newest).sum(axis=-1) - 1
    rank = (below + equal / 2) / (window - 1)
    return _padded(np.where(np.isnan(windows).any(axis=-1), np.nan, rank), window)


def _padded(result: FloatArray, window: int) -> FloatArray:
    return np.concatenate([np.full((window - 1, *result.shape[1:]), np.nan), result])
