"""Clocks that differ: a record is stored when its time has come, or refused at the call; never accepted and lost."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import (
    AgentMemoryClient,
    BufferedDecisionLogger,
    DecisionLogger,
    InvalidInput,
    TooEarly,
    decision_id_for,
    in_memory_stores,
    new_decision_id,
)
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core.clock import FixedClock, to_iso
from agent_memory.core.ids import timestamp_of
from tests.http_events import FakeSession, call_routes
from tests.http_servers import http_server
from tests.waiting import until_sending_fails

NOON = 1_795_176_000_000
MINUTE = 60_000


async def log_with_outcome(buffered):
    decision_id = await buffered.log_decision("QUERY", {"n": 1}, {})
    await buffered.log_outcome(decision_id, {"rows": 1}, True)
    return decision_id


@pytest.mark.parametrize("ahead_ms", [6 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE])
async def test_a_decision_ahead_of_the_store_waits_for_its_time_with_its_outcome(directory, ahead_ms):
    store_clock = FixedClock(NOON)
    log = DecisionLogger("hunter", stores=in_memory_stores(store_clock), clock=store_clock)
    buffered = BufferedDecisionLogger(log, directory, clock=FixedClock(NOON + ahead_ms))
    decision_id = await log_with_outcome(buffered)
    await until_sending_fails(buffered, 3)
    metrics = buffered.metrics()
    assert (metrics.pending_records, metrics.acknowledged, metrics.rejected) == (2, 0, 0)
    assert "clock of the store is behind" in metrics.last_error
    assert f"{ahead_ms // 1000:,} seconds ahead" in metrics.last_error
    store_clock.advance(ahead_ms - 5 * MINUTE)
    await buffered.flush(30)
    assert (buffered.metrics().acknowledged, buffered.metrics().rejected) == (2, 0)
    found = await log.get_decision(decision_id)
    assert (found["timestamp"], found["success"]) == (to_iso(NOON + ahead_ms), True)
    await buffered.aclose()


async def test_over_http_the_error_says_when_to_send_it_again(directory, monkeypatch, no_waits):
    clock = FixedClock(NOON)
    deployed = Deployment(in_memory_stores(clock), clock=clock)
    monkeypatch.setattr(api, "deployment", lambda: deployed)
    with http_server(call_routes) as url:
        client = AgentMemoryClient(url, "hunter", session=FakeSession())
        with pytest.raises(TooEarly) as caught:
            await client.log_decision("QUERY", {}, {}, decision_id=new_decision_id("QUERY", 4_000_000_000_000))
        assert caught.value.field == "/decision_id"
        assert caught.value.retry_after_seconds > 1_000_000
        (result,) = await client.log_decisions(
            [{"decision_type": "QUERY", "context": {}, "reasoning": {}, "timestamp": "2999-01-01T00:00:00Z"}]
        )
        assert result["status"] == "invalid"
        assert result["error"]["code"] == "invalid_input"
        assert result["error"]["field"] == "/decisions/0/timestamp"
        assert result["error"]["retry_after_seconds"] > 1_000_000
        buffered = BufferedDecisionLogger(client, directory, clock=FixedClock(4_000_000_000_000))
        await log_with_outcome(buffered)
        await until_sending_fails(buffered, 2)
        assert "clock of the store is behind" in buffered.metrics().last_error
        assert (buffered.metrics().pending_records, buffered.metrics().rejected) == (2, 0)
        await buffered.aclose(0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    agent_ms=st.integers(-30 * MINUTE, 30 * MINUTE),
    steps=st.lists(st.integers(-20 * MINUTE, 20 * MINUTE), max_size=6),
)
async def test_nothing_accepted_is_lost_whatever_the_clocks_do(tmp_path_factory, agent_ms, steps):
    """The agent's clock is off and jumps; in the end the store's clock has passed every time."""
    store_clock, agent_clock = FixedClock(NOON), FixedClock(NOON + agent_ms)
    log = DecisionLogger("hunter", stores=in_memory_stores(store_clock), clock=store_clock)
    buffered = BufferedDecisionLogger(log, tmp_path_factory.mktemp("buffer"), clock=agent_clock)
    accepted, outcomes = [], []
    for step in [0, *steps]:
        agent_clock.advance(step)
        accepted.append(await buffered.log_decision("QUERY", {}, {}))
        for decision_id in accepted[-2:]:
            try:
                await buffered.log_outcome(decision_id, {"rows": 1}, True)
            except InvalidInput as error:  # refused at the call: the clock was set back
                assert error.field == "/timestamp"
            else:
                outcomes.append(decision_id)
    store_clock.advance(200 * MINUTE)
    await buffered.flush(30)
    assert buffered.metrics().rejected == 0
    await buffered.aclose()
    stored = {one["decision_id"]: one["success"] for one in await log.query_decisions(limit=1000)}
    assert stored.keys() == set(accepted)
    assert {decision_id for decision_id, success in stored.items() if success} == set(outcomes)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"timestamp": to_iso(NOON + 6 * MINUTE)}, "/timestamp"),
        ({"decision_id": decision_id_for("QUERY", to_iso(NOON + 6 * MINUTE), "x")}, "/decision_id"),
        ({"timestamp": to_iso(NOON - 5_000 * 24 * 60 * MINUTE)}, "/timestamp"),
        ({"decision_id": decision_id_for("QUERY", to_iso(NOON - 5_000 * 24 * 60 * MINUTE), "x")}, "/decision_id"),
    ],
)
async def test_a_time_that_was_passed_is_refused_at_the_call(directory, arguments, field):
    clock = FixedClock(NOON)
    buffered = BufferedDecisionLogger(DecisionLogger("hunter", stores=in_memory_stores(clock)), directory, clock=clock)
    with pytest.raises(InvalidInput) as caught:
        await buffered.log_decision("QUERY", {}, {}, **arguments)
    assert caught.value.field == field
    assert buffered.metrics().pending_records == 0
    await buffered.aclose()


async def test_an_outcome_before_its_decision_is_refused_at_the_call(directory):
    clock = FixedClock(NOON)
    buffered = BufferedDecisionLogger(DecisionLogger("hunter", stores=in_memory_stores(clock)), directory, clock=clock)
    decision_id = new_decision_id("QUERY", NOON)
    for time in (NOON - 6 * MINUTE, timestamp_of(decision_id) - 6 * MINUTE):
        with pytest.raises(InvalidInput, match="is before the decision itself, which was made at") as caught:
            await buffered.log_outcome(decision_id, {}, True, timestamp=to_iso(time))
        assert caught.value.field == "/timestamp"
    await buffered.aclose()


def test_too_early_is_an_invalid_input_with_the_time_in_addition():
    error = TooEarly("timestamp", "is in the future", 61)
    expected = {"code": "invalid_input", "field": "/timestamp", "retry_after_seconds": 61}
    found = error.with_field("/timestamp").as_dict()
    assert {name: found[name] for name in expected} == expected
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(("ahead_ms", "seconds"), [(5 * MINUTE + 1, 1), (6 * MINUTE, 60), (6 * MINUTE + 1, 61)])
def test_the_seconds_are_rounded_up(ahead_ms, seconds):
    clock = FixedClock(NOON)
    log = DecisionLogger("hunter", stores=in_memory_stores(clock), clock=clock).sync
    decision_id = new_decision_id("QUERY", NOON + ahead_ms)
    with pytest.raises(TooEarly) as caught:
        log.log_decision("QUERY", {}, {}, decision_id=decision_id)
    assert caught.value.retry_after_seconds == seconds
    clock.advance(seconds * 1000)
    assert log.log_decision("QUERY", {}, {}, decision_id=decision_id) == decision_id
