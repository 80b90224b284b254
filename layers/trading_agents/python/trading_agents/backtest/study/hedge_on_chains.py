"""The Hedge agent on option chains alone, with and without memory, by the prices that the chains themselves state.

A vote at one chain is judged by the underlying's log return until the next one, up to four days later; costs are left
out. This needs no bars, and so also measures chains of symbols for which there are none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading_agents.agents import HedgeAgentWithMemory
from trading_agents.backtest.study.inference import Interval, mean_interval
from trading_agents.core.arrays import FloatArray
from trading_agents.indicators.dealer_positions import chain_readings
from trading_agents.indicators.option_chain import OptionChain
from trading_agents.memory import TradingMemoryStore
from trading_agents.portfolio.composer import DIRECTIONS

MIN_VOTES = 100
_INTERVAL_FROM = 10
_LONGEST_GAP = np.timedelta64(4, "D")
_SPLIT_FROM = math.log(1.4)
_DAY_SECONDS = 86_400
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class HedgeResult:
    """What the Hedge agent made of the chains of one underlying.

    Attributes:
        name: of the file and the underlying.
        chains: number of chains.
        read: number of chains with open interest and volume.
        long: votes for a rise that were judged.
        short: votes for a fall that were judged.
        cautious: of these, how many had less confidence because the setup was seen three times in a week.
        changed: of these, how many had another confidence than without memory.
        votes_without_relative: how many chains would be voted on by the fractions themselves, not relative to what is
            usual.
        without_memory: mean log return per vote in its direction; NaN without votes.
        with_memory: the same, weighted by the confidence with memory over that without.
        interval: 95% interval of the difference; None with fewer than ten votes.
    """

    name: str
    chains: int
    read: int
    long: int
    short: int
    cautious: int
    changed: int
    votes_without_relative: int
    without_memory: float
    with_memory: float
    interval: Interval | None

    @property
    def votes(self) -> int:
        """Number of judged votes."""
        return self.long + self.short

    @property
    def is_conclusive(self) -> bool:
        """Whether there are enough votes to say anything."""
        return self.votes >= MIN_VOTES


@dataclass(slots=True)
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def hedge_on_chains(name: str, chains: Sequence[OptionChain]) -> HedgeResult:
    """Let the Hedge agent vote at every chain, once with its memory and once without, and judge the votes."""
    readings = chain_readings(chains)
    clock = _Clock()
    agent = HedgeAgentWithMemory("hedge", TradingMemoryStore(30 * _DAY_SECONDS, clock=clock))
    results, factors, directions, cautious = [], [], [], 0
    for number, (chain, group) in enumerate(zip(chains, readings, strict=True)):
        if not group:
            continue
        clock.now = float(chain.time.astype("datetime64[s]").astype(np.int64))
        features = {"hedge": group}
        # A new agent remembers nothing: this is the same vote without memory.
        signal, alone, _ = HedgeAgentWithMemory("hedge", TradingMemoryStore(clock=clock)).act_with_memory(
            name, clock.now, features
        )
        times_seen = agent.times_seen(name, signal)
        agent.perceive(name, clock.now, features)
        _, confidence, _ = agent.act_with_memory(name, clock.now, features)
        change = _return_until_next(chains, number)
        if not DIRECTIONS[signal] or change is None:
            continue
        directions.append(DIRECTIONS[signal])
        results.append(DIRECTIONS[signal] * change)
        factors.append(confidence / alone)
        cautious += times_seen >= HedgeAgentWithMemory.OFTEN
        agent.remember_outcome(name, str(number), _PERCENT * results[-1], chain.spot, chain.spot * math.exp(change))
    result, size = np.array(results), np.array(factors)
    without, with_memory = _means(result, size)
    return HedgeResult(
        name=name,
        chains=len(chains),
        read=sum(map(bool, readings)),
        long=directions.count(1),
        short=directions.count(-1),
        cautious=cautious,
        changed=int((size != 1).sum()),
        votes_without_relative=_votes_by_fractions(readings),
        without_memory=without,
        with_memory=with_memory,
        interval=mean_interval(result * (size / size.mean() - 1)) if len(result) >= _INTERVAL_FROM else None,
    )


def _return_until_next(chains: Sequence[OptionChain], number: int) -> float | None:
    """Return the underlying's log return until the next chain; None if that is far away, or a split lies between."""
    if number + 1 == len(chains) or chains[number + 1].time - chains[number].time > _LONGEST_GAP:
        return None
    change = math.log(chains[number + 1].spot / chains[number].spot)
    return change if abs(change) < _SPLIT_FROM else None


def _means(results: FloatArray, sizes: FloatArray) -> tuple[float, float]:
    if not len(results):
        return float("nan"), float("nan")
    return float(results.mean()), float((sizes * results).sum() / sizes.sum())


def _votes_by_fractions(readings: Sequence[dict[str, float]]) -> int:
    """Return at how many chains the agent would vote by its fractions alone."""
    agent = HedgeAgentWithMemory("hedge", TradingMemoryStore(clock=lambda: 0.0))
    count = 0
    for group in filter(None, readings):
        plain = {key: value for key, value in group.items() if not key.endswith("_relative")}
        signal, _, _ = agent.act_with_memory("", 0, {"hedge": plain})
        count += signal != "neutral"
    return count
