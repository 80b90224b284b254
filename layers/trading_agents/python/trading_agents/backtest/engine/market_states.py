"""The observable state of a market: its volatility relative to its own past, and the side of its mean."""

from functools import lru_cache

import numpy as np

from trading_agents.bars import PriceBars
from trading_agents.core.arrays import FloatArray, IntArray
from trading_agents.indicators.smoothing import ewma
from trading_agents.indicators.trailing import trailing_mean

STATES = 6
_VOLATILITY_HALF_LIFE_DAYS = 5
_YEAR_DAYS = 252
_MEAN_DAYS = 20


@lru_cache(maxsize=1)
def market_states(bars: PriceBars) -> IntArray:
    """Return the state 0 to 5 of each bar, shape (bars,): twice the tercile of volatility, plus 1 above the mean.

    Each state uses bars up to it. Volatility is the exponentially weighted mean of squared returns, half-life five
    days; its terciles are those of its values at the ends of the last 252 days. The mean is that of the closes of
    twenty days. Without enough bars, volatility counts as in the middle and the close as below its mean.
    """
    squares = np.concatenate([[np.nan], np.diff(np.log(bars.close)) ** 2])
    variance = ewma(squares, _VOLATILITY_HALF_LIFE_DAYS * bars.bars_per_day)
    lower, upper = _earlier_terciles(variance, bars.days)
    tercile = np.where(variance < lower, 0, np.where(variance > upper, 2, 1))
    window = min(round(_MEAN_DAYS * bars.bars_per_day), len(bars))
    is_above = bars.close > trailing_mean(bars.close, window)
    return np.asarray(2 * tercile + is_above, dtype=np.int64)


def _earlier_terciles(variance: FloatArray, days: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the tercile thresholds for each bar, from the last bars of earlier days; NaN in the first twenty days."""
    import pandas as pd  # noqa: PLC0415  # 0.3 s

    ends = pd.Series(variance[np.flatnonzero(np.diff(days, append=days[-1] + 1))])
    earlier = ends.shift(1).rolling(_YEAR_DAYS, min_periods=_MEAN_DAYS)
    lower, upper = (earlier.quantile(share).to_numpy(dtype=float) for share in (1 / 3, 2 / 3))
    return lower[days], upper[days]
