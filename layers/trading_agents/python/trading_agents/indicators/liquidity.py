"""Liquidity from prices and volumes. Arrays have the shape (bars,); row t uses bars up to t; NaN in the warm-up."""

from typing import NamedTuple

import numpy as np

from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.trailing import trailing_mean


class VolumeProfile(NamedTuple):
    """The point of control and the value area around it, as prices."""

    poc: float
    value_area_low: float
    value_area_high: float


def amihud_illiquidity(close: FloatArray, volume: FloatArray, window: int = 20) -> FloatArray:
    """Return the mean of |log return| / turnover (close times volume) over the last `window` bars, times 10^6.

    NaN if a bar without volume is in the window.
    Source: Y. Amihud, Illiquidity and Stock Returns, Journal of Financial Markets 5 (2002) 31-56.
    """
    turnover = np.where(volume > 0, close * volume, np.nan)
    moves = np.concatenate([[np.nan], np.abs(np.diff(np.log(close)))])
    return 1e6 * trailing_mean(moves / turnover, window)


def kyle_lambda(close: FloatArray, volume: FloatArray, window: int = 50) -> FloatArray:
    """Return the price change per unit of signed volume: the least-squares slope over the last `window` bars.

    Bars do not say who initiated a trade. Order flow is approximated by the volume of the bar with the sign of its
    price change (the tick rule of C. Lee, M. Ready, Journal of Finance 46 (1991), applied to bars). This makes the
    slope positive by construction: compare it over time, not with slopes of true order flow. 0 if no volume has a sign.
    Source: A. S. Kyle, Continuous Auctions and Insider Trading, Econometrica 53 (1985) 1315-1335; by regression as in
    J. Hasbrouck, Trading Costs and Returns for U.S. Equities, Journal of Finance 64 (2009) 1445-1477.
    """
    change = np.concatenate([[np.nan], np.diff(close)])
    # Scaled by the first volume, so that squares of large volumes do not lose precision.
    unit = float(volume[np.argmax(volume > 0)]) or 1.0
    flow = np.sign(change) * volume / unit
    mean_change, mean_flow = trailing_mean(change, window), trailing_mean(flow, window)
    covariance = trailing_mean(change * flow, window) - mean_change * mean_flow
    variance = trailing_mean(flow**2, window) - mean_flow**2
    flat = np.where(np.isnan(variance), np.nan, 0.0)
    return np.asarray(np.divide(covariance, variance, out=flat, where=variance > 0) / unit)


def volume_profile(
    high: FloatArray, low: FloatArray, volume: FloatArray, *, rows: int = 50, share: float = 0.7
) -> VolumeProfile | None:
    """Return the distribution of the volume of some bars over prices; None without volume.

    The price range is divided into `rows` of equal height, and each bar's volume is spread evenly over its range. The
    point of control is the middle of the row with the most volume. The value area starts there and is extended towards
    the neighbouring row with more volume until it contains the fraction `share` of the volume.
    Source: J. P. Steidlmayer, Market Profile (Chicago Board of Trade, 1984), with volume in place of time.
    """
    if not volume.sum() > 0:
        return None
    bottom, top = float(low.min()), float(high.max())
    if bottom == top:
        return VolumeProfile(bottom, bottom, bottom)
    edges = np.linspace(bottom, top, rows + 1)
    lower, upper = edges[:-1], edges[1:]
    overlap = np.minimum(high[:, None], upper) - np.maximum(low[:, None], lower)
    ranges = (high - low)[:, None]
    inside = (low[:, None] >= lower) & ((low[:, None] < upper) | (upper == top))
    fractions = np.divide(np.maximum(overlap, 0), ranges, out=inside.astype(float), where=ranges > 0)
    by_row = volume @ fractions
    first = last = int(np.argmax(by_row))
    poc = float(lower[first] + upper[first]) / 2
    target = share * by_row.sum()
    while by_row[first : last + 1].sum() < target and last - first + 1 < rows:
        below = by_row[first - 1] if first > 0 else -1.0
        above = by_row[last + 1] if last + 1 < rows else -1.0
        first, last = (first, last + 1) if above >= below else (first - 1, last)
    return VolumeProfile(poc, float(lower[first]), float(upper[last]))
