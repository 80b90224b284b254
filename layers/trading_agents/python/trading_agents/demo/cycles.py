"""All decisions and outcomes of a replay, made by the market hunter on historical bars."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self, cast

from agent_memory import DecisionLogger, Experiment
from trading_agents import BAR_SOURCES, WARM_UP_BARS, BarMarkets, Bars, MemoryAwareMarketHunterAgent
from trading_agents.demo.day_estimates import DayEstimates
from trading_agents.demo.recording import Record, Recorder

AGENT_ID = "market-hunter"
LEARNING_RATE, EXPLORATION_RATE, SEED = 0.02, 0.1, 7

EXPERIMENT = Experiment("memory", share=0.1)
"""Withholds the advice from a tenth of the cycles."""

_HOUR = timedelta(hours=1)
_MAX_SOURCES = 3


class Cycles:
    """The decisions and outcomes of the hunter, by cycle.

    The hunter learns, so it is always simulated from its first cycle on; the same bars, start and advice give the same
    decisions with the same ids. That takes seconds for four months, and makes it unnecessary to store its state. What
    it logs is recorded and sent later in batches.

    Args:
        bars: of the market; the first cycle is on the bar after the warm-up.
        started_at: the hour of the first cycle.
        adviser: advises the hunter; it has no memory otherwise.
    """

    agent_id = AGENT_ID

    def __init__(self, bars: Bars, started_at: datetime, adviser: DayEstimates | None = None) -> None:
        self.started_at = started_at
        self._markets, self._adviser = BarMarkets(bars), adviser
        self._recorder = Recorder(AGENT_ID)
        self._hunter = MemoryAwareMarketHunterAgent(
            AGENT_ID,
            LEARNING_RATE,
            decision_logger=cast("DecisionLogger", self._recorder),
            sources=BAR_SOURCES,
            adviser=adviser,
            experiment=None if adviser is None else EXPERIMENT,
            exploration_rate=EXPLORATION_RATE,
            seed=SEED,
            timer=None,  # the replay's own speed says nothing about the hunter
        )

    @classmethod
    async def simulated(cls, bars: Bars, started_at: datetime, count: int) -> Self:
        """Simulate `count` cycles without advice."""
        cycles = cls(bars, started_at)
        await cycles.simulate_until(count)
        return cycles

    @property
    def state(self) -> Record:
        """The state of the hunter after the last cycle."""
        return self._hunter.to_state()

    async def simulate_until(self, count: int) -> None:
        """Simulate on until there are `count` cycles, each with the advice of its day; later bars are not used.

        Raises:
            Unavailable: the table with the advice did not respond.
        """
        for cycle in range(len(self), count):
            if self._adviser is not None:
                await self._adviser.begin(self.at(cycle))
            self._recorder.begin_cycle()
            await self._hunter.run_cycle_with_memory(
                self._markets.at(WARM_UP_BARS + cycle, self.at(cycle)), _MAX_SOURCES
            )
            if self._adviser is not None and cycle:
                self._adviser.judged(self._recorder.judged_signals(cycle - 1))

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
