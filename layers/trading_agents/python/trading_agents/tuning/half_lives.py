"""What each half-life would have done on a record of trades, and what choosing one on the past gave.

Outcomes: an agent remembers at each trade those whose importance, score × 0.5^(age / half-life), is above 0.1, as after
`TradingMemoryStore.cleanup`. The last ten of them give the factor of the win-rate rule on the size of the trade.
Only outcomes that were known before the trade was decided are used. Means are compared at equal exposure.

Walk-forward: the record is cut into ten parts in order of time. For each part from the third on, the half-life that was
best on all earlier parts is used; what that changed is the only figure here that nobody could have chosen afterwards.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trading_agents.agents import WinRateRule
from trading_agents.backtest.study.inference import BLOCK_TRADES, Interval, mean_interval
from trading_agents.core.arrays import FloatArray
from trading_agents.tuning.record import TradeRecord

HOUR, DAY = 3_600.0, 86_400.0
HALF_LIVES = (0.5 * HOUR, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY)
"""Seconds; those that the design of the trading memory names, and longer ones."""

MIN_TRADES = 100
PARTS, FIRST_PART = 10, 2
_REMEMBERED, _LEAST_IMPORTANCE = 10, 0.1


@dataclass(frozen=True, slots=True)
class HalfLifeResult:
    """What one half-life would have done.

    Attributes:
        half_life: seconds; infinite if outcomes never fade.
        remembered: mean number of items that a decision remembered: of outcomes up to ten, of other kinds up to fifty.
        resized: fraction of the trades that were resized, 0 to 1.
        change: of the mean profit per trade, in units of the mean absolute profit.
        interval: 95% interval of the change.
    """

    half_life: float
    remembered: float
    resized: float
    change: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Tuning:
    """The result for one or more records.

    Attributes:
        trades: number of trades.
        results: one for each half-life.
        chosen: the half-life that was chosen on the past for each part from the third on; seconds.
        walk_forward: what these choices changed, in units of the mean absolute profit; NaN with too few trades.
        interval: 95% interval of that change.
    """

    trades: int
    results: tuple[HalfLifeResult, ...]
    chosen: tuple[float, ...]
    walk_forward: float
    interval: Interval

    @property
    def verdict(self) -> str:
        """What follows, in one sentence."""
        if self.trades < MIN_TRADES:
            return f"Nothing can be said from {self.trades} trades with an outcome: it takes {MIN_TRADES}."
        change = f"{100 * self.walk_forward:+.1f}% [{100 * self.interval.low:+.1f}, {100 * self.interval.high:+.1f}]"
        if self.interval.low > 0:
            return f"Choosing on the past helped: the mean result changed by {change} of a typical one."
        if self.interval.high < 0:
            return f"Choosing on the past did harm: the mean result changed by {change} of a typical one."
        return (
            f"No half-life is to be preferred: choosing on the past changed the mean result by {change} of a typical "
            "one, which chance explains."
        )


def tune(records: Sequence[TradeRecord], half_lives: Sequence[float] = HALF_LIVES) -> Tuning:
    """Return what each half-life of outcomes, and none (infinite), would have done on the records."""
    if not records:
        return tune_sizes(np.empty(0), half_lives, lambda _: (np.empty(0), np.empty(0)))
    order = np.argsort(np.concatenate([record.decided for record in records]), kind="stable")
    profit = np.concatenate([record.profit for record in records])[order]

    def sizes(life: float) -> tuple[FloatArray, FloatArray]:
        pairs = [_sizes(record, life) for record in records]
        size, count = (np.concatenate(column)[order] for column in zip(*pairs, strict=True))
        return size, count

    return tune_sizes(profit, half_lives, sizes)


def tune_sizes(
    profit: FloatArray, half_lives: Sequence[float], sizes_of: Callable[[float], tuple[FloatArray, FloatArray]]
) -> Tuning:
    """Return what each half-life, and none (infinite), would have done on trades in order of their decisions.

    Args:
        profit: of each trade at full size, in one unit throughout.
        half_lives: seconds.
        sizes_of: returns for a half-life the size of each trade, and on how many remembered items it rests.
    """
    lives = (*half_lives, math.inf)
    unit = float(np.abs(profit).mean()) if len(profit) else 1.0
    profit = profit / (unit or 1.0)
    sizes, counts = zip(*map(sizes_of, lives), strict=True)
    results = tuple(_result(life, size, count, profit) for life, size, count in zip(lives, sizes, counts, strict=True))
    if len(profit) < MIN_TRADES:
        return Tuning(len(profit), results, (), float("nan"), Interval(float("nan"), float("nan")))
    chosen, selected, scored = _walk_forward(lives, sizes, profit)
    gains = _gains(selected, profit[scored])
    interval = mean_interval(gains, block=BLOCK_TRADES) if gains.any() else Interval(0.0, 0.0)
    return Tuning(len(profit), results, chosen, float(gains.mean()), interval)


def _sizes(record: TradeRecord, half_life: float) -> tuple[FloatArray, FloatArray]:
    """Return the factor on each trade, and the number of outcomes that it rests on."""
    rule = WinRateRule()
    known = np.argsort(record.ended, kind="stable")
    ended, score, won = record.ended[known], record.score[known], record.profit[known] > 0
    sizes, counts = np.ones(len(record)), np.zeros(len(record))
    # An item is forgotten this long after it was remembered.
    lasts = np.log2(np.maximum(score, 1e-300) / _LEAST_IMPORTANCE) * half_life if math.isfinite(half_life) else None
    for number, at in enumerate(record.decided.tolist()):
        before = int(np.searchsorted(ended, at, side="left"))
        remembered = np.arange(before) if lasts is None else np.flatnonzero(ended[:before] + lasts[:before] > at)
        latest = remembered[-_REMEMBERED:]
        counts[number] = len(latest)
        sizes[number] = rule.factor_for(float(won[latest].mean()) if len(latest) else 0.5, len(latest))
    return sizes, counts


def _gains(sizes: FloatArray, profit: FloatArray) -> FloatArray:
    """Return what resizing each trade added at equal exposure; the mean is the change of the mean profit."""
    return np.asarray((sizes / sizes.mean() - 1) * profit)


def _result(half_life: float, sizes: FloatArray, counts: FloatArray, profit: FloatArray) -> HalfLifeResult:
    if not len(profit):
        nothing = float("nan")
        return HalfLifeResult(half_life, nothing, nothing, nothing, Interval(nothing, nothing))
    gains = _gains(sizes, profit)
    interval = mean_interval(gains, block=BLOCK_TRADES) if gains.any() else Interval(0.0, 0.0)
    return HalfLifeResult(half_life, float(counts.mean()), float((sizes != 1).mean()), float(gains.mean()), interval)


def _walk_forward(
    lives: Sequence[float], sizes: Sequence[FloatArray], profit: FloatArray
) -> tuple[tuple[float, ...], FloatArray, slice]:
    """Return the half-life chosen for each part, the sizes by it, and which trades these are."""
    edges = np.linspace(0, len(profit), PARTS + 1).astype(int)
    chosen, parts = [], []
    for part in range(FIRST_PART, PARTS):
        past = slice(0, edges[part])
        gains = [float(_gains(size[past], profit[past]).mean()) for size in sizes]
        best = max(range(len(lives)), key=lambda number: (gains[number], lives[number]))
        chosen.append(lives[best])
        parts.append(sizes[best][edges[part] : edges[part + 1]])
    return tuple(chosen), np.concatenate(parts), slice(edges[FIRST_PART], len(profit))
