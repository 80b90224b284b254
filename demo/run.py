"""The demo from start to end: deploy, replay, report."""

import asyncio
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent_memory import AgentMemoryClient
from agent_memory.ports.stores import Stores
from agent_memory.reporting.cost import cost_of_a_month
from demo.nightly_jobs import NightlyJobs
from local import LocalCloud
from local.layout import Layout
from local.stores import stores_of
from trading_agents import Bars
from trading_agents.demo import DEFAULT_DAYS, plan
from trading_agents.demo.bars import BarsOptions, bars_to_replay
from trading_agents.demo.cycles import AGENT_ID, Cycles
from trading_agents.demo.day_estimates import DayEstimates, EstimatesCopy
from trading_agents.demo.errors import CannotContinueError, DemoError
from trading_agents.demo.performance import check_writable, performance_report, write_html
from trading_agents.demo.progress import ProgressCopy, ProgressStore, ReplayProgress, hour_text
from trading_agents.demo.replay import Replay, ReplayResult
from trading_agents.demo.short_term import remember
from trading_agents.demo.tables import report_tables
from trading_agents.demo.terminal import ReplayDisplay, Terminal


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command; `days` is None if they were not given."""

    days: int | None
    bars: BarsOptions
    keep: bool
    output: Path
    state: Path | None


def run_demo(options: Options, terminal: Terminal) -> None:
    """Run the demo.

    Raises:
        DemoError, LocalCloudError, AgentMemoryError: it cannot continue; says why in one line.
    """
    try:
        _run(options, terminal)
    except CannotContinueError as error:
        reset = "make local-reset" if options.state is None else local_command("reset", options.state)
        raise DemoError(
            f"{error}: replay into another folder with --state OTHER, or start over with `{reset}`"
        ) from error


def _run(options: Options, terminal: Terminal) -> None:
    layout = Layout(state=options.state.resolve()) if options.state else Layout()
    progress_copy = ProgressCopy(layout.state / "demo-replay.json")
    bars, summary = bars_to_replay(options.bars)
    if summary:
        terminal.step(summary)
    _check_before_start(options, bars, progress_copy.load(), terminal)
    with _deployed_cloud(layout, terminal, keep=options.keep) as cloud:
        stores = stores_of(cloud)
        estimates_copy = EstimatesCopy(layout.state / "demo-estimates.ndjson")
        replay = _replay(
            cloud, stores, bars, options.days, progress_copy, estimates_copy=estimates_copy, terminal=terminal
        )
        asyncio.run(replay)
        with terminal.phase("Report"):
            report = performance_report(stores, AGENT_ID)
            report["cost"] = cost_of_a_month(report, cloud.layout.assembly)
            write_html(report, options.output)
        terminal.console.print()
        terminal.console.print(report_tables(report))
        terminal.step(f"The report with its plots: {options.output}")
        if options.keep:
            _print_access(cloud, options.state, terminal)
    terminal.times()


def _check_before_start(options: Options, bars: Bars, earlier: ReplayProgress | None, terminal: Terminal) -> None:
    """Report what cannot work before anything is started, which takes a while."""
    check_writable(options.output)
    now = datetime.now(UTC)
    if earlier is None:
        plan.begin(bars, options.days or DEFAULT_DAYS, now)
        return
    plan.cycles_until(earlier, bars, now)
    _note_days(options.days, earlier, terminal)


@contextmanager
def _deployed_cloud(layout: Layout, terminal: Terminal, *, keep: bool) -> Iterator[LocalCloud]:
    """Deploy the stacks into the local cloud; stop its services at the end unless `keep`, and keep its state."""
    cloud = LocalCloud(layout, detached=keep, on_step=terminal.step)
    try:
        with terminal.phase("Deploy"):
            cloud.up()
        yield cloud
    except KeyboardInterrupt:
        terminal.note("Interrupted")
        raise
    finally:
        cloud.stop()


async def _replay(
    cloud: LocalCloud,
    stores: Stores,
    bars: Bars,
    days: int | None,
    progress_copy: ProgressCopy,
    *,
    estimates_copy: EstimatesCopy,
    terminal: Terminal,
) -> None:
    now = datetime.now(UTC)
    store = ProgressStore(stores.states, AGENT_ID, lambda: datetime.now(UTC))
    session: Any = cloud.boto_session()
    jobs = NightlyJobs(session.client("stepfunctions"), cloud.outputs["NightlyStateMachineArn"], AGENT_ID, stores)
    with terminal.phase("Replay"):
        earlier = store.load()
        if earlier is not None:
            _note_continuation(earlier, days, progress_copy, terminal)
        else:
            estimates_copy.clear()
        progress = earlier or plan.begin(bars, days or DEFAULT_DAYS, now)
        count = plan.cycles_until(progress, bars, now)
        progress_copy.save(progress)
        remaining = list(plan.days_to_do(progress, count, now))
        async with AgentMemoryClient(cloud.api_url, AGENT_ID, session=session) as client:
            result = ReplayResult()
            cycles = Cycles(bars, progress.started_at, DayEstimates(client, estimates_copy))
            if remaining:
                with ReplayDisplay(terminal.console, len(remaining)) as display:
                    replay = Replay(client, jobs, cycles, progress, save=store.save, listener=display)
                    result = await replay.run(remaining)
            await cycles.simulate_until(count)
            await remember(client, cycles, now)
            await client.save_state(cycles.state)
        terminal.step(result.summary())


def _note_continuation(
    earlier: ReplayProgress, days: int | None, progress_copy: ProgressCopy, terminal: Terminal
) -> None:
    if progress_copy.load() is None:  # else it was noted before the start
        _note_days(days, earlier, terminal)
    if earlier.cycles:
        last = hour_text(earlier.started_at + (earlier.cycles - 1) * plan.HOUR)
        terminal.step(f"Continuing after {last}, the last cycle of the previous run")


def _note_days(days: int | None, earlier: ReplayProgress, terminal: Terminal) -> None:
    if days not in {None, earlier.days}:
        terminal.note(
            f"Continuing the replay of {earlier.days} days, so --days {days} has no effect; "
            "for a new replay, name another folder with --state OTHER"
        )


def _print_access(cloud: LocalCloud, state: Path | None, terminal: Terminal) -> None:
    terminal.step(f"The local cloud keeps running: AWS endpoint {cloud.endpoint_url}, HTTP API {cloud.api_url}")
    status, down = (
        (f"make local-{command}" if state is None else local_command(command, state)) for command in ("status", "down")
    )
    terminal.step(f"`{status}` prints its addresses and keys, `{down}` stops it")


def local_command(command: str, state: Path) -> str:
    """Return a command of the local cloud on a state folder that works without an activated environment."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return shlex.join([str(python), "-m", "local", command, "--state", str(state)])
