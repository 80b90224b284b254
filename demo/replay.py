"""The replay: day after day through the API, and a night after each day that is over.

    day 1   decisions, outcomes │ day 2  decisions, outcomes │ late outcomes of day 1 │ day 3 …
                                └ night 1 ───────────────────┘                        └ night 2 …

A night reads only what lies before its midnight, so that the next day's logging may run beside it. What the
next day tells of the day before waits until the night is over: a night finds the same data however fast it runs.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from demo.cycles import Cycles
from demo.nights import Night
from demo.plan import DayPlan
from demo.progress import ReplayProgress
from demo.sending import Memory, send_all


class NightRunner(Protocol):
    """Runs one night to its end; `Nights` is one."""

    async def run(self, day: date) -> Night:
        """Run the night of a UTC day."""
        ...


class Watcher(Protocol):
    """Is told how the replay goes."""

    def logged(self, day: date, decisions: int, outcomes: int) -> None:
        """So many decisions and outcomes of a day were sent."""
        ...

    def slept(self, night: Night) -> None:
        """A night is over."""
        ...


@dataclass(slots=True)
class ReplayResult:
    """What a run added. `decisions` and `outcomes` count what was new; what was stored already is left out."""

    decisions: int = 0
    outcomes: int = 0
    nights: int = 0


class Replay:
    """One run of the replay.

    Args:
        memory: where decisions and outcomes go.
        nights: what runs the nights.
        cycles: what the agent decided, up to now.
        progress: where earlier runs stopped.
        save: keeps the progress; called after every day and after every night that ends the run.
        watcher: is told what happens.
    """

    def __init__(
        self,
        memory: Memory,
        nights: NightRunner,
        cycles: Cycles,
        progress: ReplayProgress,
        *,
        save: Callable[[ReplayProgress], None],
        watcher: Watcher,
    ) -> None:
        self._memory = memory
        self._nights = nights
        self._cycles = cycles
        self._progress = progress
        self._save = save
        self._watcher = watcher
        self._result = ReplayResult()
        self._night: asyncio.Task[Night] | None = None

    async def run(self, days: Iterable[DayPlan]) -> ReplayResult:
        """Do what is left to do, in order. Cancelled or failed, the next run goes on from the last saved day."""
        async with self._ending_night():
            for plan in days:
                await self._log_day(plan)
                if plan.night:
                    self._night = asyncio.create_task(self._nights.run(plan.day))
            await self._end_of_night()
            await self._keep(self._progress)
        return self._result

    async def _log_day(self, plan: DayPlan) -> None:
        decisions = self._cycles.decisions(plan.decide)
        outcomes, late = self._cycles.outcomes(plan.resolve), self._cycles.outcomes(plan.late)
        self._result.decisions += await send_all(self._memory.log_decisions, decisions)
        self._result.outcomes += await send_all(self._memory.log_outcomes, outcomes)
        await self._end_of_night()
        self._result.outcomes += await send_all(self._memory.log_outcomes, late)
        await self._keep(self._progress.after_cycles(plan.decide.stop))
        self._watcher.logged(plan.day, len(decisions), len(outcomes) + len(late))

    async def _end_of_night(self) -> None:
        if self._night is None:
            return
        night = await self._night
        self._night = None
        self._progress = self._progress.after_night(night.day)
        self._result.nights += 1
        self._watcher.slept(night)

    async def _keep(self, progress: ReplayProgress) -> None:
        self._progress = progress
        await asyncio.to_thread(self._save, progress)

    @contextlib.asynccontextmanager
    async def _ending_night(self) -> AsyncIterator[None]:
        """Leave no task behind when the run ends early."""
        try:
            yield
        finally:
            if self._night is not None:
                self._night.cancel()
                await asyncio.gather(self._night, return_exceptions=True)
