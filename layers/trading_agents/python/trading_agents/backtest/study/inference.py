"""Whether a difference could be luck: paired bootstrap intervals, two nulls, the deflated Sharpe ratio."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from arch.bootstrap import StationaryBootstrap
from scipy import stats

from trading_agents.backtest.engine.memory_rules import Memory
from trading_agents.backtest.engine.trades import Trades
from trading_agents.backtest.study.track_record import Differences, Record, compared, measures
from trading_agents.core.arrays import FloatArray

DRAWS = 1000
SHIFTS = 200
SHUFFLES = 30
BLOCK_DAYS, BLOCK_TRADES = 20, 100
_EULER = 0.5772156649015329


class Interval(NamedTuple):
    """Central 95% of the bootstrap's draws."""

    low: float
    high: float


_UNKNOWN = Interval(float("nan"), float("nan"))


def differences(record: Record, multipliers: FloatArray) -> Differences:
    """What memory changes, at equal exposure."""
    return _differences(record.paired_days(multipliers), record.paired_trades(multipliers), record.days_per_year)


def intervals(record: Record, multipliers: FloatArray, seed: int = 0, draws: int = DRAWS) -> dict[str, Interval]:
    """95% intervals of all differences, from paired resamples of blocks of days, and of blocks of trades.

    Blocks have geometric lengths with means of 20 days and 100 trades. Both arms are resampled alike.
    Source: D. N. Politis, J. P. Romano, The Stationary Bootstrap, JASA 89 (1994) 1303-1313; `arch.bootstrap`.
    """
    days, trades = record.paired_days(multipliers), record.paired_trades(multipliers)
    by_day = StationaryBootstrap(BLOCK_DAYS, days, seed=np.random.default_rng(seed)).apply(
        lambda sample: np.array(_differences(sample, trades, record.days_per_year)[:3]), draws
    )
    by_trade = StationaryBootstrap(BLOCK_TRADES, trades, seed=np.random.default_rng(seed)).apply(
        lambda sample: np.array(_differences(days[:1], sample, record.days_per_year)[3:]), draws
    )
    both = np.column_stack([by_day, by_trade])
    return {name: _central(column) for name, column in zip(Differences._fields, both.T, strict=True)}


def _central(draws: FloatArray) -> Interval:
    """Central 95% of the draws that have a value; NaN if none has, as when a memory skips every trade."""
    known = draws[~np.isnan(draws)]
    return Interval(*np.quantile(known, (0.025, 0.975), method="nearest").tolist()) if len(known) else _UNKNOWN


def time_shifted(record: Record, multipliers: FloatArray, seed: int = 0) -> list[Differences]:
    """Differences of the same multipliers, each agent's moved in a circle by a random number of trades.

    Keeps how often and by whom trades are skipped or resized; destroys when.
    """
    chance = np.random.default_rng(seed)
    return [differences(record, shifted(record, multipliers, chance)) for _ in range(SHIFTS)]


def shifted(record: Record, multipliers: FloatArray, chance: np.random.Generator) -> FloatArray:
    """One circular shift of every agent's scored multipliers."""
    moved = multipliers.copy()
    for number in range(len(record.trades.agents)):
        own = np.flatnonzero((record.trades.agent == number) & record.scored)
        if len(own) > 1:
            moved[own] = np.roll(multipliers[own], int(chance.integers(1, len(own))))
    return moved


def shuffled(record: Record, memory: Memory, seed: int = 0) -> list[Differences]:
    """Differences of a memory that is fed outcomes dealt anew over all trades of all agents.

    Destroys everything that could be learned from outcomes; the trades themselves stay as they were.
    """
    chance = np.random.default_rng(seed)
    return [differences(record, fed_with_shuffled(record, memory, chance)) for _ in range(SHUFFLES)]


def fed_with_shuffled(record: Record, memory: Memory, chance: np.random.Generator) -> FloatArray:
    """Multipliers of a memory that saw the outcomes of other trades."""
    trades = record.trades
    order = chance.permutation(len(trades))
    dealt: Trades = replace(trades, gross=trades.gross[order], cost=trades.cost[order], risk=trades.risk[order])
    return memory.multipliers(record.bars, dealt)


def p_value(observed: float, null: list[float], *, lower_is_better: bool = False) -> float:
    """Share of the null's draws at least as good as what was observed, which counts as one of them."""
    sign = -1 if lower_is_better else 1
    return (1 + sum(sign * value >= sign * observed for value in null)) / (1 + len(null))


def deflated_sharpe(returns: FloatArray, trial_sharpes: FloatArray, trials: int) -> float:
    """Probability that the true Sharpe ratio exceeds the best that so many trials without skill would show.

    Args:
        returns: by day, shape (days,).
        trial_sharpes: Sharpe ratios a day of the trials at hand, for their variance.
        trials: how many variants were ever tried.

    Source: D. H. Bailey, M. Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014)
    94-107: Phi((SR - SR0) sqrt(T - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2)), with
    SR0 = sd(trials) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g Euler's constant.
    """
    deviation = returns.std()
    if deviation == 0:
        return float("nan")
    ratio = returns.mean() / deviation
    quantile: Callable[[float], float] = stats.norm.ppf
    luck = trial_sharpes.std(ddof=1) * (
        (1 - _EULER) * quantile(1 - 1 / trials) + _EULER * quantile(1 - 1 / (trials * np.e))
    )
    skew, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    spread = np.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2)
    return float(stats.norm.cdf((ratio - luck) * np.sqrt(len(returns) - 1) / spread))


def _differences(days: FloatArray, trades: FloatArray, days_per_year: float) -> Differences:
    untouched = trades.copy()
    untouched[:, 0] = 1.0
    base = measures(days[:, 0], untouched, days_per_year)
    return compared(base, measures(days[:, 1], trades, days_per_year))
