"""`python -m benchmarks.decisions`: what logging a decision costs, in requests, units and time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.buffered import (
    caller_times,
    direct_times,
    drain_rate,
    memory_while_logging,
    put_item_times,
)
from benchmarks.requests import measure, rows
from benchmarks.sinks import AcceptsAll, direct_logger
from local import LocalCloud
from local.layout import Layout
from local.stores import stores_of

_CALLS = 20_000
_PACED_CALLS = 2_000
_PACE_SECONDS = 0.001
_MEMORY_COUNTS = (100_000, 500_000, 1_000_000)

Row = tuple[str, str, str]
"""What was measured, what it came to, and the goal, empty where there is none."""


async def buffered_rows() -> AsyncIterator[Row]:
    """The buffered logger; stores answer at once and in this process, so that no network is measured."""
    put_item = await put_item_times(_PACED_CALLS)
    burst = await caller_times(direct_logger(), _CALLS)
    yield "put_item of boto3's Table, in a thread", str(put_item), ""
    yield "DecisionLogger.log_decision", str(await direct_times(_PACED_CALLS)), ""
    yield "buffered log_decision, back to back", str(burst), "median ≤ 50 µs"
    yield "  the same, a sink that takes all", str(await caller_times(AcceptsAll(), _CALLS)), "median ≤ 50 µs"
    paced = await caller_times(direct_logger(), _PACED_CALLS, _PACE_SECONDS)
    yield "  the same, one a millisecond", str(paced), "median ≤ 50 µs"
    yield "put_item / buffered, medians", f"{put_item.median / burst.median:.1f} ×", "≥ 15 ×"
    yield "drained into DynamoDB's store, one core", f"{await drain_rate(_CALLS):,.0f}/s", "≥ 5,000/s"
    checked = await drain_rate(_CALLS, parameter_validation=True)
    yield "  with botocore's own validation", f"{checked:,.0f}/s", ""
    for footprint in await memory_while_logging(_MEMORY_COUNTS):
        memory, disk = footprint.resident_bytes / 1e6, footprint.most_disk_bytes / 1e6
        yield f"after {footprint.decisions:,} decisions", f"{memory:.0f} MB resident, {disk:.0f} MB of disk at most", ""


def request_rows() -> Iterator[Row]:
    """Requests and capacity units against the stacks in a local cloud, which charges write units as DynamoDB does."""
    with TemporaryDirectory() as state, LocalCloud(Layout(state=Path(state))) as cloud:
        client = cloud.boto_session().client("dynamodb")
        yield from rows(measure(stores_of(cloud, dynamodb_client=client), client))


async def _main() -> None:
    logging.basicConfig(level=logging.ERROR)
    console = Console(width=120)
    caption = "Write units as the emulator charges them: refused writes and the indexes of a batch are not among them."
    asked = Table("call", "asks of DynamoDB", "goal", title="What the decision log asks of DynamoDB", caption=caption)
    for row in request_rows():
        asked.add_row(*row)
    console.print(asked)
    taken = Table("measured", "result", "goal", title="Logging a decision")
    async for row in buffered_rows():
        taken.add_row(*row)
    console.print(taken)


if __name__ == "__main__":
    asyncio.run(_main())
