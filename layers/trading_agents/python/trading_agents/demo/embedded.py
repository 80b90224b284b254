"""The demo on one SQLite file: replay, nightly jobs and report in this process, without a network."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from agent_memory import DecisionLogger, MemoryManager, Stores, connect
from agent_memory.nightly.run import run_nightly_job
from trading_agents import Bars
from trading_agents.demo import DEFAULT_FILE_DAYS, plan
from trading_agents.demo.bars import BarsOptions, bars_to_replay
from trading_agents.demo.cycles import AGENT_ID, Cycles
from trading_agents.demo.day_estimates import DayEstimates
from trading_agents.demo.errors import CannotContinueError, DemoError
from trading_agents.demo.performance import check_writable, performance_report, write_html
from trading_agents.demo.progress import ProgressStore
from trading_agents.demo.replay import NightlyRun, Replay, ReplayResult
from trading_agents.demo.sending import Memory
from trading_agents.demo.short_term import remember
from trading_agents.demo.tables import report_tables
from trading_agents.demo.terminal import ReplayDisplay, Terminal

_NO_COST = {"lines": [], "total_usd": 0.0}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command; `days` is None if they were not given."""

    file: Path
    output: Path
    days: int | None = None
    bars: BarsOptions = field(default_factory=BarsOptions)


class FileMemory:
    """`sending.Memory` on the stores of a file."""

    def __init__(self, stores: Stores) -> None:
        memory = MemoryManager(AGENT_ID, stores=stores)
        self.write_cycle = memory.write_cycle
        logger = DecisionLogger(AGENT_ID, memory_manager=memory)
        self.log_decisions = logger.log_decisions
        self.log_outcomes = logger.log_outcomes


class NightlyJobsInProcess:
    """`replay.JobRunner` that runs the steps of the job in a thread."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def learn(self, day: date) -> "asyncio.Task[NightlyRun]":
        """Run the nightly job of a UTC day, of which nothing remains then: this process has one thing to do."""
        job = asyncio.create_task(self._run(day))
        await job
        return job

    async def _run(self, day: date) -> NightlyRun:
        started = time.monotonic()
        figures: dict[str, Any] = await asyncio.to_thread(run_nightly_job, AGENT_ID, day, self._stores)
        return NightlyRun(day, figures["consolidation"]["active"], time.monotonic() - started)


def run_demo(options: Options, terminal: Terminal) -> dict[str, Any]:
    """Replay into the file, and report what was learned; a second run continues where the last one stopped.

    Returns:
        The report.

    Raises:
        DemoError, AgentMemoryError: it cannot continue; says why in one line.
    """
    check_writable(options.output)
    bars, summary = bars_to_replay(options.bars)
    if summary:
        terminal.step(summary)
    url = f"sqlite:///{quote(str(options.file))}"
    stores = cast("Stores", connect(url))
    try:
        asyncio.run(_replay(stores, bars, options.days, terminal))
    except CannotContinueError as error:
        raise DemoError(f"{error}: replay into another file with --file OTHER, or delete {options.file}") from error
    with terminal.phase("Report"):
        report = performance_report(stores, AGENT_ID)
        write_html({**report, "cost": _NO_COST}, options.output)
    terminal.console.print()
    terminal.console.print(report_tables(report))
    terminal.step(f"The report with its plots: {options.output}")
    terminal.step(f"The decisions: agent-memory decisions list --agent {AGENT_ID} --store {url}")
    terminal.times()
    return report


async def _replay(stores: Stores, bars: Bars, days: int | None, terminal: Terminal) -> None:
    now = datetime.now(UTC)
    store = ProgressStore(stores.states, AGENT_ID, lambda: datetime.now(UTC))
    memory: Memory = FileMemory(stores)
    result = ReplayResult()
    with terminal.phase("Replay"):
        earlier = store.load()
        progress = earlier or plan.begin(bars, days or DEFAULT_FILE_DAYS, now)
        if earlier is not None and days not in {None, earlier.days}:
            terminal.note(f"Continuing the replay of {earlier.days} days, so --days {days} has no effect")
        count = plan.cycles_until(progress, bars, now)
        cycles = Cycles(bars, progress.started_at, DayEstimates(MemoryManager(AGENT_ID, stores=stores)))
        remaining = list(plan.days_to_do(progress, count, now))
        if remaining:
            with ReplayDisplay(terminal.console, len(remaining)) as display:
                jobs = NightlyJobsInProcess(stores)
                replay = Replay(memory, jobs, cycles, progress, save=store.save, listener=display)
                result = await replay.run(remaining)
        await cycles.simulate_until(count)
        await remember(memory, cycles, now)
    terminal.step(result.summary())
