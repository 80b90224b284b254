"""Memories of the five agents: what they make of their outcomes, the composer's weights, and the portfolio's losses.

As in `memories`, a rule gives one multiplier a trade, from what was known at the close of its signal's bar, and is the
one that live agents use.
"""

import heapq
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from trading_agents.backtest.engine.memory_rules import (
    MEMORIES,
    Memory,
    trade_by_trade,
    volatility_memory,
)
from trading_agents.backtest.engine.trades import Trades
from trading_agents.backtest.engine.votes import NAMES, SYMBOL, BarClock, Votes, make_agents
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import FloatArray
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.portfolio import Composer, MarketOutcome
from trading_agents.portfolio.composer import DIRECTIONS
from trading_agents.risk import AgentHealth, LossMemory

_PERCENT = 100
_SHARED = frozenset({"volatility", "retire, recent", "retire, lifetime", "cost gate"})
_SIGNALS = {direction: signal for signal, direction in DIRECTIONS.items()}


def memories_of(votes: Votes) -> tuple[Memory, ...]:
    """The memories that can change what the five agents trade."""
    own, composed = own_memory(votes), composer_weights(votes)
    by_regime = composer_weights(votes, by_regime=True)
    return (
        Memory("own memory", "each agent's confidence with memory over that without", "outcomes", own),
        Memory("composer", "weigh each agent by what its votes earned", "bars", composed),
        Memory("composer by regime", "the same, in calm and turbulent markets apart", "bars", by_regime),
        *(rule for rule in MEMORIES if rule.name in _SHARED),
        Memory("losses", "less in a drawdown of the portfolio, no trade after five losses", "outcomes", losses),
        Memory(
            "all together",
            "own memory, composer by regime, volatility, retirement and losses",
            "outcomes",
            together(own, by_regime),
        ),
    )


class _Outcomes(TradingMemoryStore):
    """A memory of one symbol's outcomes in plain lists: nulls tell them a hundred times."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0.0)
        self._of_kind: dict[str | None, list[TradingMemoryItem]] = {}

    def append(self, item: TradingMemoryItem) -> None:
        self._of_kind.setdefault(item.kind, []).append(item)

    def get_recent(self, kind: str | None = None, symbol: str | None = None, n: int = 10) -> list[TradingMemoryItem]:  # noqa: ARG002
        return self._of_kind.get(kind, [])[: -n - 1 : -1]


def own_memory(votes: Votes) -> Callable[[PriceBars, Trades], FloatArray]:
    """Each agent's confidence with all that it remembers, over that of one that remembers nothing.

    The agents are those of `act_with_memory`, with their usual rule of × 0.7 and × 1.2; a test holds this to a plain
    run of it. An outcome is told in percent of the capital traded.
    """

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        agents = make_agents(_Outcomes)
        columns = (trades.agent, trades.signal_bar, trades.net, trades.direction * trades.gross)
        sizes = []
        for number, bar, net, moved in zip(*(column.tolist() for column in columns), strict=True):
            agent, setup = agents[number], votes.setup[number][bar]
            confidence, _ = agent.adjust_confidence(SYMBOL, float(votes.confidence[bar, number]), setup)
            sizes.append(confidence / float(votes.plain[bar, number]))
            entry = float(bars.open[bar + 1])
            agent.remember_outcome(SYMBOL, "", _PERCENT * net, entry, entry * math.exp(moved), setup=setup)
        return np.array(sizes)

    return multipliers


def composer_weights(votes: Votes, *, by_regime: bool = False) -> Callable[[PriceBars, Trades], FloatArray]:
    """Each agent's weight in the composer, times the number of agents.

    A round lasts from the first bar of a day to that of the next: the votes at its beginning gain by the market's
    return over it. `Composer` weighs by fixed share; who lacks its features sleeps, and keeps its weight.
    """

    @lru_cache(maxsize=1)
    def weights(bars: PriceBars) -> FloatArray:
        return composed(bars, votes, Composer(), by_regime=by_regime)

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        return len(NAMES) * weights(bars)[trades.signal_bar, trades.agent]

    return multipliers


def composed(bars: PriceBars, votes: Votes, composer: Composer, *, by_regime: bool = False) -> FloatArray:
    """Weights of the agents after each bar, shape (bars, agents), by daily rounds; `composer` learns on the way."""
    weights = np.empty((len(bars), len(NAMES)))
    agents = make_agents(TradingMemoryStore)
    starts = np.flatnonzero(np.diff(bars.days, prepend=-1))
    ends = np.append(starts[1:], len(bars))
    decision_id, began = None, 0
    for first, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if decision_id is not None:
            market_return = bars.close[first] / bars.close[began] - 1
            composer.learn([MarketOutcome(decision_id, float(market_return))])
        ballot = [
            (_SIGNALS[int(votes.signal[first, n])], float(votes.confidence[first, n]), agent)
            for n, agent in enumerate(agents)
            if votes.takes_part[first, n]
        ]
        regime = (votes.regime[first] or None) if by_regime else None
        decision_id = composer.decide(ballot, regime=regime).decision_id if ballot else None
        began = first
        known = composer.weights(regime, names=NAMES)
        weights[first:end] = [known[name] for name in NAMES]
    return weights


def losses(bars: PriceBars, trades: Trades) -> FloatArray:
    """How much may be at risk after the portfolio's losses: `LossMemory` as it is, told each trade when it ended."""
    return _after_losses(bars, trades, np.ones(len(trades)))


def together(*parts: Callable[[PriceBars, Trades], FloatArray]) -> Callable[[PriceBars, Trades], FloatArray]:
    """The product of parts, volatility and retirement by both statistics; losses are those of what it traded."""

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        health = AgentHealth()
        sizes = trade_by_trade(trades, trades.net_risk, health.multiplier, health.observe)
        for part in (*parts, volatility_memory):
            sizes = sizes * part(bars, trades)
        return sizes * _after_losses(bars, trades, sizes)

    return multipliers


def _after_losses(bars: PriceBars, trades: Trades, sizes: FloatArray) -> FloatArray:
    """Exposure at each trade's signal, after all trades of the portfolio that had ended by then, each of its size."""
    clock = BarClock()
    memory = LossMemory(TradingMemoryStore(clock=clock))
    seconds = bars.time.astype(np.int64).tolist()
    returns = np.expm1(trades.net).tolist()
    exits = trades.exit_bar.tolist()
    open_trades: list[tuple[int, int, float]] = []
    exposures = []
    for number, bar in enumerate(trades.signal_bar.tolist()):
        while open_trades and open_trades[0][0] <= bar:
            end, ended, size = heapq.heappop(open_trades)
            clock.now = seconds[end]
            share = (size or 1.0) / len(trades.agents)
            memory.record(share * returns[ended], on_paper=size == 0)
        clock.now = seconds[bar]
        exposures.append(memory.exposure)
        heapq.heappush(open_trades, (exits[number], number, exposures[-1] * float(sizes[number])))
    return np.array(exposures)
