"""What the five agents with memory say at every bar of a file, with what they remember of the market and without.

The direction of a vote rests on the bar's features alone, so all arms trade the same signals; memory changes the
confidence. Outcomes of trades are not known here: `agent_memories` tells them, trade by trade.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_agents.agents import (
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    MarkovAgentWithMemory,
    MemoryAwareAgent,
    SentimentAgentWithMemory,
    Unchanged,
    WyckoffAgentWithMemory,
)
from trading_agents.backtest.engine.signal_agents import Agent, SignalArray
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray
from trading_agents.indicators import FeatureTable
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.portfolio.composer import DIRECTIONS

SYMBOL = "BARS"
HALF_LIFE_DAYS = 30
_DAY_SECONDS = 86_400
_CLEANUP_BARS = 10_000
_FOR_GOOD = dict.fromkeys(("outcome", "setup_outcome"), 1000000000000.0)

READERS: dict[str, type[MemoryAwareAgent]] = {
    "hedge": HedgeAgentWithMemory,
    "liquidity": LiquidityAgentWithMemory,
    "sentiment": SentimentAgentWithMemory,
    "wyckoff": WyckoffAgentWithMemory,
    "markov": MarkovAgentWithMemory,
}
"""Each agent by the group of features that it reads. Without its group it abstains."""

NAMES = tuple(READERS)


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Votes of all agents; columns have the shape (bars, agents) unless said.

    Attributes:
        signal: +1 long, -1 short, 0 neutral.
        confidence: with what the agent remembers of the market, before any outcome, 0 to 1.
        plain: by an agent that remembers nothing, 0 to 1.
        takes_part: whether the features that the agent reads were there; else it abstained.
        setup: what it saw that outcomes are remembered by; a list of texts for each agent, shape (agents, bars).
        regime: name of the market's regime at each bar, empty where it is not known yet; shape (bars,).
    """

    signal: SignalArray
    confidence: FloatArray
    plain: FloatArray
    takes_part: BoolArray
    setup: tuple[list[str], ...]
    regime: list[str]

    def traders(self) -> tuple[Agent, ...]:
        """The agents as the trading engine takes them: the signals of their votes, with its usual exits."""
        return tuple(Agent(name, _column(self.signal, number)) for number, name in enumerate(NAMES))


class BarClock:
    """A clock that stands at a bar: seconds since the epoch."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def fading_memory(clock: Callable[[], float]) -> TradingMemoryStore:
    """What is seen of the market fades in 30 days; what came of trades is kept for good."""
    return TradingMemoryStore(HALF_LIFE_DAYS * _DAY_SECONDS, half_lives=_FOR_GOOD, clock=clock)


class _NoMemory(TradingMemoryStore):
    """A memory that keeps nothing."""

    def append(self, item: TradingMemoryItem) -> None:
        """Forget it."""


def make_agents(memory: Callable[[], TradingMemoryStore], **settings: Any) -> list[MemoryAwareAgent]:
    """All agents, each with a memory of its own."""
    return [reader(name, memory(), **settings) for name, reader in READERS.items()]


def vote(bars: PriceBars, table: FeatureTable) -> Votes:
    """Let every agent perceive and act at every bar, with its memory, and with one that keeps nothing."""
    shape = (len(bars), len(NAMES))
    signal, confidence, plain = np.zeros(shape, dtype=np.int8), np.zeros(shape), np.ones(shape)
    takes_part = np.zeros(shape, dtype=np.bool_)
    setups: tuple[list[str], ...] = tuple([] for _ in NAMES)
    regimes = []
    clock = BarClock()
    remembering = make_agents(lambda: fading_memory(clock), confidence_rule=Unchanged())
    forgetting = make_agents(_NoMemory, confidence_rule=Unchanged())
    for t, seconds in enumerate(bars.time.astype(np.int64).tolist()):
        clock.now = seconds
        features = table.features_at(t)
        regimes.append(str(features.get("markov", {}).get("regime", "")))
        for number, (agent, forgetful) in enumerate(zip(remembering, forgetting, strict=True)):
            setups[number].append("")
            if agent.name not in features:
                continue
            takes_part[t, number] = True
            agent.perceive(SYMBOL, seconds, features)
            told, confidence[t, number], _ = agent.act_with_memory(SYMBOL, seconds, features)
            signal[t, number] = DIRECTIONS[told]
            setups[number][t] = agent.setup(SYMBOL)
            plain[t, number] = forgetful.act_with_memory(SYMBOL, seconds, features)[1]
            if t % _CLEANUP_BARS == 0:
                agent.memory.cleanup()
    return Votes(signal, confidence, plain, takes_part, setups, regimes)


def _column(signal: SignalArray, number: int) -> Callable[[PriceBars], NDArray[np.int8]]:
    return lambda bars: signal[: len(bars), number]
