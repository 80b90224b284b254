"""Fakes of the deployed system: the real library on stores in memory, and nightly jobs that take notes."""

import asyncio
from datetime import UTC, datetime

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores
from demo.nightly_jobs import NightlyRun
from trading_agents import Bars
from trading_agents.demo.bars import sample_bars
from trading_agents.demo.cycles import AGENT_ID


class FakeMemory:
    """A client without HTTP. `fails_at` names the requests, counted from 1, that are interrupted on their way back."""

    def __init__(self):
        self.clock = FixedClock(0)
        self.stores = in_memory_stores(self.clock)
        self.manager = MemoryManager(AGENT_ID, stores=self.stores, clock=self.clock)
        self.logger = DecisionLogger(AGENT_ID, memory_manager=self.manager, clock=self.clock)
        self.requests = 0
        self.fails_at = set()
        self.sizes = []

    def set_time(self, now: datetime):
        self.clock.advance(int(now.timestamp() * 1000) - self.clock.now_ms())

    async def log_decisions(self, decisions):
        return await self._logged(self.logger.log_decisions, decisions)

    async def log_outcomes(self, outcomes):
        return await self._logged(self.logger.log_outcomes, outcomes)

    async def write_cycle(self, **entries):
        return await self.manager.write_cycle(**entries)

    async def _logged(self, log, records):
        self.requests += 1
        self.sizes.append(len(records))
        results = await log(records)
        if self.requests in self.fails_at:
            raise asyncio.CancelledError
        return results

    def decisions(self):
        """All stored decisions, oldest first."""
        stored = self.logger.log.stream(_everything(), newest_first=False)
        return [decision.as_dict() for decision in stored]


class FakeJobs:
    """Notes what is stored when each job begins and when it has learned.

    Args:
        memory: what is stored.
        seconds: of learning, and of what remains of a job then.
        fails_on: the days whose job fails.
        fails_late: whether these have learned before.
    """

    def __init__(self, memory, seconds=0.002, fails_on=(), *, fails_late=False):
        self.memory, self.seconds, self.fails_on, self.fails_late = memory, seconds, set(fails_on), fails_late
        self.days, self.running, self.seen = [], 0, {}

    async def learn(self, day):
        self.running += 1
        assert self.running == 1, "jobs overlap"
        before = self._until_midnight(day)
        try:
            await asyncio.sleep(self.seconds)
            self._check(day, not self.fails_late)
        except BaseException:
            self.running -= 1
            raise
        self.seen[day] = (before, self._until_midnight(day))
        return asyncio.create_task(self._end(day))

    async def _end(self, day):
        try:
            await asyncio.sleep(self.seconds)
            self._check(day, self.fails_late)
        finally:
            self.running -= 1
        self.days.append(day)
        return NightlyRun(day, len(self.days), 2 * self.seconds)

    def _check(self, day, now):
        if now and day in self.fails_on:
            raise FakeJobError(day)

    def _until_midnight(self, day):
        rows = [d for d in self.memory.decisions() if d["timestamp"][:10] <= day.isoformat()]
        return len(rows), sum(d["success"] is not None for d in rows)


class FakeJobError(Exception):
    """The job failed."""


class RecordingListener:
    """Records the notifications of a replay."""

    def __init__(self):
        self.days, self.jobs = [], []

    def on_day_logged(self, day, decisions, outcomes):
        self.days.append((day, decisions, outcomes))

    def on_job_done(self, run):
        self.jobs.append(run.day)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _everything():
    from agent_memory.decisions.queries import DecisionFilter

    return DecisionFilter()


def first_bars(count):
    """The first bars of the sample."""
    bars = sample_bars()
    columns = {name: getattr(bars, name)[:count] for name in ("open", "high", "low", "close", "volume")}
    return Bars(bars.symbols, bars.labels[:count], **columns)
