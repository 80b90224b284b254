"""The replay: day after day through the API, and a nightly job after each day that is over.

    day 1   decisions, outcomes │ job of day 1 learns │ day 2   decisions, outcomes, late outcomes of day 1 │ …
                                                      │ job of day 1 archives and reports                   │

The hunter decides with what the job of the day before has learned. So a day is simulated once that job has learned, and
outcomes that it adds to the day before are logged after that: learning finds the same data however long it takes. What
else the job has to do, it does meanwhile; the next one begins when it is over.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from agent_memory.reporting.formatting import plural
from trading_agents.demo.cycles import Cycles
from trading_agents.demo.plan import DayPlan
from trading_agents.demo.progress import ReplayProgress
from trading_agents.demo.sending import Memory, send_all


@dataclass(frozen=True, slots=True)
class NightlyRun:
    """The result of one nightly job: the number of active patterns after it, and its duration."""

    day: date
    active_patterns: int
    seconds: float


class JobRunner(Protocol):
    """Runs one nightly job after the other; `NightlyJobs` is one."""

    async def learn(self, day: date) -> "asyncio.Task[NightlyRun]":
        """Run the nightly job of a UTC day until the agent has learned from it.

        The task does what remains of the job. If it is cancelled, the job is stopped.
        """
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

    def summary(self) -> str:
        """`New: 351 decisions, 345 outcomes, 1 nightly job`, or that there is nothing new."""
        if not (self.decisions or self.outcomes or self.jobs):
            return "Nothing new since the last run"
        decisions, outcomes = plural(self.decisions, "decision"), plural(self.outcomes, "outcome")
        return f"New: {decisions}, {outcomes}, {plural(self.jobs, 'nightly job')}"


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
        try:
            for plan in days:
                await self._log_day(plan)
                await self._end_job()
                await self._save_progress(self._progress.after_cycles(plan.decide.stop))
                if plan.job:
                    self._job = await self._jobs.learn(plan.day)
            await self._end_job()
        finally:
            await self._stop_job()
        await self._save_progress(self._progress)
        return self._result

    async def _log_day(self, plan: DayPlan) -> None:
        await self._cycles.simulate_until(plan.decide.stop)
        decisions = self._cycles.decisions(plan.decide)
        outcomes, late = self._cycles.outcomes(plan.resolve), self._cycles.outcomes(plan.late)
        self._result.decisions += await send_all(self._memory.log_decisions, decisions)
        self._result.outcomes += await send_all(self._memory.log_outcomes, outcomes)
        self._result.outcomes += await send_all(self._memory.log_outcomes, late)
        self._listener.on_day_logged(plan.day, len(decisions), len(outcomes) + len(late))

    async def _end_job(self) -> None:
        """Wait for the end of the job that is under way."""
        if self._job is None:
            return
        run = await self._job
        self._job = None
        self._progress = self._progress.after_job(run.day)
        self._result.jobs += 1
        self._listener.on_job_done(run)

    async def _stop_job(self) -> None:
        """Stop the job that is still under way because something failed, which is the error that counts."""
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)
            self._job = None

    async def _save_progress(self, progress: ReplayProgress) -> None:
        self._progress = progress
        await asyncio.to_thread(self._save, progress)
