"""`python -m benchmarks.decisions`: requests, capacity units and time of logging a decision."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.buffered import (
    caller_times,
    direct_times,
    drain_rate,
    memory_while_logging,
    put_item_times,
)
from benchmarks.requests import measure, rows
from benchmarks.sinks import AcceptsAll, direct_logger
from benchmarks.tables import Row, print_table
from benchmarks.write_ahead_log import print_appends
from local import LocalCloud
from local.layout import Layout
from local.stores import stores_of

_CALLS = 20_000
_PACED_CALLS = 2_000
_PACE_SECONDS = 0.001
_MEMORY_COUNTS = (100_000, 500_000, 1_000_000)


async def buffered_rows() -> AsyncIterator[Row]:
    """The buffered logger; stores answer immediately and in this process, so that no network is measured."""
    put_item = await put_item_times(_PACED_CALLS)
    burst = await caller_times(direct_logger(), _CALLS)
    yield "put_item of boto3's Table, in a thread", str(put_item), ""
    yield "DecisionLogger.log_decision", str(await direct_times(_PACED_CALLS)), ""
    yield "buffered log_decision, back to back", str(burst), "median ≤ 50 µs"
    yield "  the same, a sink that accepts all", str(await caller_times(AcceptsAll(), _CALLS)), "median ≤ 50 µs"
    paced = await caller_times(direct_logger(), _PACED_CALLS, _PACE_SECONDS)
    yield "  the same, one per millisecond", str(paced), "median ≤ 50 µs"
    yield "put_item / buffered, medians", f"{put_item.median / burst.median:.1f} ×", "≥ 15 ×"
    yield "drained into the DynamoDB store, one core", f"{await drain_rate(_CALLS):,.0f}/s", "≥ 5,000/s"
    validated = await drain_rate(_CALLS, parameter_validation=True)
    yield "  with botocore's own validation", f"{validated:,.0f}/s", ""
    for footprint in await memory_while_logging(_MEMORY_COUNTS):
        memory, disk = footprint.resident_bytes / 1e6, footprint.max_disk_bytes / 1e6
        yield f"after {footprint.decisions:,} decisions", f"{memory:.0f} MB resident, at most {disk:.0f} MB of disk", ""


def request_rows() -> Iterator[Row]:
    """Requests and capacity units against the stacks in a local cloud, which charges write units as DynamoDB does."""
    with TemporaryDirectory() as state, LocalCloud(Layout(state=Path(state))) as cloud:
        client = cloud.boto_session().client("dynamodb")
        yield from rows(measure(stores_of(cloud, dynamodb_client=client), client))


async def _main() -> None:
    logging.basicConfig(level=logging.ERROR)
    print_table(
        "Requests of the decision log to DynamoDB",
        request_rows(),
        columns=("call", "requests and units", "goal"),
        caption="Write units as the emulator charges them, without refused writes and the indexes of a batch.",
    )
    print_table("Logging a decision", [row async for row in buffered_rows()])
    print_appends()


if __name__ == "__main__":
    asyncio.run(_main())
