"""The replay: day after day through the API, and a nightly job after each day that is over.

    day 1   decisions, outcomes │ day 2  decisions, outcomes │ late outcomes of day 1 │ day 3 …
                                └ job of day 1 ──────────────┘                        └ job of day 2 …

A nightly job reads only data from before its midnight, so the next day can be logged at the same time. Outcomes that
the next day adds to the day before wait until the job is over, so that it finds the same data however long it takes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from demo.cycles import Cycles
from demo.nightly_jobs import NightlyRun
from demo.plan import DayPlan
from demo.progress import ReplayProgress
from demo.sending import Memory, send_all


class JobRunner(Protocol):
    """Runs one nightly job to its end; `NightlyJobs` is one."""

    async def run(self, day: date) -> NightlyRun:
        """Run the nightly job of a UTC day."""
        ...


class ReplayListener(Protocol):
    """Is notified of the progress of a replay."""

    def on_day_logged(self, day: date, decisions: int, outcomes: int) -> None:
        """Handle that the decisions and outcomes of a day were sent."""
        ...

    def on_job_done(self, run: NightlyRun) -> None:
        """Handle that a nightly job is over."""
        ...


@dataclass(slots=True)
class ReplayResult:
    """What a run added: `decisions` and `outcomes` that were new, and nightly jobs that ran."""

    decisions: int = 0
    outcomes: int = 0
    jobs: int = 0


class Replay:
    """One run of the replay.

    Args:
        memory: where decisions and outcomes are sent.
        jobs: runs the nightly jobs.
        cycles: the decisions of the agent up to now.
        progress: of earlier runs.
        save: saves the progress; called after every day and at the end.
        listener: is notified of the progress.
    """

    def __init__(
        self,
        memory: Memory,
        jobs: JobRunner,
        cycles: Cycles,
        progress: ReplayProgress,
        *,
        save: Callable[[ReplayProgress], None],
        listener: ReplayListener,
    ) -> None:
        self._memory, self._jobs, self._cycles = memory, jobs, cycles
        self._progress, self._save, self._listener = progress, save, listener
        self._result = ReplayResult()
        self._job: asyncio.Task[NightlyRun] | None = None

    async def run(self, days: Iterable[DayPlan]) -> ReplayResult:
        """Do what remains, in order. If it is cancelled or fails, the next run continues after the last saved day."""
        async with self._cancelling_job():
            for plan in days:
                await self._log_day(plan)
                if plan.job:
                    self._job = asyncio.create_task(self._jobs.run(plan.day))
            await self._finish_job()
            await self._save_progress(self._progress)
        return self._result

    async def _log_day(self, plan: DayPlan) -> None:
        decisions = self._cycles.decisions(plan.decide)
        outcomes, late = self._cycles.outcomes(plan.resolve), self._cycles.outcomes(plan.late)
        self._result.decisions += await send_all(self._memory.log_decisions, decisions)
        self._result.outcomes += await send_all(self._memory.log_outcomes, outcomes)
        await self._finish_job()
        self._result.outcomes += await send_all(self._memory.log_outcomes, late)
        await self._save_progress(self._progress.after_cycles(plan.decide.stop))
        self._listener.on_day_logged(plan.day, len(decisions), len(outcomes) + len(late))

    async def _finish_job(self) -> None:
        if self._job is None:
            return
        run = await self._job
        self._job = None
        self._progress = self._progress.after_job(run.day)
        self._result.jobs += 1
        self._listener.on_job_done(run)

    async def _save_progress(self, progress: ReplayProgress) -> None:
        self._progress = progress
        await asyncio.to_thread(self._save, progress)

    @contextlib.asynccontextmanager
    async def _cancelling_job(self) -> AsyncIterator[None]:
        """Cancel the current job if the run ends early."""
        try:
            yield
        finally:
            if self._job is not None:
                self._job.cancel()
                await asyncio.gather(self._job, return_exceptions=True)
