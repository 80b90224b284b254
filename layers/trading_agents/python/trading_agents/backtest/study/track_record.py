"""The track record of a portfolio, its performance, and how performance changes with memory."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trading_agents.backtest.engine.trades import Trades
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray

_TAIL = 0.01
_NAN = float("nan")


class Performance(NamedTuple):
    """Performance of one arm. Log returns are summed, not compounded; 0.01 is one percent of the capital.

    Attributes:
        sharpe: mean over standard deviation of daily returns, times the square root of the days per year.
        drawdown: largest fall of the summed returns from a peak, positive.
        shortfall: mean loss of the worst 1% of days (expected shortfall), positive.
        win_rate: fraction of the trades taken that made money after costs, 0 to 1.
        net: mean return after costs per trade, weighted by size.
        profit_factor: gains over losses after costs, each trade in units of its ATR20 and weighted by size.

    Undefined values are NaN: the win rate of no trades, the profit factor without losses.
    """

    sharpe: float
    drawdown: float
    shortfall: float
    win_rate: float
    net: float
    profit_factor: float


class PerformanceChange(Performance):
    """Performance with memory compared with performance without.

    Attributes:
        sharpe: difference of the ratios.
        drawdown: relative change; -0.1 is ten percent smaller. Lower is better.
        shortfall: relative change. Lower is better.
        win_rate: difference of the fractions; 0.01 is one percentage point.
        net: difference of the mean returns.
        profit_factor: relative change.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class TrackRecord:
    """The trades of one file, and which of them are scored.

    Attributes:
        bars: of the file.
        trades: all of them.
        scored: whether a trade was signalled after the learning period, shape (trades,).
        days: number of days with bars.
        first_day: index of the first scored day.
        days_per_year: scored days with bars per year.
    """

    bars: PriceBars
    trades: Trades
    scored: BoolArray
    days: int
    first_day: int
    days_per_year: float

    def daily_returns(self, multipliers: FloatArray) -> FloatArray:
        """Return the net log return of every scored day, averaged over the agents, shape (days,)."""
        trades = self.trades
        size = np.where(self.scored, multipliers, 0.0)[trades.mark_trade]
        net = size * (trades.mark_gross - trades.mark_cost)
        return np.bincount(trades.mark_day, net, self.days)[self.first_day :] / len(trades.agents)

    def exposure_factor(self, multipliers: FloatArray) -> float:
        """Return the factor that makes exposure, size times duration, equal to that without memory."""
        duration = self.trades.duration * self.scored
        exposure = float((duration * multipliers).sum())
        return float(duration.sum()) / exposure if exposure else 0.0

    def days_without_memory(self) -> FloatArray:
        """Return the daily returns of full sizes."""
        return self.daily_returns(np.ones(len(self.trades)))

    def days_at_equal_exposure(self, multipliers: FloatArray) -> FloatArray:
        """Return the daily returns with memory, at the exposure without."""
        return self.exposure_factor(multipliers) * self.daily_returns(multipliers)

    def paired_days(self, multipliers: FloatArray) -> FloatArray:
        """Return daily returns without memory and with memory at equal exposure, shape (days, 2)."""
        return np.column_stack([self.days_without_memory(), self.days_at_equal_exposure(multipliers)])

    def paired_trades(self, multipliers: FloatArray) -> FloatArray:
        """Return multiplier, net return and net return in ATR20 of every scored trade, shape (scored, 3)."""
        return np.column_stack([multipliers, self.trades.net, self.trades.net_in_atr])[self.scored]


def make_track_record(bars: PriceBars, trades: Trades, learning_days: int) -> TrackRecord:
    """Return the track record; during the first `learning_days` calendar days memory learns and nothing is scored.

    Raises:
        ValueError: there is no trade to score.
    """
    dates = bars.time.astype("datetime64[D]")
    start = dates[0] + np.timedelta64(learning_days, "D")
    scored = dates[trades.signal_bar] >= start
    if not scored.any():
        raise ValueError(f"{bars.name}: there is no trade to score after {learning_days} days of learning")
    days = bars.days
    first_day = int(days[np.argmax(dates >= start)])
    years = (dates[-1] - start + np.timedelta64(1, "D")) / np.timedelta64(1, "D") / 365.25
    count = int(days[-1]) + 1
    return TrackRecord(bars, trades, scored, count, first_day, float((count - first_day) / years))


def performance(days: FloatArray, trades: FloatArray, days_per_year: float) -> Performance:
    """Return the performance of one arm from daily returns, shape (days,), and `TrackRecord.paired_trades`."""
    return Performance(*performance_of_days(days, days_per_year)[:3], *performance_of_trades(trades)[3:])


def performance_of_days(days: FloatArray, days_per_year: float) -> Performance:
    """Return what daily returns tell, shape (days,); the measures of trades are NaN."""
    return Performance(
        sharpe_ratio(days) * days_per_year**0.5, max_drawdown(days), expected_shortfall(days), _NAN, _NAN, _NAN
    )


def performance_of_trades(trades: FloatArray) -> Performance:
    """Return what `TrackRecord.paired_trades` tell; the measures of days are NaN."""
    size, net, net_in_atr = trades.T
    is_taken = size > 0
    # Products and sums instead of `@`: BLAS uses all cores, which takes longer when they are busy.
    gains, losses = size * np.maximum(net_in_atr, 0), size * np.maximum(-net_in_atr, 0)
    return Performance(
        *(_NAN, _NAN, _NAN),
        win_rate=_ratio(float(np.count_nonzero(is_taken & (net > 0))), float(np.count_nonzero(is_taken))),
        net=_ratio(float((size * net).sum()), float(size.sum())),
        profit_factor=_ratio(float(gains.sum()), float(losses.sum())),
    )


def performance_change(base: Performance, memory: Performance) -> PerformanceChange:
    """Compare performance with memory to the base without."""
    return PerformanceChange(
        sharpe=memory.sharpe - base.sharpe,
        drawdown=_ratio(memory.drawdown, base.drawdown) - 1,
        shortfall=_ratio(memory.shortfall, base.shortfall) - 1,
        win_rate=memory.win_rate - base.win_rate,
        net=memory.net - base.net,
        profit_factor=_ratio(memory.profit_factor, base.profit_factor) - 1,
    )


def sharpe_ratio(days: FloatArray) -> float:
    """Return mean over standard deviation of daily returns, not annualised (W. F. Sharpe, J. of Business 39 (1966))."""
    return _ratio(float(days.mean()), float(days.std()))


def max_drawdown(days: FloatArray) -> float:
    """Return the largest fall of the summed returns from an earlier peak, including the start."""
    summed = np.concatenate([[0.0], np.cumsum(days)])
    return float((np.maximum.accumulate(summed) - summed).max())


def expected_shortfall(days: FloatArray) -> float:
    """Return the mean loss of the worst 1% of days, at least one (Acerbi, Tasche, Economic Notes 31 (2002) 379-388)."""
    worst = max(round(_TAIL * len(days)), 1)
    return -float(np.partition(days, worst - 1)[:worst].mean())


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
