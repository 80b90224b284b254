"""What the Market Hunter can look at: six sources, all computed from past prices and volumes.

A source answers one of three questions about a symbol's next bar with yes or no. Its reading is ranked among
its own last `USUAL_WINDOW` readings; the side of the middle on which the newest stands is the answer, and
the distance from the middle is how clear the answer is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trading_agents.market import Bars, BoolArray, FloatArray
from trading_agents.trailing import trailing_mean, trailing_rank, trailing_std

Forecast = Literal["large_move", "range_expansion", "direction"]

FORECASTS: tuple[Forecast, ...] = ("large_move", "range_expansion", "direction")
"""`large_move`: the next |log return| exceeds its trailing median. `range_expansion`: the next log(high / low)
exceeds its trailing median. `direction`: the sign of the next return."""

USUAL_WINDOW = 100
"""Bars that say what is usual: readings are ranked among them, thresholds are medians of them."""

MIDDLE = 0.5
"""A rank above this says yes."""

_SHORT = 5
_LOOKBACK = 10


@dataclass(frozen=True, slots=True)
class Source:
    """A reading of the market and the question that it answers.

    `read` maps bars to readings of shape (bars, symbols), row t from bars up to t. A reading in the upper
    half of its own recent past says yes, or no where `high_says_yes` is false. For `direction`, yes is up.
    """

    name: str
    answers: Forecast
    read: Callable[[Bars], FloatArray]
    high_says_yes: bool = True

    def ranks(self, bars: Bars) -> FloatArray:
        """Ranks of the readings, 0 to 1, turned so that a rank above one half says yes."""
        ranks = trailing_rank(self.read(bars), USUAL_WINDOW)
        return ranks if self.high_says_yes else 1.0 - ranks


def says_yes(ranks: FloatArray) -> BoolArray:
    """The answers that ranks give."""
    return np.asarray(ranks > MIDDLE, dtype=np.bool_)


def log_returns(bars: Bars) -> FloatArray:
    """Log return of each bar over the one before; the first row is NaN."""
    first = np.full((1, len(bars.symbols)), np.nan)
    return np.concatenate([first, np.diff(np.log(bars.close), axis=0)])


def log_ranges(bars: Bars) -> FloatArray:
    """log(high / low) of each bar."""
    return np.asarray(np.log(bars.high / bars.low))


def _realized_volatility(bars: Bars) -> FloatArray:
    """Standard deviation of the last ten returns."""
    return trailing_std(log_returns(bars), _LOOKBACK)


def _cross_market(bars: Bars) -> FloatArray:
    """Mean |return| of the other symbols over the last five bars; a lone symbol reads its own."""
    moves = np.abs(log_returns(bars))
    others = (moves.sum(axis=1, keepdims=True) - moves) / max(len(bars.symbols) - 1, 1)
    return trailing_mean(others if len(bars.symbols) > 1 else moves, _SHORT)


def _range_compression(bars: Bars) -> FloatArray:
    """Mean range of the last five bars; a compressed market is expected to stay so."""
    return trailing_mean(log_ranges(bars), _SHORT)


def _volume_surge(bars: Bars) -> FloatArray:
    """Mean volume of the last five bars."""
    return trailing_mean(bars.volume, _SHORT)


def _momentum(bars: Bars) -> FloatArray:
    """Sum of the last ten returns."""
    return trailing_mean(log_returns(bars), _LOOKBACK) * _LOOKBACK


def _mean_reversion(bars: Bars) -> FloatArray:
    """Distance of log close from its mean over the last five bars: stretched up speaks for down."""
    prices = np.log(bars.close)
    return prices - trailing_mean(prices, _SHORT)


SOURCES: tuple[Source, ...] = (
    Source("realized_volatility", "large_move", _realized_volatility),
    Source("cross_market", "large_move", _cross_market),
    Source("range_compression", "range_expansion", _range_compression),
    Source("volume_surge", "range_expansion", _volume_surge),
    Source("momentum", "direction", _momentum),
    Source("mean_reversion", "direction", _mean_reversion, high_says_yes=False),
)


def sources_on(forecast: Forecast) -> tuple[Source, ...]:
    """The sources that answer one question."""
    return tuple(source for source in SOURCES if source.answers == forecast)
