"""All decisions and outcomes of a replay, made by the market hunter on historical bars."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self, cast

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores
from demo.recording import Record, Recorder
from trading_agents import BAR_SOURCES, WARM_UP_BARS, BarMarkets, Bars, MemoryAwareMarketHunterAgent

AGENT_ID = "market-hunter"
LEARNING_RATE, EXPLORATION_RATE, SEED = 0.02, 0.1, 7

_HOUR = timedelta(hours=1)
_MAX_SOURCES = 3


class Cycles:
    """The decisions and outcomes of the hunter, by cycle.

    The hunter learns, so it is always simulated from its first cycle on; the same bars and the same start give the same
    decisions with the same ids. That takes seconds for four months, and makes it unnecessary to store its state. Its
    short-term memory is in this process, and what it logs is recorded and sent later in batches.

    Use `simulated` to create one.
    """

    agent_id = AGENT_ID

    def __init__(self, started_at: datetime) -> None:
        self.started_at = started_at
        self._recorder = Recorder(AGENT_ID)

    @classmethod
    async def simulated(cls, bars: Bars, started_at: datetime, count: int) -> Self:
        """Simulate `count` cycles on the bars after the warm-up; later bars are not used.

        `started_at` is the hour of the first cycle.
        """
        cycles = cls(started_at)
        await cycles._simulate(BarMarkets(bars), count)
        return cycles

    def __len__(self) -> int:
        return len(self._recorder.decisions)

    def at(self, cycle: int) -> datetime:
        """Return the time of a cycle."""
        return self.started_at + cycle * _HOUR

    def decisions(self, cycles: Iterable[int]) -> list[Record]:
        """Return the decisions of some cycles, in order."""
        return [decision for cycle in cycles for decision in self._recorder.decisions[cycle]]

    def outcomes(self, cycles: Iterable[int]) -> list[Record]:
        """Return the outcomes of the decisions of some cycles; each becomes known in the following cycle."""
        return [outcome for cycle in cycles for outcome in self._recorder.outcomes[cycle]]

    async def _simulate(self, markets: BarMarkets, count: int) -> None:
        clock = FixedClock(int(self.started_at.timestamp() * 1_000))
        memory = MemoryManager(AGENT_ID, stores=in_memory_stores(clock), clock=clock)
        hunter = MemoryAwareMarketHunterAgent(
            AGENT_ID,
            LEARNING_RATE,
            memory,
            cast("DecisionLogger", self._recorder),
            sources=BAR_SOURCES,
            exploration_rate=EXPLORATION_RATE,
            seed=SEED,
        )
        for cycle in range(count):
            self._recorder.begin_cycle()
            await hunter.run_cycle_with_memory(markets.at(WARM_UP_BARS + cycle, self.at(cycle)), _MAX_SOURCES)
            clock.advance(3_600_000)
