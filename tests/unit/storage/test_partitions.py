"""An agent with 10,000 decisions a minute on partitions of 1,000 write units a second, in simulated time.

`python -m benchmarks.hot_agent` runs an hour.
"""

import random
from dataclasses import replace

import pytest

from agent_memory.core.errors import Unavailable
from agent_memory.decisions.log import DecisionLog
from agent_memory.pricing import decision_units
from agent_memory.pricing.capacity_units import write_shards_for
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.factory import in_memory_stores
from benchmarks.example_decision import EXAMPLE, OUTCOME
from benchmarks.hot_agent import Load, run
from benchmarks.partition_simulator import WRITE_UNITS_PER_SECOND, PartitionedTable, SimulatedClock

_LARGE = 3_500


def short(**settings):
    """Two minutes at the rate of the hour."""
    return Load(minutes=2, **settings)


@pytest.fixture(autouse=True)
def _same_delays():
    random.seed(1)  # botocore waits a random time before it repeats a request


@pytest.fixture
def clock():
    return SimulatedClock(1_795_176_000_000)


@pytest.fixture
def table(clock):
    return PartitionedTable(clock)


@pytest.fixture
def log(clock, table):
    stores = replace(in_memory_stores(clock), decisions=DynamoDBDecisions(table.client(), "hot", clock))
    return DecisionLog("hot", stores, clock)


def test_write_units_are_those_of_the_rules(table, log):
    decision_id = log.log_one(EXAMPLE).decision_id
    assert table.write_units == 2
    log.record_outcome({**OUTCOME, "decision_id": decision_id})
    stored = log.get(decision_id)
    assert table.write_units == decision_units(stored).log_units + decision_units(stored).outcome_units == 4


def test_a_batch_takes_the_units_of_its_decisions(table, log):
    batch = log.log([EXAMPLE] * 25)
    log.record_outcomes([{**OUTCOME, "decision_id": one.decision_id} for one in batch])
    assert table.write_units == 100


def test_a_partition_takes_no_more_than_its_units_in_a_second(clock, table, log):
    with clock.sleeping():
        for _ in range(60):
            log.log([EXAMPLE] * 25)
        assert table.throttled
    assert len(table.items) == 1_500
    assert table.busiest <= WRITE_UNITS_PER_SECOND


def test_a_single_write_that_is_throttled_is_repeated(clock, table, log):
    for _ in range(40):
        log.log([EXAMPLE] * 25)
    before = table.throttled
    with clock.sleeping():
        decision_id = log.log_one(EXAMPLE).decision_id
    assert table.throttled > before
    assert log.get(decision_id) is not None


def test_what_stays_throttled_is_an_error(table, log, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)  # time stands still
    for _ in range(40):
        log.log([EXAMPLE] * 25)
    with pytest.raises(Unavailable):
        log.log([EXAMPLE] * 25)
    with pytest.raises(Unavailable):
        log.log_one(EXAMPLE)


@pytest.mark.slow
def test_ten_thousand_decisions_a_minute_fit_into_one_partition():
    result = run(short())
    assert (result.logged, result.lost, result.failed_calls, result.throttled) == (20_000, 0, 0, 0)
    assert result.write_units == 4 * result.logged
    assert result.late_seconds == pytest.approx(0, abs=1)


@pytest.mark.slow
def test_large_decisions_are_throttled_without_loss_and_fit_into_the_shards_that_are_advised():
    throttled = run(short(reasoning_bytes=_LARGE))
    assert (throttled.lost, throttled.failed_calls) == (0, 0)
    assert throttled.throttled > 0
    assert throttled.late_seconds > 1
    units_per_second = throttled.logged * (4 + 5) / 120  # of the item when it is logged, and with its outcome
    spread = run(short(reasoning_bytes=_LARGE, write_shards=write_shards_for(units_per_second)))
    assert (spread.lost, spread.failed_calls, spread.throttled) == (0, 0, 0)
