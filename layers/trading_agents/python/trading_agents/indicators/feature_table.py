"""`FeatureTable`: all features of one instrument by bar, as the agents read them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trading_agents.bars import PriceBars
from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.dealer_positions import DealerPositions
from trading_agents.indicators.liquidity import amihud_illiquidity, kyle_lambda, volume_profile
from trading_agents.indicators.option_chain import OptionChain
from trading_agents.indicators.regimes import turbulence
from trading_agents.indicators.trend import directional_movement, momentum, z_score
from trading_agents.indicators.volatility import garman_klass_volatility
from trading_agents.indicators.wyckoff import PHASES, wyckoff_signs

LOOKBACK_BARS = 250
"""Number of bars for z-scores and the volume profile."""

_TURBULENT_FROM = 0.5

Group = dict[str, Any]


class FeatureTable:
    """Features of every bar; those of bar t use bars up to t and option chains quoted before it began.

    Args:
        bars: of one instrument.
        chains: its option chains in order of time, if any.
        daily_turbulence: probability of the turbulent state on each day of the bars, shape (days,). By default it is
            fitted here, which takes seconds for a few years and most of a minute for twenty.

    Attributes:
        has_options: whether there are option chains.
    """

    def __init__(
        self, bars: PriceBars, chains: Sequence[OptionChain] = (), daily_turbulence: FloatArray | None = None
    ) -> None:
        if len(bars) <= LOOKBACK_BARS:
            raise ValueError(f"bars: {bars.name} has {len(bars)}; features need more than {LOOKBACK_BARS}")
        self._bars = bars
        chains = tuple(chains)
        self.has_options = bool(chains)
        self._dealers = DealerPositions(chains, bars.time)
        self._hours = (bars.time - bars.time.astype("datetime64[D]")) // np.timedelta64(1, "h")
        self._momentum = momentum(bars.close, window=LOOKBACK_BARS)
        self._volatility = garman_klass_volatility(bars.open, bars.high, bars.low, bars.close)
        self._adx = directional_movement(bars.high, bars.low, bars.close).adx
        self._wyckoff = wyckoff_signs(bars.high, bars.low, bars.close)
        self._amihud = self._kyle = np.full(len(bars), np.nan)
        if bars.volume is not None:
            self._amihud = z_score(np.log(amihud_illiquidity(bars.close, bars.volume)), LOOKBACK_BARS)
            self._kyle = kyle_lambda(bars.close, bars.volume)
        self._turbulent = _lagged_by_a_day(bars, daily_turbulence)

    def features_at(self, t: int) -> dict[str, Group]:
        """Return the groups `hedge`, `liquidity`, `sentiment`, `wyckoff` and `markov`; without data a group is absent.

        - `hedge`: the readings of `dealer_positions` from the newest chain of this day or the last day with bars:
          `net_gamma_exposure` (fraction of gross exposure) and `smart_flow_signal`, both -1 to 1; `net_gamma_usd`,
          the same exposure in $ per 1% move; `quoted_at`; `gamma_relative` and `flow_relative`.
        - `liquidity`: `amihud` (z-score of its logarithm), `kyle_lambda`, `poc`, `value_area_low`, `value_area_high`,
          `close` (prices), `volume` of the bar, and the `hour` of the day at which it begins.
        - `sentiment`: `momentum` (z-score), `volatility` (Garman-Klass, of one bar's log return), `trend_strength`
          (ADX, 0 to 100).
        - `wyckoff`: `spring`, `upthrust` (true or false), `phase`.
        - `markov`: `p_turbulent` (0 to 1, as of the day before), `regime` (`calm` or `turbulent`).

        Raises:
            IndexError: there is no bar t.
        """
        if not 0 <= t < len(self._bars):
            raise IndexError(f"bar {t} is not between 0 and {len(self._bars) - 1}")
        groups = {
            "hedge": _if_complete(dict(self._dealers.at(t))),
            "liquidity": self._liquidity(t),
            "sentiment": self._sentiment(t),
            "wyckoff": self._wyckoff_at(t),
            "markov": self._markov(t),
        }
        return {name: group for name, group in groups.items() if group}

    def _liquidity(self, t: int) -> Group:
        if self._bars.volume is None:
            return {}
        recent = slice(max(t + 1 - LOOKBACK_BARS, 0), t + 1)
        profile = volume_profile(self._bars.high[recent], self._bars.low[recent], self._bars.volume[recent])
        numbers = {"amihud": float(self._amihud[t]), "kyle_lambda": float(self._kyle[t])}
        bar = {"close": float(self._bars.close[t]), "volume": float(self._bars.volume[t]), "hour": int(self._hours[t])}
        return _if_complete(numbers | profile._asdict() | bar) if profile else {}

    def _sentiment(self, t: int) -> Group:
        names = ("momentum", "volatility", "trend_strength")
        columns = (self._momentum, self._volatility, self._adx)
        return _if_complete({name: float(column[t]) for name, column in zip(names, columns, strict=True)})

    def _wyckoff_at(self, t: int) -> Group:
        spring, upthrust, phase = (column[t] for column in self._wyckoff)
        return {} if phase < 0 else {"spring": bool(spring), "upthrust": bool(upthrust), "phase": PHASES[phase]}

    def _markov(self, t: int) -> Group:
        probability = float(self._turbulent[t])
        if np.isnan(probability):
            return {}
        return {"p_turbulent": probability, "regime": "turbulent" if probability > _TURBULENT_FROM else "calm"}


def daily_returns(bars: PriceBars) -> FloatArray:
    """Return the log return of each day over the one before, shape (days - 1,)."""
    days = bars.days
    closes = bars.close[np.flatnonzero(np.diff(days, append=days[-1] + 1))]
    return np.diff(np.log(closes))


def _lagged_by_a_day(bars: PriceBars, daily: FloatArray | None) -> FloatArray:
    """Return the probability of the day before for each bar, since a day's close is known only after it."""
    days = bars.days
    count = int(days[-1]) + 1
    if daily is None:
        daily = np.concatenate([[np.nan], turbulence(daily_returns(bars))])
    if daily.shape != (count,):
        raise ValueError(f"daily_turbulence has the shape {daily.shape}, expected {(count,)}")
    return np.concatenate([[np.nan], daily])[days]


def _if_complete(group: Group) -> Group:
    """Return the group, or an empty one if any number is missing."""
    return group if all(np.isfinite(value) for value in group.values()) else {}
