"""What the sink cannot store is refused at the call, by the sink's own limit, so that no outcome is orphaned."""

from dataclasses import replace

import pytest
from buffer_fakes import FakeStore
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import (
    AgentMemoryClient,
    BufferedDecisionLogger,
    DecisionLogger,
    InvalidInput,
    TooLarge,
    in_memory_stores,
    new_decision_id,
)
from agent_memory.buffering.payloads import decision_payload
from agent_memory.client.decision_logger import _SMALL_BYTES, _is_small
from agent_memory.client.http import HttpBackend
from agent_memory.core.clock import SystemClock
from agent_memory.core.http_limits import MAX_BODY_BYTES, MAX_ESCAPED_BYTES
from agent_memory.decisions.inputs import parse_decision, parse_outcome
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.dynamodb.items import decision_item, item_size
from tests.http_events import FakeSession, call_routes
from tests.http_servers import http_server


class AcceptingClient:
    """A client of DynamoDB that accepts every item."""

    def __getattr__(self, name):
        return lambda **_: {}


def on_dynamodb(*, bucket):
    stores = in_memory_stores()
    decisions = DynamoDBDecisions(AcceptingClient(), "agent-memory", blobs=stores.blobs if bucket else None)
    return DecisionLogger("hunter", stores=replace(stores, decisions=decisions))


def over_http():
    return AgentMemoryClient("https://api.example", "hunter", session=FakeSession())


SINKS = {
    "over HTTP": (over_http, 5_480_000, 5_520_000),
    "over HTTP, escaped": (over_http, 3_100_000, 3_200_000),
    "DynamoDB": (lambda: on_dynamodb(bucket=False), 345_000, 355_000),
    "DynamoDB and a bucket": (lambda: on_dynamodb(bucket=True), 9_990_000, 10_010_000),
    "in memory": (lambda: DecisionLogger("hunter", stores=in_memory_stores()), 9_990_000, 10_010_000),
}


@pytest.mark.parametrize(("sink", "fits", "too_large"), SINKS.values(), ids=SINKS)
@pytest.mark.parametrize("name", ["context", "reasoning", "metadata"])
async def test_a_decision_is_refused_at_the_call(directory, sink, fits, too_large, name):
    is_escaped = too_large == SINKS["over HTTP, escaped"][2]
    buffered = BufferedDecisionLogger(sink(), directory)
    arguments = {"context": {"n": 1}, "reasoning": {}, "metadata": {}}
    text = '"' * (too_large // 2) if is_escaped else "x" * too_large
    with pytest.raises(TooLarge) as caught:
        await buffered.log_decision("QUERY", **arguments | {name: {"text": text}})
    assert caught.value.field in (f"/{name}", "decision")
    assert buffered.metrics().pending_records == 0
    text = '"' * (fits // 2) if is_escaped else "x" * fits
    await buffered.log_decision("QUERY", **arguments | {name: {"text": text}})
    await buffered.aclose(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sink", "fits", "too_large"),
    [
        (over_http, 5_480_000, 5_520_000),
        (lambda: on_dynamodb(bucket=False), 47_000, 49_000),
        (lambda: on_dynamodb(bucket=True), 9_990_000, 10_010_000),
    ],
    ids=["over HTTP", "DynamoDB", "DynamoDB and a bucket"],
)
@pytest.mark.parametrize("name", ["outcome", "metrics"])
async def test_an_outcome_is_refused_at_the_call(directory, sink, fits, too_large, name):
    buffered = BufferedDecisionLogger(sink(), directory)
    decision_id = await buffered.log_decision("QUERY", {}, {})
    arguments = {"outcome": {"n": 1}, "success": True, "metrics": {}}
    with pytest.raises(TooLarge) as caught:
        await buffered.log_outcome(decision_id, **arguments | {name: {"text": "x" * too_large}})
    assert caught.value.field in (f"/{name}", "decision")
    await buffered.log_outcome(decision_id, **arguments | {name: {"text": "x" * fits}})
    assert buffered.metrics().rejected == 0
    await buffered.aclose(0)


async def test_what_is_just_within_the_limit_is_stored_over_http(served, directory, no_waits):
    """The whole way: what the buffer accepts, the routes accept."""
    with http_server(call_routes) as url:
        client = AgentMemoryClient(url, "hunter", session=FakeSession())
        buffered = BufferedDecisionLogger(client, directory)
        texts = ("x" * (MAX_BODY_BYTES - 200), '"' * ((MAX_ESCAPED_BYTES - 300) // 4))
        ids = [await buffered.log_decision("QUERY", {"text": text}, {}) for text in texts]
        with pytest.raises(TooLarge, match="5,500,000 bytes"):
            await buffered.log_decision("QUERY", {"text": "x" * MAX_BODY_BYTES}, {})
        await buffered.flush(60)
        assert (buffered.metrics().acknowledged, buffered.metrics().rejected) == (2, 0)
        for decision_id in ids:
            await buffered.log_outcome(decision_id, {"n": 1}, True)
        await buffered.aclose(60)
        assert buffered.metrics().acknowledged == 4


async def test_an_item_that_is_too_large_has_a_result_of_its_own_in_a_batch(served, no_waits):
    with http_server(call_routes) as url:
        async with AgentMemoryClient(url, "hunter", session=FakeSession()) as client:
            sizes = (10, MAX_BODY_BYTES, 20)
            decisions = [{"decision_type": "QUERY", "context": {"text": "x" * size}, "reasoning": {}} for size in sizes]
            results = await client.log_decisions(decisions)
            assert [one["status"] for one in results] == ["created", "invalid", "created"]
            assert (results[1]["error"]["code"], results[1]["error"]["field"]) == ("too_large", "/decisions/1")
            with pytest.raises(TooLarge, match="body"):
                await client.log_decision("QUERY", {"text": "x" * MAX_BODY_BYTES}, {})


async def test_a_sink_of_ones_own_states_its_limit(directory):
    class Small(FakeStore):
        def check_decision(self, _, payload):
            if len(payload) > 200:
                raise TooLarge("/context", "larger than 200 bytes")

        def check_outcome(self, _, payload):
            if len(payload) > 200:
                raise TooLarge("/outcome", "larger than 200 bytes")

    buffered = BufferedDecisionLogger(Small(), directory)
    decision_id = await buffered.log_decision("QUERY", {}, {})
    with pytest.raises(TooLarge, match="200 bytes"):
        await buffered.log_decision("QUERY", {"text": "x" * 200}, {})
    with pytest.raises(TooLarge, match="200 bytes"):
        await buffered.log_outcome(decision_id, {"text": "x" * 200}, True)
    await buffered.aclose()


numbers = st.floats(-1e300, 1e300).filter(lambda one: one == 0 or 1e-100 < abs(one) < 1e100) | st.integers(-9, 10**18)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=6),
    max_leaves=60,
)


@given(values, st.integers(1, 200))
def test_the_quick_check_never_calls_a_large_item_small(value, repeated):
    data = {"decision_type": "QUERY", "context": {"a/~ü": [value] * repeated}, "reasoning": {}}
    try:
        decision, payload = decision_payload(data, agent_id="hunter", now_ms=10**12)
    except InvalidInput:
        return
    if _is_small(payload):
        assert item_size(decision_item(decision)) <= _SMALL_BYTES + 5_000


def test_a_thousand_floats_behind_a_long_name_are_not_small(directory):
    """A float without a fraction is stored with its path in addition, so that 8 KB of JSON can take 400 KB."""
    name = "n" * 255
    logger = BufferedDecisionLogger(on_dynamodb(bucket=False), directory).sync
    with pytest.raises(TooLarge) as caught:
        logger.log_decision("QUERY", {name: [1.0] * 1_500}, {})
    assert caught.value.field == "/context"
    logger.log_decision("QUERY", {name: [1.0] * 1_000}, {})
    logger.close()


@pytest.mark.parametrize(
    "change",
    [
        {"parent_ids": ["x"]},
        {"parent_ids": [new_decision_id("QUERY", 4_000_000_000_000)]},
        {"parent_ids": [new_decision_id("QUERY", 5 + n) for n in range(101)]},
        {"parent_ids": "x"},
        {"memory_ids": [""]},
        {"memory_ids": [5]},
        {"metadata": []},
        {"decision_type": "query"},
    ],
)
@pytest.mark.parametrize("sink", [over_http, lambda: on_dynamodb(bucket=False), FakeStore], ids=["http", "aws", "own"])
async def test_all_other_checks_of_the_input_are_made_at_the_call(directory, sink, change):
    buffered = BufferedDecisionLogger(sink(), directory)
    data = {"decision_type": "QUERY", "context": {}, "reasoning": {}} | change
    with pytest.raises(InvalidInput) as caught:
        await buffered.log_decision(**data)
    with pytest.raises(InvalidInput) as expected:
        parse_decision(data, agent_id="hunter", now_ms=SystemClock().now_ms())
    assert caught.value.field == expected.value.field
    assert buffered.metrics().pending_records == 0
    await buffered.aclose(0)


@pytest.mark.parametrize("change", [{"horizon": "1 h"}, {"horizon": ""}, {"metrics": [1]}, {"metrics": {"q": 10**400}}])
async def test_all_other_checks_of_an_outcome_are_made_at_the_call(directory, change):
    buffered = BufferedDecisionLogger(over_http(), directory)
    data = {"decision_id": new_decision_id("QUERY"), "outcome": {}, "success": True} | change
    with pytest.raises(InvalidInput) as caught:
        await buffered.log_outcome(**data)
    with pytest.raises(InvalidInput) as expected:
        parse_outcome(data, now_ms=SystemClock().now_ms())
    assert caught.value.field == expected.value.field
    await buffered.aclose(0)


async def test_a_subclass_that_overrides_a_method_keeps_the_limits_of_its_backend(directory):
    class Counting(AgentMemoryClient):
        async def log_decisions(self, decisions):
            return await super().log_decisions(decisions)

    buffered = BufferedDecisionLogger(Counting("https://api.example", "hunter", session=FakeSession()), directory)
    with pytest.raises(TooLarge, match="5,500,000 bytes"):
        await buffered.log_decision("QUERY", {"text": "x" * MAX_BODY_BYTES}, {})
    await buffered.aclose()


def test_both_backends_of_this_package_state_limits():
    for name in ("check_decision", "check_outcome"):
        assert hasattr(HttpBackend, name)
        assert hasattr(DecisionLogger("hunter", stores=in_memory_stores())._decisions, name)
