"""Statistical inference on changes: paired bootstrap intervals, two null distributions, the deflated Sharpe ratio."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from arch.bootstrap import StationaryBootstrap
from scipy import stats

from trading_agents.backtest.engine.memory_rules import MemoryRule
from trading_agents.backtest.engine.trades import Trades
from trading_agents.backtest.study.track_record import (
    Performance,
    PerformanceChange,
    TrackRecord,
    performance,
    performance_change,
    performance_of_days,
    performance_of_trades,
)
from trading_agents.core.arrays import FloatArray

DRAWS = 1000
SHIFTS = 200
SHUFFLES = 30
BLOCK_DAYS, BLOCK_TRADES = 20, 100


class Interval(NamedTuple):
    """The central 95% of the bootstrap draws."""

    low: float
    high: float


_UNKNOWN = Interval(float("nan"), float("nan"))


def change_with_memory(record: TrackRecord, multipliers: FloatArray) -> PerformanceChange:
    """Return what multipliers change, at equal exposure."""
    days, trades = record.days_at_equal_exposure(multipliers), record.paired_trades(multipliers)
    return performance_change(performance_without_memory(record), performance(days, trades, record.days_per_year))


@lru_cache(maxsize=4)
def performance_without_memory(record: TrackRecord) -> Performance:
    """Return the performance of full sizes, with which all draws of a null distribution are compared."""
    full = np.ones(len(record.trades))
    return performance(record.days_without_memory(), record.paired_trades(full), record.days_per_year)


def intervals(record: TrackRecord, multipliers: FloatArray, seed: int = 0, draws: int = DRAWS) -> dict[str, Interval]:
    """Return 95% intervals of all changes, from paired resamples of blocks of days and of blocks of trades.

    Block lengths are geometric with means of 20 days and 100 trades. Both arms are resampled alike.
    Source: D. N. Politis, J. P. Romano, The Stationary Bootstrap, JASA 89 (1994) 1303-1313; `arch.bootstrap`.
    """
    days, trades = record.paired_days(multipliers), record.paired_trades(multipliers)

    def change_by_day(sample: FloatArray) -> FloatArray:
        base, memory = (performance_of_days(arm, record.days_per_year) for arm in sample.T)
        return np.array(performance_change(base, memory)[:3])

    def change_by_trade(sample: FloatArray) -> FloatArray:
        full = sample.copy()
        full[:, 0] = 1.0
        return np.array(performance_change(performance_of_trades(full), performance_of_trades(sample))[3:])

    by_day = StationaryBootstrap(BLOCK_DAYS, days, seed=np.random.default_rng(seed)).apply(change_by_day, draws)
    by_trade = StationaryBootstrap(BLOCK_TRADES, trades, seed=np.random.default_rng(seed)).apply(change_by_trade, draws)
    both = np.column_stack([by_day, by_trade])
    return {name: _central(column) for name, column in zip(PerformanceChange._fields, both.T, strict=True)}


def mean_interval(values: FloatArray, *, block: int = BLOCK_DAYS, seed: int = 0, draws: int = DRAWS) -> Interval:
    """Return the 95% interval of the mean of a series, from resamples of blocks with a mean length of `block`."""
    resampled = StationaryBootstrap(block, values, seed=np.random.default_rng(seed)).apply(np.mean, draws)
    return _central(np.asarray(resampled).ravel())


def _central(draws: FloatArray) -> Interval:
    """Return the central 95% of the defined draws; NaN if there are none, as when a rule skips every trade."""
    defined = draws[~np.isnan(draws)]
    return Interval(*np.quantile(defined, (0.025, 0.975), method="nearest").tolist()) if len(defined) else _UNKNOWN


def time_shift_null(record: TrackRecord, multipliers: FloatArray, seed: int = 0) -> list[PerformanceChange]:
    """Return changes of the same multipliers, shifted circularly within each agent by a random number of trades.

    This preserves how often and for whom trades are skipped or resized, and destroys the timing.
    """
    random = np.random.default_rng(seed)
    return [change_with_memory(record, shift_multipliers(record, multipliers, random)) for _ in range(SHIFTS)]


def shift_multipliers(record: TrackRecord, multipliers: FloatArray, random: np.random.Generator) -> FloatArray:
    """Shift every agent's scored multipliers circularly, once."""
    shifted = multipliers.copy()
    for number in range(len(record.trades.agents)):
        own = np.flatnonzero((record.trades.agent == number) & record.scored)
        if len(own) > 1:
            shifted[own] = np.roll(multipliers[own], int(random.integers(1, len(own))))
    return shifted


def shuffle_null(record: TrackRecord, rule: MemoryRule, seed: int = 0) -> list[PerformanceChange]:
    """Return changes of a rule that is fed outcomes permuted over all trades of all agents.

    This destroys everything that can be learned from outcomes; the trades themselves stay unchanged.
    """
    random = np.random.default_rng(seed)
    return [
        change_with_memory(record, multipliers_from_shuffled_outcomes(record, rule, random)) for _ in range(SHUFFLES)
    ]


def multipliers_from_shuffled_outcomes(
    record: TrackRecord, rule: MemoryRule, random: np.random.Generator
) -> FloatArray:
    """Return the multipliers of a rule that observes the outcomes of other trades."""
    trades = record.trades
    order = random.permutation(len(trades))
    shuffled: Trades = replace(
        trades, gross=trades.gross[order], cost=trades.cost[order], atr_fraction=trades.atr_fraction[order]
    )
    return rule.multipliers(record.bars, shuffled)


def p_value(observed: float, null: list[float], *, lower_is_better: bool = False) -> float:
    """Return the fraction of the null draws at least as good as the observation, which counts as one of them."""
    sign = -1 if lower_is_better else 1
    return (1 + sum(sign * value >= sign * observed for value in null)) / (1 + len(null))


def deflated_sharpe(returns: FloatArray, trial_sharpes: FloatArray, trials: int) -> float:
    """Return the probability that the true Sharpe ratio exceeds the best of `trials` trials without skill.

    Args:
        returns: daily, shape (days,).
        trial_sharpes: daily Sharpe ratios of the available trials, for their variance.
        trials: number of variants that were ever tried.

    Source: D. H. Bailey, M. Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014)
    94-107: Phi((SR - SR0) sqrt(T - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2)), with
    SR0 = sd(trials) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g Euler's constant.
    """
    deviation = returns.std()
    if deviation == 0:
        return float("nan")
    ratio = returns.mean() / deviation
    quantile: Callable[[float], float] = stats.norm.ppf
    expected_best = trial_sharpes.std(ddof=1) * (
        (1 - np.euler_gamma) * quantile(1 - 1 / trials) + np.euler_gamma * quantile(1 - 1 / (trials * np.e))
    )
    skew, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    spread = np.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2)
    return float(stats.norm.cdf((ratio - expected_best) * np.sqrt(len(returns) - 1) / spread))
