"""`python -m benchmarks.hot_agent`: an agent with 10,000 decisions a minute and outcomes, on simulated partitions.

One client writes batches of 25 one after the other, in simulated time: an hour takes minutes. A batch that is throttled
is repeated by the product's own retries, and those that follow it wait.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.factory import in_memory_stores
from benchmarks.example_decision import EXAMPLE, OUTCOME
from benchmarks.partition_simulator import PartitionedTable, SimulatedClock
from benchmarks.tables import Row, print_table

PER_MINUTE, MINUTES = 10_000, 60
"""The load that the benchmark simulates."""
_BATCH, _OUTCOME_AFTER_SECONDS, _STARTED_MS = 25, 60, 1_795_176_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """What an agent logs.

    Attributes:
        per_minute: decisions a minute.
        minutes: how long.
        write_shards: the setting of this name.
        reasoning_bytes: how much text is added to the reasoning of each.
    """

    per_minute: int = PER_MINUTE
    minutes: int = MINUTES
    write_shards: int = 1
    reasoning_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a load.

    Attributes:
        logged: decisions.
        lost: decisions that are not in the table with their outcome.
        failed_calls: calls that raised an error, which the caller would have to repeat.
        throttled: writes that were refused at first.
        write_units: all units.
        busiest: the most units that a partition took in a second.
        late_seconds: how long after the last second of the load the last write was.
    """

    logged: int
    lost: int
    failed_calls: int
    throttled: int
    write_units: int
    busiest: int
    late_seconds: float


def run(load: Load) -> Result:
    """Log decisions for so many minutes, and the outcome of each a minute later."""
    clock = SimulatedClock(_STARTED_MS)
    table = PartitionedTable(clock)
    stores = replace(in_memory_stores(clock), decisions=DynamoDBDecisions(table.client(), "hot", clock))
    log = DecisionLog("hot", stores, clock, write_shards=load.write_shards)
    decision = {**EXAMPLE, "reasoning": {**EXAMPLE["reasoning"], "text": "x" * load.reasoning_bytes}}
    due: deque[tuple[float, list[dict[str, Any]]]] = deque()
    ids: list[str] = []
    failed = 0
    seconds_per_batch = 60 * _BATCH / load.per_minute
    batches = load.per_minute * load.minutes // _BATCH
    started = clock.seconds
    with clock.sleeping():
        for number in range(batches):
            _wait_until(clock, started + number * seconds_per_batch)
            batch = [_decision(decision, clock, load.write_shards) for _ in range(_BATCH)]
            failed += _failed(lambda batch=batch: log.log(batch))
            ids += [one["decision_id"] for one in batch]
            outcomes = [{**OUTCOME, "decision_id": one["decision_id"]} for one in batch]
            due.append((clock.seconds + _OUTCOME_AFTER_SECONDS, outcomes))
            while due[0][0] <= clock.seconds:
                outcomes = due.popleft()[1]
                failed += _failed(lambda outcomes=outcomes: log.record_outcomes(outcomes))
        for at, outcomes in due:
            _wait_until(clock, at)
            failed += _failed(lambda outcomes=outcomes: log.record_outcomes(outcomes))
    ended = started + (batches - 1) * seconds_per_batch + _OUTCOME_AFTER_SECONDS
    stored = {item["decision_id"]["S"] for item in table.items.values() if "success" in item}
    return Result(
        logged=len(ids),
        lost=sum(one not in stored for one in ids),
        failed_calls=failed,
        throttled=table.throttled,
        write_units=table.write_units,
        busiest=table.busiest,
        late_seconds=clock.seconds - ended,
    )


def _decision(decision: Mapping[str, Any], clock: SimulatedClock, write_shards: int) -> dict[str, Any]:
    decision_id = new_decision_id(decision["decision_type"], clock.now_ms(), write_shards=write_shards)
    return {**decision, "decision_id": decision_id}


def _wait_until(clock: SimulatedClock, seconds: float) -> None:
    clock.advance(max(0.0, seconds - clock.seconds))


def _failed(write: Any) -> bool:
    """Whether a write failed for good."""
    try:
        for one in write():
            one.raise_for_error()
    except Unavailable:
        return True
    return False


def rows() -> list[Row]:
    """An hour of small decisions, and a minute of large ones in few partitions and in more."""
    found: list[Row] = []
    for name, load in (
        ("an hour, decisions of the example", Load()),
        ("a minute, decisions of 4 KB", Load(minutes=1, reasoning_bytes=3_500)),
        ("  the same, 4 write shards", Load(minutes=1, reasoning_bytes=3_500, write_shards=4)),
    ):
        result = run(load)
        figures = (
            f"{result.logged:,} logged, {result.lost} lost, {result.failed_calls} calls failed, {result.throttled:,} "
            f"writes throttled, {result.busiest:,} units a second at most, {result.late_seconds:.1f} s late"
        )
        found.append((name, figures, "0 lost, 0 failed"))
    return found


if __name__ == "__main__":
    print_table("An agent with 10,000 decisions a minute", rows(), width=170)
