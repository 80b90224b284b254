"""Memories as multipliers: how large each trade is taken, from what is known at the close of its signal's bar.

A memory sees bars up to the signal's and the trades that had ended by then. One position an agent means that all
earlier trades of the agent have ended. A multiplier of 0 skips the trade; what it would have made is still observed,
so that a memory can change its mind.

The rules are those of `trading_agents.risk` and `trading_agents.agents.confidence`, which live agents use: here they
are told bars and outcomes one after the other. Multipliers have the shape (trades,).
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from trading_agents.agents.confidence import WinRateRule, expected_profit
from trading_agents.backtest.engine.market_states import market_states
from trading_agents.backtest.engine.trades import Trades
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray
from trading_agents.memory import TradingMemoryStore
from trading_agents.risk import AgentHealth, CostGate, LossMemory, VolatilityMemory

VARIANTS_TRIED = 46
"""Memory variants that had been tried on the SPY, BTC and EURUSD files before the ones below were chosen: 41 on SPY
before the others were opened, five afterwards. The deflated Sharpe ratio counts them all."""

RECENT_TRADES = 20
LOSSES_IN_A_ROW = 3
ENOUGH_TRADES = 30


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
    """Smaller when volatility is above its long memory: `VolatilityMemory`, told every close."""
    return _sizes_by_volatility(bars)[trades.signal_bar]


def cost_gate(bars: PriceBars, trades: Trades) -> FloatArray:
    """Skip while the quoted spread, as a share of the price, is wide: `CostGate`. Without quotes every trade is taken.

    Strictly a rule on the live quote; what it remembers is the usual spread.
    """
    if bars.spread_close is None:
        return np.ones(len(trades))
    gate = CostGate()
    taken = []
    seconds = bars.time.astype(np.int64).tolist()
    for at, spread in zip(seconds, (bars.spread_close / bars.close).tolist(), strict=True):
        gate.observe(spread, at)
        taken.append(float(gate.allows(spread)))
    return np.array(taken)[trades.signal_bar]


def retirement_lifetime(_: PriceBars, trades: Trades) -> FloatArray:
    """Retire an agent while its lifetime t is below -1.64: `AgentHealth`, told net returns in units of ATR20."""
    health = AgentHealth(with_recent=False)
    return trade_by_trade(trades, trades.net_risk, health.multiplier, health.observe)


def retirement_recent(_: PriceBars, trades: Trades) -> FloatArray:
    """Retire an agent while its recent t is below -1.64: `AgentHealth`, told net returns in units of ATR20."""
    health = AgentHealth(with_lifetime=False)
    return trade_by_trade(trades, trades.net_risk, health.multiplier, health.observe)


def win_rate_rule(_: PriceBars, trades: Trades) -> FloatArray:
    """Times 0.7 while fewer than 40% of the agent's last 20 trades won, times 1.2 while more than 60% did."""
    rule = WinRateRule(min_outcomes=1)
    won: dict[str, deque[bool]] = {name: deque(maxlen=RECENT_TRADES) for name in trades.agents}

    def size(agent: str) -> float:
        recent = won[agent]
        return rule.factor_for(sum(recent) / max(len(recent), 1), len(recent))

    return trade_by_trade(trades, trades.net, size, lambda agent, net: won[agent].append(net > 0))


def pause_rule(_: PriceBars, trades: Trades) -> FloatArray:
    """No trade after three losses in a row, until a trade on paper wins: a `LossMemory` for each agent."""
    memory = TradingMemoryStore(clock=lambda: 0.0)
    losses = {
        name: LossMemory(
            memory,
            max_losses=LOSSES_IN_A_ROW,
            max_drawdown=1.0,
            pause_seconds=math.inf,
            least_exposure=1.0,
            symbol=name,
        )
        for name in trades.agents
    }

    def observe(agent: str, net: float) -> None:
        losses[agent].record(math.expm1(net), on_paper=losses[agent].pause is not None)

    return trade_by_trade(trades, trades.net, lambda agent: losses[agent].exposure, observe)


def regime_posterior(bars: PriceBars, trades: Trades) -> FloatArray:
    """Skip where the agent's `expected_profit` in the present market state is negative, from 30 such trades on.

    In columns: controls ask it hundreds of times. What it shrinks to are all trades of the agent.
    """
    taken = np.ones(len(trades))
    states = market_states(bars)[trades.signal_bar]
    results = trades.net_risk
    for number in range(len(trades.agents)):
        own = np.flatnonzero(trades.agent == number)
        won, result = results[own] > 0, results[own]
        wins, count = _earlier(won), np.arange(len(own), dtype=float)
        state_wins, state_count = np.zeros(len(own)), np.zeros(len(own))
        for state in np.unique(states[own]):
            here = states[own] == state
            state_wins[here] = _earlier(won[here])
            state_count[here] = np.arange(here.sum())
        expected = expected_profit(
            state_wins,
            state_count,
            pooled_wins=wins,
            pooled_count=count,
            mean_win=_earlier(np.where(won, result, 0)) / np.maximum(wins, 1),
            mean_loss=-_earlier(np.where(won, 0, result)) / np.maximum(count - wins, 1),
        )
        taken[own] = np.where((expected < 0) & (state_count >= ENOUGH_TRADES), 0.0, 1.0)
    return taken


def trade_by_trade(
    trades: Trades,
    results: FloatArray,
    size: Callable[[str], float],
    observe: Callable[[str, float], object],
) -> FloatArray:
    """Ask for each trade's size by its agent, and only then tell its result; shape (trades,)."""
    sizes = []
    for number, result in zip(trades.agent.tolist(), results.tolist(), strict=True):
        agent = trades.agents[number]
        sizes.append(size(agent))
        observe(agent, result)
    return np.array(sizes)


@lru_cache(maxsize=1)
def _sizes_by_volatility(bars: PriceBars) -> FloatArray:
    """Multiplier at the close of each bar, shape (bars,)."""
    memory = VolatilityMemory(bars.bars_per_day)
    sizes = [memory.multiplier]
    for bar_return in np.diff(np.log(bars.close)).tolist():
        memory.observe(bar_return)
        sizes.append(memory.multiplier)
    return np.array(sizes)


def _earlier(values: FloatArray | BoolArray) -> FloatArray:
    """Sum of the values before each."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]])


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
