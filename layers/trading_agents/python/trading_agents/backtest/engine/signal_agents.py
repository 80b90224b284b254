"""Seven textbook agents, each a signal with its exits. They have no memory of their own.

A signal is +1 (buy), -1 (sell) or 0, known at the close of its bar; arrays have the shape (bars,).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading_agents.bars import PriceBars
from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.trend import directional_movement, z_score
from trading_agents.indicators.volatility import mean_true_range
from trading_agents.indicators.wyckoff import wyckoff_signs

SignalArray = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class SignalAgent:
    """A signal and its exits.

    Attributes:
        name: short and unique.
        signal: maps bars to -1, 0 or 1 per bar, each from bars up to and including it.
        hold_bars: maximum holding time: a position ends at the open of this many bars after its entry.
        bracket: distance of stop and target from the entry price, in ATR20 of the signal's bar; None for neither.
    """

    name: str
    signal: Callable[[PriceBars], SignalArray]
    hold_bars: int = 24
    bracket: float | None = 3.0


_ATR_BARS = 20
_STRETCHED = 2.0
_TRENDING = 25.0


def atr(bars: PriceBars) -> FloatArray:
    """Return the mean true range of the last twenty bars (ATR20), in price units."""
    return mean_true_range(bars.high, bars.low, bars.close, _ATR_BARS)


def _momentum(bars: PriceBars) -> SignalArray:
    """With the return of the last 24 bars."""
    return _signs(bars.close - _lagged(bars.close, 24))


def _mean_reversion(bars: PriceBars) -> SignalArray:
    """Against a close more than two sample deviations from the mean of the last twenty."""
    z = z_score(bars.close, 20)
    return _signs(np.where(np.abs(z) > _STRETCHED, -z, 0))


def _spring(bars: PriceBars) -> SignalArray:
    """Back into the range of the previous forty bars, after trading outside it (Wyckoff's spring and upthrust)."""
    signs = wyckoff_signs(bars.high, bars.low, bars.close)
    return _signs(np.where(signs.spring, 1.0, np.where(signs.upthrust, -1.0, 0.0)))


def _breakout(bars: PriceBars) -> SignalArray:
    """With a change of more than 1.5 ATR from close to close."""
    change = bars.close - _lagged(bars.close, 1)
    return _signs(np.where(np.abs(change) > 1.5 * atr(bars), change, 0))


def _trend(bars: PriceBars) -> SignalArray:
    """With the stronger directional indicator while ADX is above 25."""
    movement = directional_movement(bars.high, bars.low, bars.close)
    return _signs(np.where(movement.adx > _TRENDING, movement.plus_di - movement.minus_di, 0))


def _gap(bars: PriceBars) -> SignalArray:
    """Against an open more than half an ATR from the previous close."""
    gap = bars.open - _lagged(bars.close, 1)
    return _signs(np.where(np.abs(gap) > 0.5 * _lagged(atr(bars), 1), -gap, 0))


def _always_long(bars: PriceBars) -> SignalArray:
    return np.ones(len(bars), dtype=np.int8)


TEXTBOOK_AGENTS: tuple[SignalAgent, ...] = (
    SignalAgent("mom24", _momentum),
    SignalAgent("revz20", _mean_reversion),
    SignalAgent("spring40", _spring),
    SignalAgent("volbrk", _breakout),
    SignalAgent("adx", _trend),
    SignalAgent("gap", _gap),
    SignalAgent("long", _always_long, hold_bars=120, bracket=None),
)


def _lagged(values: FloatArray, bars: int) -> FloatArray:
    return np.concatenate([np.full(bars, np.nan), values[:-bars]])


def _signs(values: FloatArray) -> SignalArray:
    return np.sign(np.nan_to_num(values)).astype(np.int8)
