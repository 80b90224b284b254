"""The rows of `make bench` that are times, mostly of the processor. A busy machine makes them worse."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import busy_nightly, cold_start, hot_agent, memories, pages, reads, year
from benchmarks.buffered import caller_times
from benchmarks.evidence_files import write_evidence
from benchmarks.exact_counts import MANY
from benchmarks.measurement import Measurement
from benchmarks.nightly import measure_search
from benchmarks.sinks import direct_logger
from benchmarks.trading import speedup
from benchmarks.write_ahead_log import beside_sqlite

_ROOT = Path(__file__).parents[1]
_MINED = 1_000_000
_BUFFERED_CALLS = 20_000
_START_GOALS = {
    **dict.fromkeys(cold_start.FUNCTIONS, 1.5),
    "api": 1.8,
    "consolidation": 3.0,
    cold_start.FIRST_REQUEST: None,
}
_SPEEDUPS = {20_000: 100, 100_000: 200}
_DEMOS = {121: 120, 10: 40}


def times() -> Iterator[Measurement]:
    """Reads, searches, and logging through the buffer."""
    tables = reads.prepared(MANY)
    name = f"context_filter, 1 of 1,000 of {MANY:,} matching"
    yield _seconds(name, reads.query(tables, MANY)[0], 0.3)
    yield _seconds(f"statistics over {MANY:,} in 80 days", reads.statistics(tables, MANY)[0], 0.5)
    yield from _pages()
    name = f"first recall, {memories.DECISIONS_RECALLED:,} decisions and {memories.MEMORIES_RECALLED:,} memories"
    yield Measurement(name=name, unit="ms CPU", ours=memories.recall_first().cpu_ms, goal=60)
    for size, goal in _SPEEDUPS.items():
        name = f"search of {size:,} items of a trading memory, beside a plain scan"
        yield Measurement(name=name, unit="×", ours=speedup(size), goal=goal, at_least=True)
    yield from _buffered()


def mining() -> Iterator[Measurement]:
    """The nightly search in a million decisions, in a process of its own."""
    name = f"patterns searched in {_MINED:,} decisions"
    with TemporaryDirectory() as folder:
        file = Path(folder) / "evidence.parquet"
        write_evidence(file, _MINED)
        measured = measure_search(file)
    yield _seconds(name, measured["read_seconds"] + measured["search_seconds"], 12)
    yield Measurement(name=name, unit="MB", ours=measured["resident_bytes"] / 1e6, goal=500)


def of_a_year() -> Iterator[Measurement]:
    """Statistics of a year."""
    cpu, passed, _ = year.measure()
    name = f"statistics over {year.COUNT:,} in a year, archive included"
    yield Measurement(name=name, unit="s", ours=max(cpu, passed), goal=2)


def busy_agent() -> Iterator[Measurement]:
    """An hour of 10,000 decisions a minute, and the nightly job after it."""
    result = hot_agent.run(hot_agent.Load())
    name = f"{result.logged:,} decisions in an hour with outcomes, on simulated partitions"
    yield Measurement(name=name, unit="decisions lost", ours=result.lost, goal=0, is_exact=True)
    yield Measurement(name=name, unit="calls failed", ours=result.failed_calls, goal=0, is_exact=True)
    yield Measurement(name=name, unit="writes throttled", ours=result.throttled, is_exact=True)
    yield Measurement(
        name=name, unit="write units a second in the busiest partition", ours=result.busiest, is_exact=True
    )
    name = f"{busy_nightly.COUNT:,} decisions of an hour read in parts and learned from, longest path"
    yield _seconds(name, busy_nightly.measure().longest_path, 300)


def demos() -> Iterator[Measurement]:
    """The demo, after its set-up."""
    for days, goal in _DEMOS.items():
        yield _demo(days, goal)


def _seconds(name: str, ours: float, goal: float) -> Measurement:
    return Measurement(name=name, unit="s CPU", ours=ours, goal=goal)


def _pages() -> Iterator[Measurement]:
    for by in pages.CRITERIA:
        page = pages.measure(pages.far_apart(), by)
        yield Measurement(
            name=f"page of 100 by {by}, its decisions far apart",
            unit="ms CPU",
            ours=page.cpu_ms,
            peer="boto3 on the seed's schema",
            of_peer=page.peer_cpu_ms,
            goal=0.8,
            goal_of="ratio",
        )


def starts() -> Iterator[Measurement]:
    """Starts of the functions, beside boto3 and one client."""
    found = cold_start.starts()
    for name in (*cold_start.FUNCTIONS, cold_start.FIRST_REQUEST):
        yield Measurement(
            name=f"start of the function {name}",
            unit="ms CPU",
            ours=found[name] * 1e3,
            peer="boto3 and one client",
            of_peer=found[cold_start.BOTO3] * 1e3,
            goal=_START_GOALS[name],
            goal_of="ratio",
        )


def _buffered() -> Iterator[Measurement]:
    burst = asyncio.run(caller_times(direct_logger(), _BUFFERED_CALLS))
    yield Measurement(name="buffered log_decision, median", unit="µs", ours=burst.median, goal=18)
    append, insert = beside_sqlite()
    yield Measurement(
        name="append to the write-ahead log, median",
        unit="µs",
        ours=append,
        peer="an insert of SQLite in WAL mode",
        of_peer=insert,
        goal=0.98,
        goal_of="ratio",
    )


def _demo(days: int, goal: float) -> Measurement:
    """`make demo` after its set-up, with a state of its own."""
    name, unit = f"make demo, {days} days", "s"
    with TemporaryDirectory() as folder:
        options = ["--days", str(days), "--state", folder, "--output", f"{folder}/report.html"]
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "demo", *options], cwd=_ROOT, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        return Measurement(name=name, unit=unit, left_out=f"it failed: {lines[-1][:200]}")
    return Measurement(name=name, unit=unit, ours=seconds, goal=goal)
