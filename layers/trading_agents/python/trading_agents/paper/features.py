"""`FeatureWindow`: the features of the newest bar, from a window of bars."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from trading_agents.agents.features import Features, number
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.indicators import market_condition
from trading_agents.indicators.feature_table import LOOKBACK_BARS, FeatureTable
from trading_agents.indicators.volatility import mean_true_range
from trading_agents.paper.bars import PaperBar, bar_from_row, to_price_bars
from trading_agents.paper.daily_turbulence import DailyTurbulence

WINDOW_BARS = 512
"""Number of bars from which features are computed. Turbulence uses the closes of all days."""

_ATR_BARS = 20
_TURBULENT_FROM = 0.5
_TRENDING = 0.5


class BarFeatures(NamedTuple):
    """What is known at the close of a bar.

    Attributes:
        groups: the agents' features.
        atr: ATR20 in quote currency.
        trend: bullish, bearish or sideways.
        condition: of the market: volatile, trending or ranging; empty while it is unknown.
    """

    groups: Features
    atr: float
    trend: str
    condition: str


class FeatureWindow:
    """Keeps the last bars, and the turbulence of earlier days."""

    def __init__(self) -> None:
        self._bars: deque[PaperBar] = deque(maxlen=WINDOW_BARS)
        self._turbulence = DailyTurbulence()

    @property
    def last(self) -> PaperBar | None:
        """The newest bar."""
        return self._bars[-1] if self._bars else None

    @property
    def bars(self) -> tuple[PaperBar, ...]:
        """The bars of the window, oldest first."""
        return tuple(self._bars)

    def add(self, bar: PaperBar) -> None:
        """Add a bar later than all before."""
        if self.last is not None and bar.time.date() != self.last.time.date():
            self._turbulence.observe(self.last.close)
        self._bars.append(bar)

    def newest(self) -> BarFeatures | None:
        """Return the features of the newest bar; None while there are too few bars."""
        if len(self._bars) <= LOOKBACK_BARS:
            return None
        bars, last = to_price_bars(self._bars), len(self._bars) - 1
        unknown = np.full(int(bars.days[-1]) + 1, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):  # constant prices have no liquidity features
            features = FeatureTable(bars, daily_turbulence=unknown).features_at(last)
        probability = self._turbulence.probability
        if probability is not None:
            regime = "turbulent" if probability > _TURBULENT_FROM else "calm"
            features["markov"] = {"p_turbulent": probability, "regime": regime}
        merged: dict[str, Any] = {**features, **self._bars[-1].features}
        atr = float(mean_true_range(bars.high, bars.low, bars.close, _ATR_BARS)[-1])
        return BarFeatures(merged, atr, _trend(merged), market_condition(merged) or "")

    def to_state(self) -> Snapshot:
        """Return the bars of the window and the turbulence, for `from_state`."""
        bars = [bar.to_row() for bar in self._bars]
        return snapshot("Readings", bars=bars, turbulence=self._turbulence.to_state())

    @classmethod
    def from_state(cls, state: Snapshot) -> "FeatureWindow":
        """Return the window of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "Readings")
        window = cls()
        window._bars.extend(bar_from_row(row) for row in data["bars"])
        window._turbulence = DailyTurbulence.from_state(data["turbulence"])
        return window


def _trend(features: Features) -> str:
    """Return the trend by the z-score of momentum: bullish or bearish beyond half a deviation."""
    momentum = number(features, "sentiment", "momentum") or 0.0
    if abs(momentum) <= _TRENDING:
        return "sideways"
    return "bullish" if momentum > 0 else "bearish"
