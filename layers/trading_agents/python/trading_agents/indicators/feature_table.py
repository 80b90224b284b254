"""All features of one instrument by bar, as the agents read them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trading_agents.bars import PriceBars
from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.liquidity import amihud_illiquidity, kyle_lambda, volume_profile
from trading_agents.indicators.option_chain import OptionChain, dealer_flow, gamma_balance, net_gamma_exposure
from trading_agents.indicators.regimes import turbulence
from trading_agents.indicators.trend import directional_movement, momentum, z_score
from trading_agents.indicators.volatility import garman_klass_volatility
from trading_agents.indicators.wyckoff import PHASES, wyckoff_signs

USUAL_BARS = 250
"""Bars that say what is usual: z-scores and the volume profile look at as many."""

_LIKELY = 0.5

Group = dict[str, Any]


class FeatureTable:
    """Features of every bar; those of bar t rest on bars up to t and on chains quoted before it began.

    Args:
        bars: of one instrument.
        chains: its option chains in order of time, where there are any.
        daily_turbulence: probability of the turbulent state on each of the bars' days, shape (days,), in place of one
            that is fitted here (seconds for some years, most of a minute for twenty).
    """

    def __init__(
        self, bars: PriceBars, chains: Sequence[OptionChain] = (), daily_turbulence: FloatArray | None = None
    ) -> None:
        if len(bars) <= USUAL_BARS:
            raise ValueError(f"bars: {bars.name} holds {len(bars)}; features need more than {USUAL_BARS}")
        self._bars = bars
        self._chains = tuple(chains)
        self._chain_times = np.array([chain.time for chain in chains], dtype="datetime64[s]")
        if (np.diff(self._chain_times) < np.timedelta64(0, "s")).any():
            raise ValueError("chains: are not in order of time")
        self._momentum = momentum(bars.close, window=USUAL_BARS)
        self._volatility = garman_klass_volatility(bars.open, bars.high, bars.low, bars.close)
        self._adx = directional_movement(bars.high, bars.low, bars.close).adx
        self._wyckoff = wyckoff_signs(bars.high, bars.low, bars.close)
        self._amihud = self._kyle = np.full(len(bars), np.nan)
        if bars.volume is not None:
            self._amihud = z_score(np.log(amihud_illiquidity(bars.close, bars.volume)), USUAL_BARS)
            self._kyle = kyle_lambda(bars.close, bars.volume)
        self._turbulent = _known_next_day(bars, daily_turbulence)

    def features_at(self, t: int) -> dict[str, Group]:
        """Groups `hedge`, `liquidity`, `sentiment`, `wyckoff` and `markov`; a group without data is absent.

        - `hedge`: `net_gamma_exposure` (share of all exposure) and `smart_flow_signal`, both -1 to 1; `net_gamma_usd`,
          the same exposure in $ per 1% move.
        - `liquidity`: `amihud` (z-score of its logarithm), `kyle_lambda`, `poc`, `value_area_low`, `value_area_high`,
          `close` (prices).
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
            "hedge": self._hedge(t),
            "liquidity": self._liquidity(t),
            "sentiment": self._sentiment(t),
            "wyckoff": self._wyckoff_at(t),
            "markov": self._markov(t),
        }
        return {name: group for name, group in groups.items() if group}

    def _hedge(self, t: int) -> Group:
        known = int(np.searchsorted(self._chain_times, self._bars.time[t], side="right"))
        if known == 0:
            return {}
        chain = self._chains[known - 1]
        return _complete(
            {
                "net_gamma_exposure": gamma_balance(chain),
                "net_gamma_usd": net_gamma_exposure(chain),
                "smart_flow_signal": dealer_flow(chain),
            }
        )

    def _liquidity(self, t: int) -> Group:
        if self._bars.volume is None:
            return {}
        seen = slice(max(t + 1 - USUAL_BARS, 0), t + 1)
        profile = volume_profile(self._bars.high[seen], self._bars.low[seen], self._bars.volume[seen])
        numbers = {"amihud": float(self._amihud[t]), "kyle_lambda": float(self._kyle[t])}
        return _complete(numbers | profile._asdict() | {"close": float(self._bars.close[t])}) if profile else {}

    def _sentiment(self, t: int) -> Group:
        names = ("momentum", "volatility", "trend_strength")
        columns = (self._momentum, self._volatility, self._adx)
        return _complete({name: float(column[t]) for name, column in zip(names, columns, strict=True)})

    def _wyckoff_at(self, t: int) -> Group:
        spring, upthrust, phase = (column[t] for column in self._wyckoff)
        return {} if phase < 0 else {"spring": bool(spring), "upthrust": bool(upthrust), "phase": PHASES[phase]}

    def _markov(self, t: int) -> Group:
        probability = float(self._turbulent[t])
        if np.isnan(probability):
            return {}
        return {"p_turbulent": probability, "regime": "turbulent" if probability > _LIKELY else "calm"}


def daily_returns(bars: PriceBars) -> FloatArray:
    """Log return of each day over the one before, shape (days - 1,)."""
    days = bars.days
    closes = bars.close[np.flatnonzero(np.diff(days, append=days[-1] + 1))]
    return np.diff(np.log(closes))


def _known_next_day(bars: PriceBars, daily: FloatArray | None) -> FloatArray:
    """The probability of the day before, for each bar; a day's own close is known only when it is over."""
    days = bars.days
    count = int(days[-1]) + 1
    if daily is None:
        daily = np.concatenate([[np.nan], turbulence(daily_returns(bars))])
    if daily.shape != (count,):
        raise ValueError(f"daily_turbulence has the shape {daily.shape}, expected {(count,)}")
    return np.concatenate([[np.nan], daily])[days]


def _complete(group: Group) -> Group:
    """The group, or nothing where a number is missing."""
    return group if all(np.isfinite(value) for value in group.values()) else {}
