"""Market data from bars: one equally weighted market of all symbols, six sources, and the answer of each bar.

bars ... t-1      t        t+1
         └────────┴─ market data of t: readings and thresholds from bars up to t, and the answers of bar t to the
                     questions asked at t-1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from trading_agents.bars import Bars
from trading_agents.core.arrays import BoolArray, FloatArray
from trading_agents.indicators.liquidity import amihud_illiquidity
from trading_agents.indicators.trailing import trailing_mean, trailing_median, trailing_rank, trailing_std
from trading_agents.indicators.trend import momentum, z_score
from trading_agents.indicators.volatility import garman_klass_volatility, mean_true_range
from trading_agents.market_hunter.sources import DIRECTION, MarketData, SourceFunction

LOOKBACK_BARS = 100
"""Number of past bars among which readings are ranked and whose medians are thresholds."""

_MARKET_BARS = 20
_TREND_BAND = 0.5
_CLEAR_READING = 0.5
_NORMAL_QUARTILE = 0.6745  # of the normal distribution
WARM_UP_BARS = _MARKET_BARS + LOOKBACK_BARS + 1
"""Number of bars before the first on which a hunter can decide."""

LARGE_MOVE, RANGE_EXPANSION = "large_move", "range_expansion"
VOLATILITIES = ("low", "normal", "high")
TRENDS = ("bearish", "sideways", "bullish")


@dataclass(frozen=True, slots=True)
class BarSource:
    """A source that reads one of the market data's `readings`."""

    name: str
    answers: str

    def __call__(self, market_data: MarketData) -> float | None:
        """Return the reading, -1 to 1; None if it is not clear."""
        reading: float | None = market_data["readings"][self.name]
        return reading


_SOURCES = (
    BarSource("realized_volatility", LARGE_MOVE),
    BarSource("illiquidity", LARGE_MOVE),
    BarSource("true_range", RANGE_EXPANSION),
    BarSource("volume_surge", RANGE_EXPANSION),
    BarSource("momentum", DIRECTION),
    BarSource("mean_reversion", DIRECTION),
)
BAR_SOURCES: Mapping[str, SourceFunction] = {source.name: source for source in _SOURCES}
"""Two sources for each question: whether the next absolute return exceeds its median, whether the next range exceeds
its median, and whether the price rises."""


class BarMarkets:
    """The market data of every bar; that of bar t uses bars up to t only.

    Prices of the market are means over the symbols of log prices relative to the previous close; turnover is summed.
    """

    def __init__(self, bars: Bars) -> None:
        before = np.concatenate([bars.open[:1], bars.close[:-1]])
        opened, high, low, close = (
            np.log(column / before).mean(axis=1) for column in (bars.open, bars.high, bars.low, bars.close)
        )
        level = np.concatenate([[0.0], np.cumsum(close)[:-1]])
        opened, high, low, prices = (100 * np.exp(level + column) for column in (opened, high, low, close))
        volume = (bars.volume * bars.close).sum(axis=1) / prices
        self._close = prices
        self._readings = _readings(opened, high, low, prices, volume)
        self._answers = _answers(high, low, prices)
        self._volatility, self._trend = _contexts(close)

    def __len__(self) -> int:
        return len(self._close)

    def at(self, t: int, timestamp: datetime) -> dict[str, Any]:
        """Return the market data of bar t for a hunter with `BAR_SOURCES`.

        Raises:
            IndexError: the bar is in the warm-up or after the last bar.
        """
        if not WARM_UP_BARS <= t < len(self):
            raise IndexError(f"bar {t} is not between {WARM_UP_BARS} and {len(self) - 1}")
        readings = {name: float(column[t]) for name, column in self._readings.items()}
        return {
            "context": {"volatility": VOLATILITIES[self._volatility[t]], "trend": TRENDS[self._trend[t]]},
            "close": self._close[: t + 1],
            "timestamp": timestamp,
            "readings": {name: value if abs(value) >= _CLEAR_READING else None for name, value in readings.items()},
            "happened": {name: bool(column[t]) for name, column in self._answers.items()},
        }


def _readings(
    opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray
) -> dict[str, FloatArray]:
    """Return readings from -1 to 1: ranks among the last hundred, and z-scores scaled so that half are beyond ±0.5."""
    traded = np.where(volume > 0, volume, np.nan)
    ranked = {
        "realized_volatility": garman_klass_volatility(opened, high, low, close, 10),
        "illiquidity": amihud_illiquidity(close, volume, 10),
        "true_range": mean_true_range(high, low, close, 5) / close,
        "volume_surge": trailing_mean(traded, 5),
    }
    scored = {"momentum": momentum(close, 10, LOOKBACK_BARS), "mean_reversion": -z_score(close, _MARKET_BARS)}
    readings = {name: 2 * trailing_rank(column, LOOKBACK_BARS) - 1 for name, column in ranked.items()}
    readings |= {name: np.clip(_CLEAR_READING * column / _NORMAL_QUARTILE, -1, 1) for name, column in scored.items()}
    return {name: np.nan_to_num(column) for name, column in readings.items()}


def _answers(high: FloatArray, low: FloatArray, close: FloatArray) -> dict[str, BoolArray]:
    """Return the answers of each bar, by medians up to the bar before."""
    moves = np.abs(np.concatenate([[np.nan], np.diff(np.log(close))]))
    ranges = np.log(high / low)
    columns = {LARGE_MOVE: moves, RANGE_EXPANSION: ranges}
    return {
        name: column > np.concatenate([[np.nan], trailing_median(column, LOOKBACK_BARS)[:-1]])
        for name, column in columns.items()
    }


def _contexts(returns: FloatArray) -> tuple[Any, Any]:
    """Return indices into `VOLATILITIES` and `TRENDS`.

    Volatility: standard deviation of the last 20 returns, ranked among its last 100 values, in thirds.
    Trend: sum of the last 20 returns over (that deviation times the square root of 20), with a threshold of ±0.5.
    """
    deviation = trailing_std(returns, _MARKET_BARS)
    total = trailing_mean(returns, _MARKET_BARS) * _MARKET_BARS
    unit = deviation * np.sqrt(_MARKET_BARS)
    trend = 1 + (total > _TREND_BAND * unit).astype(np.int64) - (total < -_TREND_BAND * unit)
    return np.digitize(trailing_rank(deviation, LOOKBACK_BARS), [1 / 3, 2 / 3]), trend
