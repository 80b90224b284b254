"""Everything the Market Hunter may know at a bar, computed for all bars at once.

bars ... t-1      t        t+1
         └────────┴─ row t: readings and thresholds from bars up to t,
                     and what bar t made of the answers given at t-1
                  └─ the hunter decides on row t; row t+1 tells what came of it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trading_agents.market import Bars, BoolArray, FloatArray
from trading_agents.sources import SOURCES, USUAL_WINDOW, Forecast, log_ranges, log_returns, says_yes
from trading_agents.trailing import trailing_mean, trailing_median, trailing_rank, trailing_std

Volatility = Literal["low", "normal", "high"]
Trend = Literal["bearish", "sideways", "bullish"]

VOLATILITIES: tuple[Volatility, ...] = ("low", "normal", "high")
TRENDS: tuple[Trend, ...] = ("bearish", "sideways", "bullish")

_MARKET_LOOKBACK = 20
_TREND_BAND = 0.5
WARM_UP_BARS = _MARKET_LOOKBACK + USUAL_WINDOW + 1
"""Bars before the first on which the hunter can decide: all windows are full, and one bar has been judged."""


@dataclass(frozen=True, slots=True)
class MarketRow:
    """What is known when bar `index` has closed. Tuples have one entry a symbol.

    Attributes:
        index: Number of the bar, from 0.
        volatility: Third of its own trailing distribution in which the market's volatility stands.
        trend: Where the market went over the last twenty bars, in units of its volatility.
        returns: Log return of this bar.
        ranges: log(high / low) of this bar.
        median_move: Threshold that the next |return| must exceed to be a large move.
        median_range: Threshold that the next range must exceed to be an expansion.
        ranks: Reading of each source, 0 to 1, over one half says yes.
        happened: What this bar answered to each question, by the thresholds of the bar before;
            None for the direction of an unchanged price.
        agreed: Whether each source's answer of the bar before came true in this one.
    """

    index: int
    volatility: Volatility
    trend: Trend
    returns: tuple[float, ...]
    ranges: tuple[float, ...]
    median_move: tuple[float, ...]
    median_range: tuple[float, ...]
    ranks: Mapping[str, tuple[float, ...]]
    happened: Mapping[Forecast, tuple[bool | None, ...]]
    agreed: Mapping[str, tuple[bool, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The rows of all bars as arrays of shape (bars, symbols); the two market arrays have shape (bars,)."""

    symbols: tuple[str, ...]
    volatility: NDArray[np.int64]
    trend: NDArray[np.int64]
    returns: FloatArray
    ranges: FloatArray
    median_move: FloatArray
    median_range: FloatArray
    ranks: Mapping[str, FloatArray]
    agreed: Mapping[str, BoolArray]
    happened: Mapping[Forecast, BoolArray]

    def __len__(self) -> int:
        return len(self.returns)

    def row(self, index: int) -> MarketRow:
        """The row of one bar.

        Raises:
            IndexError: the bar lies in the warm-up or behind the last bar.
        """
        if not WARM_UP_BARS <= index < len(self):
            raise IndexError(f"bar {index} is not between {WARM_UP_BARS} and {len(self) - 1}")
        returns = tuple(self.returns[index].tolist())
        rose = tuple(None if change == 0 else change > 0 for change in returns)
        return MarketRow(
            index=index,
            volatility=VOLATILITIES[self.volatility[index]],
            trend=TRENDS[self.trend[index]],
            returns=returns,
            ranges=tuple(self.ranges[index].tolist()),
            median_move=tuple(self.median_move[index].tolist()),
            median_range=tuple(self.median_range[index].tolist()),
            ranks={name: tuple(values[index].tolist()) for name, values in self.ranks.items()},
            happened={name: tuple(values[index].tolist()) for name, values in self.happened.items()}
            | {"direction": rose},
            agreed={name: tuple(values[index].tolist()) for name, values in self.agreed.items()},
        )


def features_of(bars: Bars) -> Features:
    """Compute the features of all bars; row t depends on bars up to t alone."""
    returns, ranges = log_returns(bars), log_ranges(bars)
    median_move = trailing_median(np.abs(returns), USUAL_WINDOW)
    median_range = trailing_median(ranges, USUAL_WINDOW)
    happened: dict[Forecast, BoolArray] = {
        "large_move": np.abs(returns) > _before(median_move),
        "range_expansion": ranges > _before(median_range),
        "direction": returns > 0,
    }
    ranks = {source.name: source.ranks(bars) for source in SOURCES}
    agreed = {
        source.name: _agreed(ranks[source.name], happened[source.answers])
        & ((returns != 0) | (source.answers != "direction"))
        for source in SOURCES
    }
    volatility, trend = _market(returns)
    return Features(
        symbols=bars.symbols,
        volatility=volatility,
        trend=trend,
        returns=returns,
        ranges=ranges,
        median_move=median_move,
        median_range=median_range,
        ranks=ranks,
        agreed=agreed,
        happened=happened,
    )


def _market(returns: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Volatility and trend of the equally weighted market, as positions in `VOLATILITIES` and `TRENDS`.

    Volatility: standard deviation of its last 20 returns, ranked among the last 100 such values, in thirds.
    Trend: sum of its last 20 returns over (that deviation times the square root of 20); beyond half a unit
    it is bullish or bearish.
    """
    market = returns.mean(axis=1)
    deviation = trailing_std(market, _MARKET_LOOKBACK)
    rank = trailing_rank(deviation, USUAL_WINDOW)
    total = trailing_mean(market, _MARKET_LOOKBACK) * _MARKET_LOOKBACK
    unit = deviation * np.sqrt(_MARKET_LOOKBACK)
    volatility = np.digitize(rank, [1 / 3, 2 / 3])
    trend = 1 + (total > _TREND_BAND * unit).astype(np.int64) - (total < -_TREND_BAND * unit)
    return volatility.astype(np.int64), trend


def _before(values: FloatArray) -> FloatArray:
    """Each row's predecessor; the first has none."""
    return np.concatenate([np.full_like(values[:1], np.nan), values[:-1]])


def _agreed(ranks: FloatArray, happened: BoolArray) -> BoolArray:
    """Whether the answers of the bar before came true; false in the first row."""
    answers = says_yes(ranks)
    return np.concatenate([np.zeros_like(happened[:1]), answers[:-1] == happened[1:]])
