"""Memory rules as multipliers: the size of each trade, from what is known at the close of its signal's bar.

A rule uses bars up to the signal's and trades that had ended by then. Since an agent holds one position at a time, all
of its earlier trades have ended. A multiplier of 0 skips the trade; its result is still observed on paper, so that the
rule can reverse its decision.

The rules are those of `trading_agents.risk` and `trading_agents.agents.confidence`, which live agents use; here they
are fed bars and outcomes in order. Multipliers have the shape (trades,).
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

VARIANTS_TRIED = 49
"""Variants of memory rules that were tried on the SPY, BTC and EURUSD files: 41 on SPY before the other files were
opened, eight afterwards. The deflated Sharpe ratio counts them all."""

RECENT_TRADES = 20
CONSECUTIVE_LOSSES = 3
MIN_STATE_TRADES = 30

Multipliers = Callable[[PriceBars, Trades], FloatArray]


@dataclass(frozen=True, slots=True)
class MemoryRule:
    """A rule by which memory sizes trades.

    Attributes:
        name: short and unique.
        title: what it does, for reports.
        depends_on: `outcomes` of earlier trades, `bars` alone, or `quotes` or `volume`, which not every file has.
        multipliers: maps bars and trades to one multiplier per trade.
    """

    name: str
    title: str
    depends_on: Literal["outcomes", "bars", "quotes", "volume"]
    multipliers: Multipliers


def volatility_memory(bars: PriceBars, trades: Trades) -> FloatArray:
    """Smaller trades when volatility is above its long-term level: `VolatilityMemory`, fed every close."""
    return _volatility_multipliers(bars)[trades.signal_bar]


def cost_gate(bars: PriceBars, trades: Trades) -> FloatArray:
    """Skip trades while the quoted spread, as a fraction of the price, is wide: `CostGate`. No effect without quotes.

    Strictly this is a rule on the current quote; what it remembers is the median spread.
    """
    if bars.spread_close is None:
        return np.ones(len(trades))
    gate = CostGate()
    is_open = []
    seconds = bars.time.astype(np.int64).tolist()
    for at, spread in zip(seconds, (bars.spread_close / bars.close).tolist(), strict=True):
        gate.observe(spread, at)
        is_open.append(float(gate.allows(spread)))
    return np.array(is_open)[trades.signal_bar]


def retirement_lifetime(_: PriceBars, trades: Trades) -> FloatArray:
    """Retire an agent while its lifetime t is below -1.64: `AgentHealth`, fed net returns in units of ATR20."""
    health = AgentHealth(with_recent=False)
    return size_in_order(trades, trades.net_in_atr, health.multiplier, health.observe)


def retirement_recent(_: PriceBars, trades: Trades) -> FloatArray:
    """Retire an agent while its recent t is below -1.64: `AgentHealth`, fed net returns in units of ATR20."""
    health = AgentHealth(with_lifetime=False)
    return size_in_order(trades, trades.net_in_atr, health.multiplier, health.observe)


def win_rate_rule(_: PriceBars, trades: Trades) -> FloatArray:
    """Times 0.7 while fewer than 40% of the agent's last 20 trades won, times 1.2 while more than 60% did."""
    rule = WinRateRule(min_outcomes=1)
    won: dict[str, deque[bool]] = {name: deque(maxlen=RECENT_TRADES) for name in trades.agents}

    def size(agent: str) -> float:
        recent = won[agent]
        return rule.factor_for(sum(recent) / max(len(recent), 1), len(recent))

    return size_in_order(trades, trades.net, size, lambda agent, net: won[agent].append(net > 0))


def pause_rule(_: PriceBars, trades: Trades) -> FloatArray:
    """No trade after three consecutive losses, until a trade on paper wins: one `LossMemory` for each agent."""
    memory = TradingMemoryStore(clock=lambda: 0.0)
    losses = {
        name: LossMemory(
            memory,
            max_losses=CONSECUTIVE_LOSSES,
            max_drawdown=1.0,
            pause_seconds=math.inf,
            least_exposure=1.0,
            symbol=name,
        )
        for name in trades.agents
    }

    def observe(agent: str, net: float) -> None:
        losses[agent].record(math.expm1(net), on_paper=losses[agent].pause is not None)

    return size_in_order(trades, trades.net, lambda agent: losses[agent].exposure, observe)


def regime_posterior(bars: PriceBars, trades: Trades) -> FloatArray:
    """Skip trades while the agent's `expected_profit` in the current market state is negative, from 30 trades on.

    Shrinks to the rate of all trades of the agent. Vectorised, since controls evaluate it hundreds of times.
    """
    sizes = np.ones(len(trades))
    states = market_states(bars)[trades.signal_bar]
    results = trades.net_in_atr
    for number in range(len(trades.agents)):
        own = np.flatnonzero(trades.agent == number)
        won, result = results[own] > 0, results[own]
        wins, count = _sum_before(won), np.arange(len(own), dtype=float)
        state_wins, state_count = np.zeros(len(own)), np.zeros(len(own))
        for state in np.unique(states[own]):
            in_state = states[own] == state
            state_wins[in_state] = _sum_before(won[in_state])
            state_count[in_state] = np.arange(in_state.sum())
        expected = expected_profit(
            state_wins,
            state_count,
            pooled_wins=wins,
            pooled_count=count,
            mean_win=_sum_before(np.where(won, result, 0)) / np.maximum(wins, 1),
            mean_loss=-_sum_before(np.where(won, 0, result)) / np.maximum(count - wins, 1),
        )
        sizes[own] = np.where((expected < 0) & (state_count >= MIN_STATE_TRADES), 0.0, 1.0)
    return sizes


def size_in_order(
    trades: Trades,
    results: FloatArray,
    size: Callable[[str], float],
    observe: Callable[[str, float], object],
) -> FloatArray:
    """Return the size of each trade by its agent, where each result is observed only after its trade was sized."""
    sizes = []
    for number, result in zip(trades.agent.tolist(), results.tolist(), strict=True):
        agent = trades.agents[number]
        sizes.append(size(agent))
        observe(agent, result)
    return np.array(sizes)


@lru_cache(maxsize=1)
def _volatility_multipliers(bars: PriceBars) -> FloatArray:
    """Return the multiplier at the close of each bar, shape (bars,)."""
    memory = VolatilityMemory(bars.bars_per_day)
    multipliers = [memory.multiplier]
    for bar_return in np.diff(np.log(bars.close)).tolist():
        memory.observe(bar_return)
        multipliers.append(memory.multiplier)
    return np.array(multipliers)


def _sum_before(values: FloatArray | BoolArray) -> FloatArray:
    """Return the sum of the values before each."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]])


REGIME_POSTERIOR = MemoryRule(
    "regime posterior", "skip trades in market states where the agent lost", "outcomes", regime_posterior
)

MEMORY_RULES: tuple[MemoryRule, ...] = (
    MemoryRule("volatility", "size trades by remembered volatility", "bars", volatility_memory),
    MemoryRule("retire, recent", "retire agents with significantly bad recent results", "outcomes", retirement_recent),
    MemoryRule(
        "retire, lifetime", "retire agents with significantly bad results overall", "outcomes", retirement_lifetime
    ),
    MemoryRule("cost gate", "skip trades while the spread is wide against its median", "quotes", cost_gate),
    MemoryRule("win-rate rule", "times 0.7 below 40% recent wins, times 1.2 above 60%", "outcomes", win_rate_rule),
    MemoryRule("pause", "no trade after three consecutive losses", "outcomes", pause_rule),
    REGIME_POSTERIOR,
)
