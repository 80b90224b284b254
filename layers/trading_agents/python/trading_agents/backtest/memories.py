"""Memories as multipliers: how large each trade is taken, from what is known at the close of its signal's bar.

A memory sees bars up to the signal's and the trades that had ended by then. One position an agent means that all
earlier trades of the agent have ended. A multiplier of 0 skips the trade; what it would have made is still observed,
so that a memory can change its mind.

Multipliers have the shape (trades,).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trading_agents.backtest.market_states import market_states
from trading_agents.backtest.trades import IntArray, Trades
from trading_agents.indicators.smoothing import ewma
from trading_agents.market import BoolArray, FloatArray
from trading_agents.price_bars import PriceBars

VARIANTS_TRIED = 46
"""Memory variants that had been tried on the SPY, BTC and EURUSD files before the ones below were chosen: 41 on SPY
before the others were opened, five afterwards. The deflated Sharpe ratio counts them all."""

_YEAR_DAYS = 252
_SPREAD_DAYS = 60
_LARGEST, _SMALLEST = 1.5, 0.5
_SIGNIFICANT = -1.64
_ENOUGH_TRADES = 100
_HALF_LIFE_TRADES = 100
_PRIOR_TRADES = 30


@dataclass(frozen=True, slots=True)
class Memory:
    """A rule by which memory sizes trades.

    Attributes:
        name: short, unique.
        title: what it does, for reports.
        rests_on: `outcomes` of earlier trades, `bars` alone, or `quotes`, which not every file has.
        multipliers: maps bars and trades to one multiplier a trade.
    """

    name: str
    title: str
    rests_on: Literal["outcomes", "bars", "quotes"]
    multipliers: Callable[[PriceBars, Trades], FloatArray]


def volatility_memory(bars: PriceBars, trades: Trades) -> FloatArray:
    """Smaller when volatility is above its long memory: m = clip(ref / sigma, 0.5, 1.5).

    sigma^2 is the exponentially weighted mean of squared log returns with a half-life of one day; ref is the
    exponential of that of log sigma with a half-life of 252 days.
    Source: the forecast is RiskMetrics', J.P. Morgan/Reuters Technical Document (1996), the sizing that of A. Moreira,
    T. Muir, Volatility-Managed Portfolios, Journal of Finance 72 (2017) 1611-1644, with sigma instead of sigma^2.
    """
    squares = np.concatenate([[np.nan], np.diff(np.log(bars.close)) ** 2])
    squares[: np.argmax(squares > 0)] = np.nan
    log_sigma = np.log(ewma(squares, bars.bars_per_day)) / 2
    usual = ewma(log_sigma, _YEAR_DAYS * bars.bars_per_day)
    return np.clip(np.exp(usual - log_sigma), _SMALLEST, _LARGEST)[trades.signal_bar]


def cost_gate(bars: PriceBars, trades: Trades) -> FloatArray:
    """Skip while the quoted spread, as a share of the price, exceeds 1.5 times its median over 60 days.

    Strictly a rule on the live quote; what it remembers is the usual spread. All trades are taken without quotes.
    """
    import pandas as pd  # noqa: PLC0415  # 0.3 s, and only quotes need it

    if bars.spread_close is None:
        return np.ones(len(trades))
    spread = pd.Series(bars.spread_close / bars.close)
    usual = spread.rolling(round(_SPREAD_DAYS * bars.bars_per_day), min_periods=1).median()
    return np.where(spread > 1.5 * usual, 0.0, 1.0)[trades.signal_bar]


def retirement_lifetime(_: PriceBars, trades: Trades) -> FloatArray:
    """Retire an agent while the t statistic of all its results is below -1.64, from 100 trades on.

    Results are net log returns in units of ATR20; t = mean / (sd / sqrt(n)).
    """
    return _by_agent(trades, _lifetime_record)


def retirement_recent(_: PriceBars, trades: Trades) -> FloatArray:
    """Retire an agent while the t statistic of its recent results is below -1.64, from 100 trades on.

    Means are exponentially weighted with a half-life of 100 trades, a = 1 - 0.5^(1/100);
    t = mean / (sd sqrt(a / (2 - a))), the standard error of such a mean (D. C. Montgomery, Introduction to
    Statistical Quality Control, EWMA chart).
    """
    return _by_agent(trades, _recent_record)


def win_rate_rule(_: PriceBars, trades: Trades) -> FloatArray:
    """Times 0.7 while fewer than 40% of the agent's last 20 trades won, times 1.2 while more than 60% did."""

    def rule(results: FloatArray) -> FloatArray:
        wins = np.concatenate([[0], np.cumsum(results > 0)])
        count = np.minimum(np.arange(len(results)), 20)
        recent = wins[:-1] - wins[np.arange(len(results)) - count]
        # Whole numbers, since 0.4 and 0.6 have no exact binary form.
        return np.where(10 * recent < 4 * count, 0.7, np.where(10 * recent > 6 * count, 1.2, 1.0))

    return _by_agent(trades, rule)


def pause_rule(_: PriceBars, trades: Trades) -> FloatArray:
    """No trade after three losses in a row, until a trade on paper wins."""

    def rule(results: FloatArray) -> FloatArray:
        losses = np.concatenate([np.zeros(3, dtype=np.bool_), results <= 0])
        return np.where(losses[2:-1] & losses[1:-2] & losses[:-3], 0.0, 1.0)

    return _by_agent(trades, rule)


def regime_posterior(bars: PriceBars, trades: Trades) -> FloatArray:
    """Skip where the agent's expected result in the present market state is negative, from 30 such trades on.

    E = p W - (1 - p) L with p = (30 p0 + wins) / (30 + n) in the state (a Beta prior worth 30 trades), p0 = (wins + 1)
    / (n + 2) over all states, and W, L the agent's mean gain and mean loss.
    Source: the Beta-binomial posterior mean, A. Gelman et al., Bayesian Data Analysis, chapter 2.
    """
    return _by_agent(trades, _state_posterior, market_states(bars)[trades.signal_bar])


def _by_agent(trades: Trades, rule: Callable[..., FloatArray], *columns: IntArray) -> FloatArray:
    """Apply a rule to each agent's results in order; it may use, for a trade, only the results before it."""
    multipliers = np.ones(len(trades))
    results = trades.net_risk
    for number in range(len(trades.agents)):
        own = trades.agent == number
        if own.any():
            multipliers[own] = rule(results[own], *(column[own] for column in columns))
    return multipliers


def _earlier(sums: FloatArray) -> FloatArray:
    """Running sums before each trade."""
    return np.concatenate([[0.0], sums[:-1]])


def _lifetime_record(results: FloatArray) -> FloatArray:
    count = np.arange(len(results), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _earlier(np.cumsum(results)) / count
        variance = (_earlier(np.cumsum(results**2)) - count * mean**2) / (count - 1)
        t = mean / np.sqrt(variance / count)
    return _taken(t, count)


def _recent_record(results: FloatArray) -> FloatArray:
    step = 1 - 0.5 ** (1 / _HALF_LIFE_TRADES)
    # Averages from a leading zero, over that of ones: exact weights from the first trade on.
    weight, total, squares = (
        ewma(np.concatenate([[0.0], column]), _HALF_LIFE_TRADES)[:-1]
        for column in (np.ones(len(results)), results, results**2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / weight
        t = mean / np.sqrt((squares / weight - mean**2) * step / (2 - step))
    return _taken(t, np.arange(len(results)))


def _taken(t: FloatArray, count: FloatArray | IntArray) -> FloatArray:
    retired: BoolArray = (t < _SIGNIFICANT) & (count >= _ENOUGH_TRADES)
    return np.where(retired, 0.0, 1.0)


def _state_posterior(results: FloatArray, states: IntArray) -> FloatArray:
    won = results > 0
    wins, count = _earlier(np.cumsum(won)), np.arange(len(results), dtype=float)
    state_wins, state_count = np.zeros(len(results)), np.zeros(len(results))
    for state in np.unique(states):
        own = states == state
        state_wins[own] = _earlier(np.cumsum(won[own]))
        state_count[own] = np.arange(own.sum())
    gain = _earlier(np.cumsum(np.where(won, results, 0))) / np.maximum(wins, 1)
    loss = -_earlier(np.cumsum(np.where(won, 0, results))) / np.maximum(count - wins, 1)
    prior = (wins + 1) / (count + 2)
    chance = (_PRIOR_TRADES * prior + state_wins) / (_PRIOR_TRADES + state_count)
    expected = chance * gain - (1 - chance) * loss
    return np.where((expected < 0) & (state_count >= _PRIOR_TRADES), 0.0, 1.0)


REGIME_POSTERIOR = Memory(
    "regime posterior", "skip where the agent lost in this market state", "outcomes", regime_posterior
)

MEMORIES: tuple[Memory, ...] = (
    Memory("volatility", "size by remembered volatility", "bars", volatility_memory),
    Memory("retire, recent", "retire an agent whose recent record is significantly bad", "outcomes", retirement_recent),
    Memory("retire, lifetime", "retire an agent whose whole record is that bad", "outcomes", retirement_lifetime),
    Memory("cost gate", "skip while the spread is wide against its memory", "quotes", cost_gate),
    Memory("win-rate rule", "times 0.7 below 40% recent wins, times 1.2 above 60%", "outcomes", win_rate_rule),
    Memory("pause", "no trade after three losses in a row", "outcomes", pause_rule),
    REGIME_POSTERIOR,
)
