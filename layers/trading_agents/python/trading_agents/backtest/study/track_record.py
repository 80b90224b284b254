"""What a record of trades is worth, and how two records of the same trades differ."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trading_agents.backtest.engine.trades import Trades
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray

_WORST_SHARE = 0.01


class Measures(NamedTuple):
    """Of one arm. Log returns are summed, not compounded; 0.01 is one percent of the capital.

    Attributes:
        sharpe: mean over standard deviation of daily returns, times the square root of the days in a year.
        drawdown: largest fall of the summed returns from a peak, above 0.
        shortfall: mean loss on the worst 1% of days (expected shortfall), above 0.
        win_rate: share of taken trades that made money after costs, 0 to 1.
        net: mean return after costs of a trade, weighted by size.
        quality: gains over losses (profit factor) after costs, each trade in units of its ATR20 and weighted by size.

    What has no value is NaN: the win rate of no trades, the quality of trades without a loss.
    """

    sharpe: float
    drawdown: float
    shortfall: float
    win_rate: float
    net: float
    quality: float


class Differences(NamedTuple):
    """Memory against no memory. All but `shortfall` and `drawdown` are better the higher.

    Attributes:
        sharpe: difference of the ratios.
        drawdown: relative change, -0.1 is ten percent less.
        shortfall: relative change.
        win_rate: difference of shares; 0.01 is one point.
        net: difference of returns a trade.
        quality: relative change.
    """

    sharpe: float
    drawdown: float
    shortfall: float
    win_rate: float
    net: float
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The scored trades of one file, and what they make by day.

    Attributes:
        bars: all of the file.
        trades: all of them.
        scored: whether a trade was signalled after the learning period, shape (trades,).
        first_day: number of the first scored day.
        days_per_year: scored days with bars over scored years.
    """

    bars: PriceBars
    trades: Trades
    scored: BoolArray
    first_day: int
    days_per_year: float

    def daily(self, multipliers: FloatArray) -> FloatArray:
        """Net log return of every scored day, mean over the agents, shape (days,)."""
        trades = self.trades
        size = np.where(self.scored, multipliers, 0.0)[trades.marked_trade]
        net = size * (trades.marked_gross - trades.marked_cost)
        days = int(self.bars.days[-1]) + 1
        return np.bincount(trades.marked_day, net, days)[self.first_day :] / len(trades.agents)

    def exposure_factor(self, multipliers: FloatArray) -> float:
        """What makes the memory's exposure, size times bars, that of the arm without memory."""
        duration = self.trades.duration * self.scored
        exposed = float((duration * multipliers).sum())
        return float(duration.sum()) / exposed if exposed else 0.0

    def paired_days(self, multipliers: FloatArray) -> FloatArray:
        """Daily returns without memory and with it at equal exposure, shape (days, 2)."""
        memory = self.exposure_factor(multipliers) * self.daily(multipliers)
        return np.column_stack([self.daily(np.ones(len(multipliers))), memory])

    def paired_trades(self, multipliers: FloatArray) -> FloatArray:
        """Multiplier, net return and net return in ATR20 of every scored trade, shape (scored, 3)."""
        return np.column_stack([multipliers, self.trades.net, self.trades.net_risk])[self.scored]


def record(bars: PriceBars, trades: Trades, learning_days: int) -> Record:
    """The record of trades; memory learns for `learning_days` calendar days, and nothing is scored in them.

    Raises:
        ValueError: no trade is left to score.
    """
    dates = bars.time.astype("datetime64[D]")
    start = dates[0] + np.timedelta64(learning_days, "D")
    scored = dates[trades.signal_bar] >= start
    if not scored.any():
        raise ValueError(f"{bars.name}: no trade is left to score after {learning_days} days of learning")
    days = bars.days
    first_day = int(days[np.argmax(dates >= start)])
    years = (dates[-1] - start + np.timedelta64(1, "D")) / np.timedelta64(1, "D") / 365.25
    return Record(bars, trades, scored, first_day, float((days[-1] + 1 - first_day) / years))


def measures(days: FloatArray, trades: FloatArray, days_per_year: float) -> Measures:
    """Measures of one arm: returns a day, shape (days,), and rows of `Record.paired_trades`."""
    size, net, net_risk = trades.T
    taken = size > 0
    # Products and sums, not `@`: BLAS spreads it over all cores, which takes longer wherever they are busy.
    gains, losses = size * np.maximum(net_risk, 0), size * np.maximum(-net_risk, 0)
    return Measures(
        sharpe=sharpe(days) * days_per_year**0.5,
        drawdown=drawdown(days),
        shortfall=shortfall(days),
        win_rate=_share(float(np.count_nonzero(taken & (net > 0))), float(np.count_nonzero(taken))),
        net=_share(float((size * net).sum()), float(size.sum())),
        quality=_share(float(gains.sum()), float(losses.sum())),
    )


def compared(base: Measures, memory: Measures) -> Differences:
    """Memory against no memory."""
    return Differences(
        sharpe=memory.sharpe - base.sharpe,
        drawdown=_share(memory.drawdown, base.drawdown) - 1,
        shortfall=_share(memory.shortfall, base.shortfall) - 1,
        win_rate=memory.win_rate - base.win_rate,
        net=memory.net - base.net,
        quality=_share(memory.quality, base.quality) - 1,
    )


def sharpe(days: FloatArray) -> float:
    """Mean over standard deviation of daily returns, not annualised (W. F. Sharpe, Journal of Business 39 (1966))."""
    return _share(float(days.mean()), float(days.std()))


def drawdown(days: FloatArray) -> float:
    """Largest fall of the summed returns from an earlier peak, the start included."""
    summed = np.concatenate([[0.0], np.cumsum(days)])
    return float((np.maximum.accumulate(summed) - summed).max())


def shortfall(days: FloatArray) -> float:
    """Mean loss of the worst 1% of days, at least one (C. Acerbi, D. Tasche, Economic Notes 31 (2002) 379-388)."""
    worst = max(round(_WORST_SHARE * len(days)), 1)
    return -float(np.partition(days, worst - 1)[:worst].mean())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
