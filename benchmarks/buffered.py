"""The buffered logger: latency for its caller, drain rate, and memory."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from agent_memory import BufferedDecisionLogger
from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import new_decision_id
from benchmarks.example_decision import EXAMPLE
from benchmarks.instant_dynamodb import instant_session
from benchmarks.sinks import AcceptsAll, direct_logger


@dataclass(frozen=True, slots=True)
class Times:
    """Quantiles of the duration of a call, in microseconds."""

    median: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return f"median {self.median:,.1f} µs, p95 {self.p95:,.1f} µs, p99 {self.p99:,.1f} µs"


def times_of(microseconds: Sequence[float]) -> Times:
    """The quantiles of durations in microseconds."""
    cuts = quantiles(microseconds, n=100)
    return Times(cuts[49], cuts[94], cuts[98])


@dataclass(frozen=True, slots=True)
class Footprint:
    """Resident memory after a number of decisions, and the maximum of disk space until then."""

    decisions: int
    resident_bytes: int
    max_disk_bytes: int


async def caller_times(sink: Any, calls: int, pause_seconds: float | None = None) -> Times:
    """Times of `await log_decision(...)` while the drainer writes to `sink`, with a pause between calls."""
    with TemporaryDirectory() as directory:
        async with BufferedDecisionLogger(sink, directory) as logger:
            return await _timed(lambda: logger.log_decision(**EXAMPLE), calls, pause_seconds)


async def direct_times(calls: int) -> Times:
    """Times of `await DecisionLogger.log_decision(...)` on a store that answers immediately."""
    logger = direct_logger()
    return await _timed(lambda: logger.log_decision(**EXAMPLE), calls)


async def put_item_times(calls: int) -> Times:
    """Times of an awaited `put_item` of boto3's `Table` on a store that answers immediately."""
    table = instant_session().resource("dynamodb").Table("agent_decisions")
    item = {name: _no_floats(value) for name, value in EXAMPLE.items()}

    def put() -> None:
        now_ms = time.time_ns() // 1_000_000
        decision_id = new_decision_id(EXAMPLE["decision_type"], now_ms)
        table.put_item(Item=item | {"pk": "market-hunter", "sk": decision_id, "timestamp": now_ms})

    return await _timed(lambda: asyncio.to_thread(put), calls)


async def drain_rate(records: int, *, parameter_validation: bool = False) -> float:
    """Records per second from the write-ahead log to the DynamoDB store, on one core."""
    with TemporaryDirectory() as directory, _one_core():
        async with BufferedDecisionLogger(_UnavailableSink(), directory) as logger:
            for _ in range(records):
                await logger.log_decision(**EXAMPLE)
            await logger.aclose(timeout_seconds=0)
        sink = direct_logger(parameter_validation=parameter_validation)
        started = time.perf_counter()
        async with BufferedDecisionLogger(sink, directory) as logger:
            await logger.flush()
            return records / (time.perf_counter() - started)


class _UnavailableSink(AcceptsAll):
    """A store that does not answer."""

    async def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        raise Unavailable(f"{len(decisions)} decisions must wait")


_SAMPLE_EVERY = 10_000


async def memory_while_logging(counts: Sequence[int]) -> list[Footprint]:
    """Memory and disk space after each count of decisions, logged as fast as the buffer accepts them."""
    footprints = []
    with TemporaryDirectory() as directory:
        async with BufferedDecisionLogger(AcceptsAll(), directory) as logger:
            max_disk_bytes = 0
            for number in range(1, max(counts) + 1):
                await logger.log_decision(**EXAMPLE)
                if number % _SAMPLE_EVERY == 0:
                    max_disk_bytes = max(max_disk_bytes, _bytes_in(Path(directory)))
                if number in counts:
                    footprints.append(Footprint(number, _resident_bytes(), max_disk_bytes))
    return footprints


async def _timed(call: Callable[[], Awaitable[Any]], calls: int, pause_seconds: float | None = None) -> Times:
    await call()
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
    return times_of([seconds * 1e6 for seconds in times])


def _no_floats(value: Any) -> Any:
    """Convert floats to decimals, because boto3's `Table` refuses floats."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _bytes_in(directory: Path) -> int:
    sizes = 0
    for file in directory.iterdir():
        with suppress(FileNotFoundError):  # the drainer deletes files that it has sent
            sizes += file.stat().st_size
    return sizes


@contextmanager
def _one_core() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
