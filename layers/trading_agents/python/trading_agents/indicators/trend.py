"""Momentum and trend strength. Arrays have the shape (bars,); row t uses bars up to t; NaN in the warm-up."""

from typing import NamedTuple

import numpy as np

from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.smoothing import wilder
from trading_agents.indicators.trailing import trailing_mean, trailing_std
from trading_agents.indicators.volatility import true_range


class DirectionalMovement(NamedTuple):
    """Wilder's indicators, 0 to 100."""

    plus_di: FloatArray
    minus_di: FloatArray
    adx: FloatArray


def z_score(values: FloatArray, window: int) -> FloatArray:
    """Return the newest value less the mean of the last `window`, over their sample deviation; 0 in a flat series."""
    deviation = trailing_std(values, window) * np.sqrt(window / (window - 1))
    distance = values - trailing_mean(values, window)
    return np.asarray(
        np.divide(distance, deviation, out=np.where(np.isnan(deviation), np.nan, 0.0), where=deviation > 0)
    )


def momentum(close: FloatArray, lookback: int = 24, window: int = 250) -> FloatArray:
    """Return the log return over `lookback` bars as a z-score among its last `window` values.

    Source: time-series momentum, T. Moskowitz, Y. H. Ooi, L. H. Pedersen, Journal of Financial Economics 104 (2012)
    228-250: the past return is the signal; here it is standardised.
    """
    past = np.full(len(close), np.nan)
    past[lookback:] = np.log(close[lookback:] / close[:-lookback])
    return z_score(past, window)


def directional_movement(high: FloatArray, low: FloatArray, close: FloatArray, window: int = 14) -> DirectionalMovement:
    """Return +DI and -DI, smoothed movements over smoothed true range, and ADX, smoothed |+DI - -DI| / (+DI + -DI).

    +DM is the rise of the high if it exceeds both the fall of the low and 0, else 0; -DM is the mirror image. All are
    smoothed by Wilder's average and multiplied by 100.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), chapter 4.
    """
    up = np.concatenate([[np.nan], np.diff(high)])
    down = np.concatenate([[np.nan], -np.diff(low)])
    ranges = wilder(true_range(high, low, close), window)
    plus_di = 100 * _ratio(wilder(_dominant(up, down), window), ranges)
    minus_di = 100 * _ratio(wilder(_dominant(down, up), window), ranges)
    dx = 100 * _ratio(np.abs(plus_di - minus_di), plus_di + minus_di)
    return DirectionalMovement(plus_di, minus_di, wilder(dx, window))


def _dominant(move: FloatArray, other: FloatArray) -> FloatArray:
    """Return the move if it exceeds both the other and 0, else 0; NaN stays NaN."""
    counts = (move > other) & (move > 0)
    return np.where(counts | np.isnan(move), move, 0.0)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the ratio, 0 if the denominator is 0, NaN if either is missing."""
    missing = np.isnan(numerator) | np.isnan(denominator)
    return np.asarray(np.divide(numerator, denominator, out=np.where(missing, np.nan, 0.0), where=denominator > 0))
