"""The demo from start to end: deploy, replay, report."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent_memory.client.client import AgentMemoryClient
from agent_memory.ports.stores import Stores
from agent_memory.storage.s3.blobs import S3Blobs
from demo import plan
from demo.bars import sample_bars
from demo.csv_bars import csv_bars
from demo.cycles import AGENT_ID, Cycles
from demo.nights import Nights
from demo.performance import performance_report, write_html
from demo.progress import ProgressStore, ReplayProgress, hour_text
from demo.replay import Replay, ReplayResult
from demo.short_term import remember
from demo.tables import report_tables
from demo.terminal import ReplayDisplay, Terminal
from local import LocalCloud
from local.layout import Layout
from local.stores import stores_of
from trading_agents import Bars


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for."""

    days: int
    bars: Path | None
    keep: bool
    output: Path
    state: Path | None


def run_demo(options: Options, terminal: Terminal) -> None:
    """Run the demo.

    Raises:
        DemoError, LocalCloudError, AgentMemoryError: in one line, why it cannot go on.
    """
    bars = csv_bars(options.bars) if options.bars else sample_bars()
    plan.begin(bars, options.days, datetime.now(UTC))  # too few bars are told before anything is started
    with _deployed_cloud(options, terminal) as cloud:
        stores = stores_of(cloud)
        with terminal.phase("Replay"):
            asyncio.run(_replay(cloud, stores, bars, options, terminal))
        with terminal.phase("Report"):
            report = performance_report(stores, AGENT_ID, cloud.layout.assembly)
            write_html(report, options.output)
        terminal.console.print()
        terminal.console.print(report_tables(report))
        terminal.step(f"The report with its plots: {options.output}")
        if options.keep:
            _tell_how_to_reach(cloud, terminal)
    terminal.times()


@contextmanager
def _deployed_cloud(options: Options, terminal: Terminal) -> Iterator[LocalCloud]:
    """The local cloud with the stacks; its services are left running if asked, its state is kept in any case."""
    layout = Layout(state=options.state.resolve()) if options.state else Layout()
    cloud = LocalCloud(layout, detached=options.keep, on_step=terminal.step)
    try:
        with terminal.phase("Deploy"):
            cloud.up()
        yield cloud
    finally:
        cloud.stop()


async def _replay(cloud: LocalCloud, stores: Stores, bars: Bars, options: Options, terminal: Terminal) -> None:
    now = datetime.now(UTC)
    store = ProgressStore(stores.states, AGENT_ID, lambda: datetime.now(UTC))
    progress = _progress(store, bars, options, now, terminal)
    count = plan.cycles_until(progress, bars, now)
    cycles = await Cycles.lived(bars, progress.started_at, count)
    days = list(plan.days_to_do(progress, count, now))
    session: Any = cloud.boto_session()
    reports = S3Blobs(session.client("s3"), cloud.outputs["ArchiveBucketName"])
    nights = Nights(session.client("stepfunctions"), cloud.outputs["NightlyStateMachineArn"], AGENT_ID, reports)
    async with AgentMemoryClient(cloud.api_url, AGENT_ID, session=session) as client:
        result = ReplayResult()
        if days:
            with ReplayDisplay(terminal.console, len(days)) as display:
                replay = Replay(client, nights, cycles, progress, save=store.save, watcher=display)
                result = await replay.run(days)
        await remember(client, cycles, now)
    _tell_result(result, terminal)


def _progress(store: ProgressStore, bars: Bars, options: Options, now: datetime, terminal: Terminal) -> ReplayProgress:
    """That of an earlier run, else a new one."""
    earlier = store.load()
    if earlier is None:
        return plan.begin(bars, options.days, now)
    if earlier.cycles:
        reached = hour_text(earlier.started_at + (earlier.cycles - 1) * plan.HOUR)
        terminal.step(f"Going on from {reached}, where the last run ended")
    if earlier.days != options.days:
        terminal.note(
            f"The replay was begun with --days {earlier.days}, which stays; for another number {plan.START_OVER}"
        )
    return earlier


def _tell_result(result: ReplayResult, terminal: Terminal) -> None:
    if not (result.decisions or result.outcomes or result.nights):
        terminal.step("Nothing new since the last run")
        return
    terminal.step(
        f"New: {result.decisions:,} decisions, {result.outcomes:,} outcomes, {result.nights:,} nights,"
        " through the signed HTTP API"
    )


def _tell_how_to_reach(cloud: LocalCloud, terminal: Terminal) -> None:
    terminal.step(f"The local cloud goes on running: AWS endpoint {cloud.endpoint_url}, HTTP API {cloud.api_url}")
    terminal.step("`python -m local status` tells its address and keys again, `make local-down` stops it")
