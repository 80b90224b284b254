"""Wyckoff's springs, upthrusts and phases by explicit rules.

Arrays have the shape (bars,); row t uses bars up to t.
Source of the concepts: R. D. Wyckoff, as described in D. Weis, Trades About to Happen (2013). The rules are ours.
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
    """Whether each bar is a spring or an upthrust, and the index of its phase in `PHASES` (-1 in the warm-up)."""

    spring: BoolArray
    upthrust: BoolArray
    phase: NDArray[np.int64]


def wyckoff_signs(high: FloatArray, low: FloatArray, close: FloatArray, window: int = RANGE_BARS) -> WyckoffSigns:
    """Return signs relative to the trading range: lowest low and highest high of the `window` bars before the bar.

    - Spring: the low is below the range, the close above its lower edge.
    - Upthrust: the high is above the range, the close below its upper edge.
    - Markup: the close is above the range. Markdown: below it.
    - Inside the range: accumulation if the last sign of the last `window` bars is a spring, distribution if it is an
      upthrust (or both in one bar), else range.
    """
    if len(close) <= window:
        no_signs = np.zeros(len(close), dtype=np.bool_)
        return WyckoffSigns(no_signs, no_signs, np.full(len(close), -1))
    lowest = _preceding(sliding_window_view(low, window).min(axis=1), window)
    highest = _preceding(sliding_window_view(high, window).max(axis=1), window)
    spring = (low < lowest) & (close > lowest)
    upthrust = (high > highest) & (close < highest)
    bars = np.arange(len(close))
    last_spring, last_upthrust = (
        np.maximum.accumulate(np.where(sign, bars, -window - 1)) for sign in (spring, upthrust)
    )
    spring_is_recent, upthrust_is_recent = bars - last_spring < window, bars - last_upthrust < window
    rules: tuple[tuple[BoolArray, Phase], ...] = (
        (close > highest, "markup"),
        (close < lowest, "markdown"),
        (upthrust_is_recent & (last_upthrust >= last_spring), "distribution"),
        (spring_is_recent, "accumulation"),
    )
    phase = np.select([rule for rule, _ in rules], [PHASES.index(name) for _, name in rules], PHASES.index("range"))
    phase[:window] = -1
    return WyckoffSigns(spring, upthrust, phase)


def _preceding(extremes: FloatArray, window: int) -> FloatArray:
    """Return the extreme of the `window` bars before each bar."""
    return np.concatenate([np.full(window, np.nan), extremes[:-1]])
