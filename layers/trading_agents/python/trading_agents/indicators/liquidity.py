"""Liquidity from prices and volumes. Arrays have the shape (bars,); row t rests on bars up to t; else NaN."""

from typing import NamedTuple

import numpy as np

from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.trailing import trailing_mean


class VolumeProfile(NamedTuple):
    """Prices: the point of control, and the value area around it."""

    poc: float
    value_area_low: float
    value_area_high: float


def amihud_illiquidity(close: FloatArray, volume: FloatArray, window: int = 20) -> FloatArray:
    """Mean of |log return| over turnover (close times volume) of the last `window` bars, times 10^6.

    NaN while a bar without volume is in the window.
    Source: Y. Amihud, Illiquidity and Stock Returns, Journal of Financial Markets 5 (2002) 31-56.
    """
    turnover = np.where(volume > 0, close * volume, np.nan)
    moves = np.concatenate([[np.nan], np.abs(np.diff(np.log(close)))])
    return 1e6 * trailing_mean(moves / turnover, window)


def kyle_lambda(close: FloatArray, volume: FloatArray, window: int = 50) -> FloatArray:
    """Price change per unit of signed volume: least-squares slope over the last `window` bars, in price units a unit.

    Bars do not tell who traded. The proxy of the order flow is the bar's volume with the sign of its price change (the
    tick rule of C. Lee, M. Ready, Journal of Finance 46 (1991), on whole bars). It makes the slope positive by
    construction: compare it over time, not with a slope of true order flow. 0 where no volume is signed.
    Source: A. S. Kyle, Continuous Auctions and Insider Trading, Econometrica 53 (1985) 1315-1335; by regression as in
    J. Hasbrouck, Trading Costs and Returns for U.S. Equities, Journal of Finance 64 (2009) 1445-1477.
    """
    change = np.concatenate([[np.nan], np.diff(close)])
    # Scaled by the first volume, so that squares of large volumes keep their digits.
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
    """Where the volume of some bars was traded, by price; None without volume.

    Prices are cut into `rows` of equal height, and each bar's volume is spread evenly over its range. The point of
    control is the middle of the row with the most volume. The value area starts there and grows to the side whose next
    row holds more, until it holds `share` of the volume.
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
    parts = np.divide(np.maximum(overlap, 0), ranges, out=inside.astype(float), where=ranges > 0)
    held = volume @ parts
    first = last = int(np.argmax(held))
    poc = float(lower[first] + upper[first]) / 2
    wanted = share * held.sum()
    while held[first : last + 1].sum() < wanted and last - first + 1 < rows:
        below = held[first - 1] if first > 0 else -1.0
        above = held[last + 1] if last + 1 < rows else -1.0
        first, last = (first, last + 1) if above >= below else (first - 1, last)
    return VolumeProfile(poc, float(lower[first]), float(upper[last]))
