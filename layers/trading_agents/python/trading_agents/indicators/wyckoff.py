"""Wyckoff's springs, upthrusts and phases, by declared rules.

Arrays have the shape (bars,); row t rests on bars up to t.
Source of the ideas: R. D. Wyckoff, as told in D. Weis, Trades About to Happen (2013). The rules are ours.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from trading_agents.core.arrays import BoolArray, FloatArray

Phase = Literal["range", "accumulation", "distribution", "markup", "markdown"]
PHASES: tuple[Phase, ...] = ("range", "accumulation", "distribution", "markup", "markdown")
RANGE_BARS = 40


class WyckoffSigns(NamedTuple):
    """Per bar: whether it is a spring, an upthrust, and the number of its phase in `PHASES` (-1 in the warm-up)."""

    spring: BoolArray
    upthrust: BoolArray
    phase: NDArray[np.int64]


def wyckoff_signs(high: FloatArray, low: FloatArray, close: FloatArray, window: int = RANGE_BARS) -> WyckoffSigns:
    """Signs against the trading range: lowest low and highest high of the `window` bars before the bar.

    - Spring: the low is under the range, the close back above its lower edge.
    - Upthrust: the high is over the range, the close back below its upper edge.
    - Markup: the close is above the range. Markdown: below it.
    - Inside the range: accumulation if the last sign of the last `window` bars is a spring, distribution if it is an
      upthrust (or both in one bar), else range.
    """
    if len(close) <= window:
        nothing = np.zeros(len(close), dtype=np.bool_)
        return WyckoffSigns(nothing, nothing, np.full(len(close), -1))
    lowest = _before(sliding_window_view(low, window).min(axis=1), window)
    highest = _before(sliding_window_view(high, window).max(axis=1), window)
    spring = (low < lowest) & (close > lowest)
    upthrust = (high > highest) & (close < highest)
    bars = np.arange(len(close))
    last_spring, last_upthrust = (
        np.maximum.accumulate(np.where(sign, bars, -window - 1)) for sign in (spring, upthrust)
    )
    spring_is_fresh, upthrust_is_fresh = bars - last_spring < window, bars - last_upthrust < window
    rules: tuple[tuple[BoolArray, Phase], ...] = (
        (close > highest, "markup"),
        (close < lowest, "markdown"),
        (upthrust_is_fresh & (last_upthrust >= last_spring), "distribution"),
        (spring_is_fresh, "accumulation"),
    )
    phase = np.select([rule for rule, _ in rules], [PHASES.index(name) for _, name in rules], PHASES.index("range"))
    phase[:window] = -1
    return WyckoffSigns(spring, upthrust, phase)


def _before(extremes: FloatArray, window: int) -> FloatArray:
    """Each bar's extreme of the `window` bars before it."""
    return np.concatenate([np.full(window, np.nan), extremes[:-1]])
