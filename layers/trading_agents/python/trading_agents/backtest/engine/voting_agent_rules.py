"""Memory rules for the five voting agents: their own memory, the composer's weights, and the portfolio's losses.

As in `memory_rules`, a rule gives one multiplier per trade, from what was known at the close of its signal's bar, and
is the rule that live agents use.
"""

import heapq
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from trading_agents.agents.volume_patterns import VolumePatterns
from trading_agents.backtest.engine.memory_rules import (
    MEMORY_RULES,
    MemoryRule,
    Multipliers,
    size_in_order,
    volatility_memory,
)
from trading_agents.backtest.engine.trades import Trades
from trading_agents.backtest.engine.votes import (
    AGENT_NAMES,
    SYMBOL,
    BarClock,
    Votes,
    decaying_memory,
    make_agents,
)
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import FloatArray
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.portfolio import Composer, MarketOutcome, RegimeSwitch
from trading_agents.portfolio.composer import DIRECTIONS
from trading_agents.risk import AgentHealth, LossMemory, RegimeLosses

_PERCENT = 100
_SHARED_RULES = frozenset({"volatility", "retire, recent", "retire, lifetime", "cost gate"})
_SIGNALS = {direction: signal for signal, direction in DIRECTIONS.items()}


def voting_agent_rules(votes: Votes) -> tuple[MemoryRule, ...]:
    """Return the rules that can change what the five agents trade."""
    own, composed = own_memory(votes), composer_weights(votes)
    by_regime = composer_weights(votes, by_regime=True)
    return (
        MemoryRule("own memory", "each agent's confidence with memory over that without", "outcomes", own),
        MemoryRule("composer", "weight each agent by what its votes earned", "bars", composed),
        MemoryRule("composer by regime", "the same, separately in calm and turbulent markets", "bars", by_regime),
        *(rule for rule in MEMORY_RULES if rule.name in _SHARED_RULES),
        MemoryRule(
            "losses", "smaller in a drawdown of the portfolio, no trade after five losses", "outcomes", loss_exposure
        ),
        MemoryRule(
            "size by regime",
            "half the size where the agent's last five trades in this market condition lost",
            "outcomes",
            size_by_regime(votes),
        ),
        MemoryRule(
            "switch by regime",
            "in each market condition only the agent with the best record in it trades",
            "outcomes",
            switch_by_regime(votes),
        ),
        MemoryRule(
            "volume by regime",
            "less confidence in Liquidity's trades while volume is twice what is typical of the hour and the regime",
            "volume",
            volume_by_regime(votes),
        ),
        MemoryRule(
            "all together",
            "own memory, composer by regime, volatility, retirement and losses",
            "outcomes",
            combined(own, by_regime),
        ),
    )


class _OutcomeLists(TradingMemoryStore):
    """A memory of one symbol's outcomes in plain lists, since null distributions replay them a hundred times."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0.0)
        self._of_kind: dict[str | None, list[TradingMemoryItem]] = {}

    def append(self, item: TradingMemoryItem) -> None:
        self._of_kind.setdefault(item.kind, []).append(item)

    def get_recent(self, kind: str | None = None, symbol: str | None = None, n: int = 10) -> list[TradingMemoryItem]:  # noqa: ARG002
        return self._of_kind.get(kind, [])[: -n - 1 : -1]


def own_memory(votes: Votes) -> Multipliers:
    """Each agent's confidence with all that it remembers, over that of the same agent without memory.

    The agents decide as in `act_with_memory`, with their default rule of × 0.7 and × 1.2 from ten outcomes on and the
    limit of 30% on all memories together; a test compares this with a plain run. Outcomes are in percent of the
    capital traded.
    """

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        agents = make_agents(_OutcomeLists)
        columns = (trades.agent, trades.signal_bar, trades.net, trades.direction * trades.gross)
        sizes = []
        for number, bar, net, price_change in zip(*(column.tolist() for column in columns), strict=True):
            agent, setup = agents[number], votes.setup[number][bar]
            alone = float(votes.confidence_without_memory[bar, number])
            remembered = float(votes.confidence[bar, number])
            confidence, _ = agent.adjust_confidence(SYMBOL, remembered, setup, without_memory=alone)
            sizes.append(confidence / alone)
            entry = float(bars.open[bar + 1])
            agent.remember_outcome(SYMBOL, "", _PERCENT * net, entry, entry * math.exp(price_change), setup=setup)
        return np.array(sizes)

    return multipliers


def composer_weights(votes: Votes, *, by_regime: bool = False) -> Multipliers:
    """Each agent's weight in the composer, times the number of agents.

    A round lasts from the first bar of a day to that of the next: the votes at its beginning gain by the market's
    return over it. `Composer` uses fixed share; an agent without its features abstains and keeps its weight.
    """

    @lru_cache(maxsize=1)
    def weights(bars: PriceBars) -> FloatArray:
        return weights_by_bar(bars, votes, Composer(), by_regime=by_regime)

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        return len(AGENT_NAMES) * weights(bars)[trades.signal_bar, trades.agent]

    return multipliers


def weights_by_bar(bars: PriceBars, votes: Votes, composer: Composer, *, by_regime: bool = False) -> FloatArray:
    """Return the weights of the agents after each bar, shape (bars, agents); `composer` learns in daily rounds."""
    weights = np.empty((len(bars), len(AGENT_NAMES)))
    agents = make_agents(TradingMemoryStore)
    starts = np.flatnonzero(np.diff(bars.days, prepend=-1))
    ends = np.append(starts[1:], len(bars))
    decision_id, previous_start = None, 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if decision_id is not None:
            market_return = bars.close[start] / bars.close[previous_start] - 1
            composer.learn([MarketOutcome(decision_id, float(market_return))])
        ballot = [
            (_SIGNALS[int(votes.signal[start, n])], float(votes.confidence[start, n]), agent)
            for n, agent in enumerate(agents)
            if votes.participates[start, n]
        ]
        regime = (votes.regime[start] or None) if by_regime else None
        decision_id = composer.decide(ballot, regime=regime).decision_id if ballot else None
        previous_start = start
        current = composer.weights(regime, names=AGENT_NAMES)
        weights[start:end] = [current[name] for name in AGENT_NAMES]
    return weights


def size_by_regime(votes: Votes) -> Multipliers:
    """The size by an agent's last trades in the market condition of the signal's bar: one `RegimeLosses` each."""

    def multipliers(_: PriceBars, trades: Trades) -> FloatArray:
        losses = {name: RegimeLosses(_OutcomeLists()) for name in trades.agents}
        return _by_condition(
            votes,
            trades,
            trades.net,
            lambda agent, condition: losses[agent].size(SYMBOL, condition).factor,
            lambda agent, condition, net: losses[agent].remember(SYMBOL, condition, net),
        )

    return multipliers


def switch_by_regime(votes: Votes, min_trades: int = 30) -> Multipliers:
    """0 for all agents but the best one in the market condition: `RegimeSwitch`, fed net returns in units of ATR20."""

    def multipliers(_: PriceBars, trades: Trades) -> FloatArray:
        switch = RegimeSwitch(min_trades=min_trades)
        return _by_condition(votes, trades, trades.net_in_atr, switch.multiplier, switch.observe)

    return multipliers


def _by_condition(
    votes: Votes,
    trades: Trades,
    results: FloatArray,
    size: Callable[[str, str], float],
    observe: Callable[[str, str, float], object],
) -> FloatArray:
    """Return the size of each trade by agent and market condition; a result is observed when its trade has ended.

    Several agents learn from one another here, so that results are observed in the order of their exits.
    """
    open_trades: list[tuple[int, int]] = []
    exits, results_, numbers = trades.exit_bar.tolist(), results.tolist(), trades.agent.tolist()
    conditions = [votes.condition[bar] for bar in trades.signal_bar.tolist()]
    sizes = []
    for number, bar in enumerate(trades.signal_bar.tolist()):
        while open_trades and open_trades[0][0] <= bar:
            _, ended = heapq.heappop(open_trades)
            observe(trades.agents[numbers[ended]], conditions[ended], results_[ended])
        sizes.append(size(trades.agents[numbers[number]], conditions[number]))
        heapq.heappush(open_trades, (exits[number], number))
    return np.array(sizes)


def volume_by_regime(votes: Votes) -> Multipliers:
    """The factor of `VolumePatterns` on the trades of the Liquidity agent; 1 for the others. The bars have volume."""

    @lru_cache(maxsize=1)
    def factors(bars: PriceBars) -> FloatArray:
        assert bars.volume is not None  # noqa: S101  # the rule depends on it
        clock = BarClock()
        patterns = VolumePatterns(decaying_memory(clock))
        hours = (bars.time - bars.time.astype("datetime64[D]")) // np.timedelta64(1, "h")
        result = []
        columns = (bars.time.astype(np.int64), bars.volume, hours.astype(int))
        for regime, seconds, volume, hour in zip(votes.regime, *(one.tolist() for one in columns), strict=True):
            clock.now = seconds
            result.append(patterns.factor(SYMBOL, volume, regime, hour))
        return np.array(result)

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        is_liquidity = trades.agent == trades.agents.index("liquidity")
        return np.where(is_liquidity, factors(bars)[trades.signal_bar], 1.0)

    return multipliers


def loss_exposure(bars: PriceBars, trades: Trades) -> FloatArray:
    """Exposure after the portfolio's losses: a `LossMemory` that records each trade at its end."""
    return _exposure_after_losses(bars, trades, np.ones(len(trades)))


def combined(*rules: Multipliers) -> Multipliers:
    """The product of rules, volatility and retirement by both statistics; losses are those of the sizes traded."""

    def multipliers(bars: PriceBars, trades: Trades) -> FloatArray:
        health = AgentHealth()
        sizes = size_in_order(trades, trades.net_in_atr, health.multiplier, health.observe)
        for rule in (*rules, volatility_memory):
            sizes = sizes * rule(bars, trades)
        return sizes * _exposure_after_losses(bars, trades, sizes)

    return multipliers


def _exposure_after_losses(bars: PriceBars, trades: Trades, sizes: FloatArray) -> FloatArray:
    """Return the exposure at each trade's signal, after all trades of the portfolio that had ended by then."""
    clock = BarClock()
    memory = LossMemory(TradingMemoryStore(clock=clock))
    seconds = bars.time.astype(np.int64).tolist()
    returns = np.expm1(trades.net).tolist()
    exits = trades.exit_bar.tolist()
    open_trades: list[tuple[int, int, float]] = []
    exposures = []
    for number, bar in enumerate(trades.signal_bar.tolist()):
        while open_trades and open_trades[0][0] <= bar:
            exit_bar, ended, size = heapq.heappop(open_trades)
            clock.now = seconds[exit_bar]
            capital_fraction = (size or 1.0) / len(trades.agents)
            memory.record(capital_fraction * returns[ended], on_paper=size == 0)
        clock.now = seconds[bar]
        exposures.append(memory.exposure)
        heapq.heappush(open_trades, (exits[number], number, exposures[-1] * float(sizes[number])))
    return np.array(exposures)
