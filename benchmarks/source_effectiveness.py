"""Whether `get_source_effectiveness` orders sources as the truth does: `python -m benchmarks.source_effectiveness`.

The market hunter runs for 60 days, a cycle an hour, on sources whose probability of being right is set for each market.
Those that are right least often speak loudest, so that a selection of them always ends in a signal.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.storage.factory import in_memory_stores
from trading_agents import MemoryAwareMarketHunterAgent

AGENT = "market-hunter"
START = datetime(2026, 7, 1, tzinfo=UTC)
DAYS, CYCLES_PER_DAY, RECORDS = 60, 24, 100
_MAX_SOURCES = 2
_HOUR = timedelta(hours=1)

# The probability of being right in bullish and in bearish markets, which are equally frequent, best source first.
SOURCES: Mapping[str, tuple[float, float]] = {
    "whale_movements": (0.80, 0.60),
    "derivatives": (0.60, 0.68),
    "institutional": (0.62, 0.54),
    "onchain": (0.50, 0.54),
    "news": (0.40, 0.52),
    "sentiment": (0.45, 0.35),
}
TRUTH = list(SOURCES)


@dataclass(frozen=True, slots=True)
class Ordering:
    """The sources of one record, the best first, by outcomes and by the success of selections."""

    by_outcome: list[str]
    by_selection: list[str]


async def ordering(seed: int, days: int = DAYS) -> Ordering:
    """Run the hunter for some days and order its sources by what analytics say of them."""
    clock = FixedClock(int(START.timestamp() * 1_000))
    stores = in_memory_stores(clock)
    memory = MemoryManager(AGENT, stores=stores, clock=clock)
    logger = DecisionLogger(AGENT, memory_manager=memory, clock=clock)
    sources: Mapping[str, Any] = {name: _Source(name) for name in SOURCES}
    hunter = MemoryAwareMarketHunterAgent(AGENT, 0.05, memory, logger, sources=sources, exploration_rate=0.2, seed=seed)
    chance = np.random.default_rng(seed)
    price = 100.0
    for cycle in range(days * CYCLES_PER_DAY + 1):
        rises, is_bullish = map(bool, chance.integers(2, size=2))
        market = {
            "timestamp": START + cycle * _HOUR,
            "context": {"trend": "bullish" if is_bullish else "bearish"},
            "close": [price],
            "readings": readings(rises, is_bullish, chance),
        }
        await hunter.run_cycle_with_memory(market, _MAX_SOURCES)
        price *= 1.01 if rises else 0.99
        clock.advance(3_600_000)
    found = await MemoryAnalytics(logger, memory, clock=clock).get_source_effectiveness()
    selections = PerformanceCounts().add_rows(logger.log.performance())
    selections.by_source.clear()
    return Ordering([row["source"] for row in found], [row["source"] for row in selections.sources()])


def readings(rises: bool, is_bullish: bool, chance: np.random.Generator) -> dict[str, float]:
    """What each source says: right with its probability, and the louder the less often it is right."""
    said = {}
    for rank, (name, rates) in enumerate(SOURCES.items()):
        is_right = chance.random() < rates[0 if is_bullish else 1]
        loudness = min(1.0, chance.random() * (rank + 1) / 3 + 0.01)
        said[name] = loudness if rises == is_right else -loudness
    return said


class _Source:
    """A source that says what the market data has for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, market_data: Mapping[str, Any]) -> float:
        return float(market_data["readings"][self._name])


async def trial(records: int, days: int = DAYS) -> tuple[int, int]:
    """How many of some records are ordered as the truth, by outcomes and by selections."""
    found = [await ordering(seed, days) for seed in range(records)]
    return (
        sum(one.by_outcome == TRUTH for one in found),
        sum(one.by_selection == TRUTH for one in found),
    )


def main() -> None:
    """Run the trial at its full size, or with the number of records on the command line."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    by_outcome, by_selection = asyncio.run(trial(records))
    sys.stdout.write(
        f"{records} records of {DAYS} days, {CYCLES_PER_DAY} cycles a day: {by_outcome} ordered as the truth by what "
        f"sources said, {by_selection} by the success of selections\n"
    )


if __name__ == "__main__":
    main()
