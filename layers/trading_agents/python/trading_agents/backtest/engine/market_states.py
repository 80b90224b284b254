"""The observable state of a market: how volatile it is for itself, and on which side of its mean."""

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
    """State 0 to 5 of each bar, shape (bars,), from bars up to it: twice the volatility third, plus 1 above the mean.

    Volatility is the exponentially weighted mean of squared returns, half-life five days; its thirds are those of its
    values at the ends of the last 252 days. The mean is that of the closes of twenty days. Without enough bars the
    volatility is taken as in the middle, the close as below its mean.
    """
    squares = np.concatenate([[np.nan], np.diff(np.log(bars.close)) ** 2])
    variance = ewma(squares, _VOLATILITY_HALF_LIFE_DAYS * bars.bars_per_day)
    lower, upper = _thirds_before(variance, bars.days)
    third = np.where(variance < lower, 0, np.where(variance > upper, 2, 1))
    window = min(round(_MEAN_DAYS * bars.bars_per_day), len(bars))
    above = bars.close > trailing_mean(bars.close, window)
    return np.asarray(2 * third + above, dtype=np.int64)


def _thirds_before(variance: FloatArray, days: IntArray) -> tuple[FloatArray, FloatArray]:
    """Thresholds of the thirds on each bar, from the last bars of the days before; NaN in the first twenty days."""
    import pandas as pd  # noqa: PLC0415  # 0.3 s

    ends = pd.Series(variance[np.flatnonzero(np.diff(days, append=days[-1] + 1))])
    before = ends.shift(1).rolling(_YEAR_DAYS, min_periods=_MEAN_DAYS)
    lower, upper = (before.quantile(share).to_numpy(dtype=float) for share in (1 / 3, 2 / 3))
    return lower[days], upper[days]
