"""Volatility from ranges. Arrays have the shape (bars,); row t uses bars up to t; NaN in the warm-up."""

import numpy as np

from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.smoothing import wilder
from trading_agents.indicators.trailing import trailing_mean


def true_range(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Return the largest of high - low, |high - previous close| and |low - previous close|, in price units.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), chapter 3.
    """
    before = np.concatenate([[np.nan], close[:-1]])
    return np.asarray(np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before))))


def average_true_range(high: FloatArray, low: FloatArray, close: FloatArray, window: int = 14) -> FloatArray:
    """Return Wilder's average of the true range, in price units: a mean first, then ATR += (TR - ATR) / window.

    Source: Wilder (1978), chapter 3.
    """
    return wilder(true_range(high, low, close), window)


def mean_true_range(high: FloatArray, low: FloatArray, close: FloatArray, window: int = 20) -> FloatArray:
    """Return the simple mean of the last `window` true ranges, in price units."""
    return trailing_mean(true_range(high, low, close), window)


def parkinson_volatility(high: FloatArray, low: FloatArray, window: int = 20) -> FloatArray:
    """Return the standard deviation of a bar's log return from ranges: sqrt(mean(ln(high / low)^2) / (4 ln 2)).

    Source: M. Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return,
    Journal of Business 53 (1980) 61-65.
    """
    return np.asarray(np.sqrt(trailing_mean(np.log(high / low) ** 2, window) / (4 * np.log(2))))


def garman_klass_volatility(
    opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, window: int = 20
) -> FloatArray:
    """Return the standard deviation of a bar's log return: sqrt(mean(ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2)).

    Source: M. B. Garman, M. J. Klass, On the Estimation of Security Price Volatilities from Historical Data,
    Journal of Business 53 (1980) 67-78, the practical form of their estimator. Gaps between bars are ignored.
    """
    variance = np.log(high / low) ** 2 / 2 - (2 * np.log(2) - 1) * np.log(close / opened) ** 2
    return np.asarray(np.sqrt(np.maximum(trailing_mean(variance, window), 0)))
