"""`Readings`: the features of the newest bar, from the bars before it."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from trading_agents.agents.features import Features, number
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.indicators.feature_table import LOOKBACK_BARS, FeatureTable
from trading_agents.indicators.volatility import mean_true_range
from trading_agents.paper.bars import PaperBar, bar_of, price_bars
from trading_agents.paper.daily_turbulence import DailyTurbulence

WINDOW_BARS = 512
"""How many bars features look back on. Turbulence rests on the closes of all days."""

_ATR_BARS = 20
_LIKELY = 0.5
_TRENDING = 0.5


class Reading(NamedTuple):
    """What is known at a bar's close: the agents' features, ATR20 in quote currency, and the trend by its name."""

    features: Features
    atr: float
    trend: str


class Readings:
    """Keeps the last bars, and the turbulence of the days before."""

    def __init__(self) -> None:
        self._bars: deque[PaperBar] = deque(maxlen=WINDOW_BARS)
        self._turbulence = DailyTurbulence()

    @property
    def last(self) -> PaperBar | None:
        """The newest bar."""
        return self._bars[-1] if self._bars else None

    def add(self, bar: PaperBar) -> None:
        """One more bar, later than all before."""
        if self.last is not None and bar.time.date() != self.last.time.date():
            self._turbulence.observe(self.last.close)
        self._bars.append(bar)

    def read(self) -> Reading | None:
        """The newest bar's; None before there are enough bars to tell what is usual."""
        if len(self._bars) <= LOOKBACK_BARS:
            return None
        bars, last = price_bars(self._bars), len(self._bars) - 1
        unknown = np.full(int(bars.days[-1]) + 1, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):  # prices that stand still have no liquidity to tell
            features = FeatureTable(bars, daily_turbulence=unknown).features_at(last)
        probability = self._turbulence.probability
        if probability is not None:
            regime = "turbulent" if probability > _LIKELY else "calm"
            features["markov"] = {"p_turbulent": probability, "regime": regime}
        merged: dict[str, Any] = {**features, **self._bars[-1].features}
        return Reading(merged, float(mean_true_range(bars.high, bars.low, bars.close, _ATR_BARS)[-1]), _trend(merged))

    def to_state(self) -> Snapshot:
        """The bars in view and the turbulence, for `from_state`."""
        bars = [bar.to_row() for bar in self._bars]
        return snapshot("Readings", bars=bars, turbulence=self._turbulence.to_state())

    @classmethod
    def from_state(cls, state: Snapshot) -> "Readings":
        """The bars that were written. `InvalidInput` where `state` is none."""
        data = data_of(state, "Readings")
        readings = cls()
        readings._bars.extend(bar_of(row) for row in data["bars"])
        readings._turbulence = DailyTurbulence.from_state(data["turbulence"])
        return readings


def _trend(features: Features) -> str:
    """By the z-score of momentum: beyond half a deviation it is bullish or bearish."""
    momentum = number(features, "sentiment", "momentum") or 0.0
    if abs(momentum) <= _TRENDING:
        return "sideways"
    return "bullish" if momentum > 0 else "bearish"
