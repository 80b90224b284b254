"""What the buffered logger costs its caller, how fast it drains, and that its memory stays flat."""

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
from benchmarks.endpoint import instant_session
from benchmarks.sample import EXAMPLE
from benchmarks.sinks import AcceptsAll, direct_logger

_LOOK_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Times:
    """Quantiles of a call's duration, in microseconds."""

    median: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return f"median {self.median:,.1f} µs, p95 {self.p95:,.1f} µs, p99 {self.p99:,.1f} µs"


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the process holds in memory after so many decisions, and the most that lay on disk until then."""

    decisions: int
    resident_bytes: int
    most_disk_bytes: int


async def caller_times(sink: Any, calls: int, pause_seconds: float | None = None) -> Times:
    """What `await log_decision(...)` takes while the drainer writes into `sink`; the caller rests between two calls."""
    with TemporaryDirectory() as directory:
        async with BufferedDecisionLogger(sink, directory) as logger:
            return await _timed(lambda: logger.log_decision(**EXAMPLE), calls, pause_seconds)


async def direct_times(calls: int) -> Times:
    """What one `await DecisionLogger.log_decision(...)` takes, on a store that answers at once."""
    logger = direct_logger()
    return await _timed(lambda: logger.log_decision(**EXAMPLE), calls)


async def put_item_times(calls: int) -> Times:
    """What one awaited `put_item` of boto3's `Table` takes, on a store that answers at once."""
    table = instant_session().resource("dynamodb").Table("agent_decisions")
    item = {name: _no_floats(value) for name, value in EXAMPLE.items()}

    def put() -> None:
        now_ms = time.time_ns() // 1_000_000
        decision_id = new_decision_id(EXAMPLE["decision_type"], now_ms)
        table.put_item(Item=item | {"pk": "market-hunter", "sk": decision_id, "timestamp": now_ms})

    return await _timed(lambda: asyncio.to_thread(put), calls)


async def drain_rate(records: int, *, parameter_validation: bool = False) -> float:
    """Records a second from the log into DynamoDB's store, on one core."""
    with TemporaryDirectory() as directory, _one_core():
        async with BufferedDecisionLogger(_Down(), directory) as logger:
            for _ in range(records):
                await logger.log_decision(**EXAMPLE)
            await logger.aclose(timeout_seconds=0)
        sink = direct_logger(parameter_validation=parameter_validation)
        started = time.perf_counter()
        async with BufferedDecisionLogger(sink, directory) as logger:
            await logger.flush()
            return records / (time.perf_counter() - started)


class _Down(AcceptsAll):
    """A store that does not answer."""

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        raise Unavailable(f"{len(drafts)} decisions must wait")


async def memory_while_logging(counts: Sequence[int]) -> list[Footprint]:
    """What the process and its buffer take after each count of decisions, logged as fast as the buffer takes them."""
    found = []
    with TemporaryDirectory() as directory:
        async with BufferedDecisionLogger(AcceptsAll(), directory) as logger:
            largest = 0
            for number in range(1, max(counts) + 1):
                await logger.log_decision(**EXAMPLE)
                if number % _LOOK_EVERY == 0:
                    largest = max(largest, _bytes_in(Path(directory)))
                if number in counts:
                    found.append(Footprint(number, _resident_bytes(), largest))
    return found


async def _timed(call: Callable[[], Awaitable[Any]], calls: int, pause_seconds: float | None = None) -> Times:
    await call()
    taken = []
    for _ in range(calls):
        started = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - started)
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
    cuts = quantiles(taken, n=100)
    return Times(cuts[49] * 1e6, cuts[94] * 1e6, cuts[98] * 1e6)


def _no_floats(value: Any) -> Any:
    """As boto3's `Table` wants it: a float there is an error."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _bytes_in(directory: Path) -> int:
    sizes = 0
    for file in directory.iterdir():
        with suppress(FileNotFoundError):  # the drainer deletes what it is done with
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
