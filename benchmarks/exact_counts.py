"""The rows of `make bench` that are counts: requests, capacity units, bytes. They need no quiet machine."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.factory import in_memory_stores
from benchmarks import memories, pages, reads
from benchmarks.archive_size import SEED_DECISIONS_PER_DAY, measure_archive_sizes
from benchmarks.example_decision import EXAMPLE, OUTCOME
from benchmarks.measurement import Measurement
from benchmarks.partition_simulator import PartitionedTable, SimulatedClock

MANY = 100_000
_ARCHIVED_DAYS = 30
_MEGABYTE = 2**20
_HISTORIES = {"close together": pages.close_together, "far apart": pages.far_apart}


def rows() -> Iterator[Measurement]:
    """All counts."""
    yield from _writes()
    yield from _pages()
    yield from _many()
    yield from _memories()
    sizes = measure_archive_sizes(_ARCHIVED_DAYS)
    yield _count("archive, a decision in daily files", "bytes", sizes.archive_bytes / sizes.decisions, goal=63)
    yield _count(f"archive, a decision in files of {SEED_DECISIONS_PER_DAY}", "bytes", sizes.seed_day_bytes)
    yield _largest_layers()


def _count(name: str, unit: str, ours: float, *, goal: float | None = None, **peer: Any) -> Measurement:
    return Measurement(name=name, unit=unit, ours=ours, goal=goal, is_exact=True, **peer)


def _writes() -> Iterator[Measurement]:
    """Requests of single calls, and the write units of a decision and its outcome."""
    clock = SimulatedClock(reads.NOW_MS)
    table = PartitionedTable(clock)
    client = table.client()
    sent: list[str] = []
    client.meta.events.register("before-call.dynamodb", lambda model, **_: sent.append(model.name))
    log = DecisionLog(
        "counts", replace(in_memory_stores(clock), decisions=DynamoDBDecisions(client, "t", clock)), clock
    )

    def requests(act: Callable[[], Any]) -> tuple[int, Any]:
        sent.clear()
        result = act()
        return len(sent), result

    log.log_one(EXAMPLE)  # registers the agent
    before = table.write_units
    count, logged = requests(lambda: log.log_one(EXAMPLE))
    yield _count("log a decision", "requests", count, goal=1)
    outcome = {**OUTCOME, "decision_id": logged.decision_id}
    yield _count("log its outcome", "requests", requests(lambda: log.record_outcome(outcome))[0], goal=1)
    yield _count("log and outcome together", "write units", table.write_units - before, goal=4)
    yield _count("get a decision", "requests", requests(lambda: log.get(logged.decision_id))[0], goal=1)


def _pages() -> Iterator[Measurement]:
    for by in pages.CRITERIA:
        for where, history in _HISTORIES.items():
            page = pages.measure(history(), by, rounds=0)
            name = f"page of 100 by {by}, its decisions {where}"
            peer = {"peer": "boto3 on the seed's schema", "of_peer": page.peer_read_units}
            yield _count(name, "read units", page.read_units, goal=25, **peer)


def _many() -> Iterator[Measurement]:
    tables = reads.prepared(MANY)
    _, served = reads.query(tables, MANY)
    yield _count(f"context_filter, 1 of 1,000 of {MANY:,} matching", "MB", served.body_bytes / 1e6, goal=2)
    _, served = reads.statistics(tables, MANY)
    yield _count(f"statistics over {MANY:,} in 80 days", "read units", served.read_units, goal=300)


def _memories() -> Iterator[Measurement]:
    stored = memories.store_one(is_new=True)
    yield _count("store a memory that is said to be new", "requests", stored.requests, goal=1)
    yield _count("store a memory that is said to be new", "write units", stored.write_units, goal=3)
    name = f"first recall, {memories.DECISIONS_RECALLED:,} decisions and {memories.MEMORIES_RECALLED:,} memories"
    yield _count(name, "rounds of requests", memories.recall_first().rounds, goal=2)


def _largest_layers() -> Measurement:
    from stacks.layer_sizes import layer_bytes  # noqa: PLC0415  the CDK takes seconds to import

    name, unit = "largest layers of a function, unzipped", "MB"
    try:
        largest = max(sum(layers.values()) for layers in layer_bytes().values())
    except Exception as error:  # pip, the network or the disk: the row says why it is left out
        return Measurement(name=name, unit=unit, is_exact=True, left_out=f"the wheels cannot be fetched: {error}"[:200])
    return _count(name, unit, round(largest / _MEGABYTE, 1), goal=130)
