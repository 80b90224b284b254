"""Votes of the five agents with memory at every bar, with what they remember of the market and without memory.

The direction of a vote depends on the bar's features alone, so all arms trade the same signals; memory changes the
confidence. Outcomes of trades are not used here: `voting_agent_rules` feeds them to the agents trade by trade.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_agents.agents import AGENT_TYPES, MemoryAwareAgent, Unchanged
from trading_agents.backtest.engine.signal_agents import SignalAgent, SignalArray
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray
from trading_agents.indicators import FeatureTable, market_condition
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.portfolio.composer import DIRECTIONS

SYMBOL = "BARS"
HALF_LIFE_DAYS = 30
_DAY_SECONDS = 86_400
_CLEANUP_BARS = 10_000
_OUTCOME_HALF_LIVES = dict.fromkeys(("outcome", "setup_outcome"), 1e12)

AGENT_NAMES = tuple(AGENT_TYPES)
"""An agent is named after the group of features that it reads; without that group it abstains."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Votes of all agents; arrays have the shape (bars, agents) unless stated otherwise.

    Attributes:
        signal: +1 long, -1 short, 0 neutral.
        confidence: with what the agent remembers of the market, before any outcome, 0 to 1.
        confidence_without_memory: of the same agent without memory, 0 to 1.
        participates: whether the features that the agent reads were available; if not, it abstained.
        setup: by which outcomes are remembered; a list of texts for each agent, shape (agents, bars).
        regime: name of the market regime at each bar, empty while it is unknown; shape (bars,).
        condition: volatile, trending or ranging at each bar, empty while it is unknown; shape (bars,).
    """

    signal: SignalArray
    confidence: FloatArray
    confidence_without_memory: FloatArray
    participates: BoolArray
    setup: tuple[list[str], ...]
    regime: list[str]
    condition: list[str]

    def signal_agents(self) -> tuple[SignalAgent, ...]:
        """Return the agents as the trading engine expects them: the signals of their votes, with the default exits."""
        return tuple(SignalAgent(name, _signal_of(self.signal, number)) for number, name in enumerate(AGENT_NAMES))


class BarClock:
    """A clock that shows the time of a bar, in seconds since the epoch."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def decaying_memory(clock: Callable[[], float]) -> TradingMemoryStore:
    """Return a memory in which market observations have a half-life of 30 days and outcomes practically never decay."""
    return TradingMemoryStore(HALF_LIFE_DAYS * _DAY_SECONDS, half_lives=_OUTCOME_HALF_LIVES, clock=clock)


class _EmptyMemory(TradingMemoryStore):
    """A memory that stores nothing."""

    def append(self, item: TradingMemoryItem) -> None:
        """Discard the item."""


def make_agents(memory: Callable[[], TradingMemoryStore], **settings: Any) -> list[MemoryAwareAgent]:
    """Return the five agents, each with a memory of its own."""
    return [agent_type(name, memory(), **settings) for name, agent_type in AGENT_TYPES.items()]


def collect_votes(bars: PriceBars, table: FeatureTable) -> Votes:
    """Let every agent perceive and vote at every bar, once with its memory and once without."""
    shape = (len(bars), len(AGENT_NAMES))
    signal, confidence, without_memory = np.zeros(shape, dtype=np.int8), np.zeros(shape), np.ones(shape)
    participates = np.zeros(shape, dtype=np.bool_)
    setups: tuple[list[str], ...] = tuple([] for _ in AGENT_NAMES)
    regimes: list[str] = []
    conditions: list[str] = []
    clock = BarClock()
    # The limit on all memories together is applied with the outcomes, in `own_memory`.
    remembering = make_agents(lambda: decaying_memory(clock), confidence_rule=Unchanged(), max_adjustment=1.0)
    forgetting = make_agents(_EmptyMemory, confidence_rule=Unchanged())
    for t, seconds in enumerate(bars.time.astype(np.int64).tolist()):
        clock.now = seconds
        features = table.features_at(t)
        regimes.append(str(features.get("markov", {}).get("regime", "")))
        conditions.append(market_condition(features) or "")
        for number, (agent, forgetful) in enumerate(zip(remembering, forgetting, strict=True)):
            setups[number].append("")
            if agent.name not in features:
                continue
            participates[t, number] = True
            agent.perceive(SYMBOL, seconds, features)
            vote, confidence[t, number], _ = agent.act_with_memory(SYMBOL, seconds, features)
            signal[t, number] = DIRECTIONS[vote]
            setups[number][t] = agent.setup(SYMBOL)
            without_memory[t, number] = forgetful.act_with_memory(SYMBOL, seconds, features)[1]
            if t % _CLEANUP_BARS == 0:
                agent.memory.cleanup()
    return Votes(signal, confidence, without_memory, participates, setups, regimes, conditions)


def _signal_of(signal: SignalArray, number: int) -> Callable[[PriceBars], NDArray[np.int8]]:
    return lambda bars: signal[: len(bars), number]
