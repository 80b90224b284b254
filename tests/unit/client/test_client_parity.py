"""The client and the direct classes return the same results and raise the same errors."""

from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from agent_memory import Conflict, DecisionLogger, InvalidInput, MemoryManager, NotFound, TooLarge
from agent_memory.core.clock import SystemClock
from agent_memory.core.errors import AgentMemoryError
from agent_memory.core.ids import new_decision_id
from tests.http_events import call_routes, client_with


@pytest.fixture
def client(served):
    return client_with(call_routes)


def now_id(decision_type="QUERY"):
    return new_decision_id(decision_type, SystemClock().now_ms())


async def test_both_return_the_same_results(client, served):
    direct = DecisionLogger("market-hunter", stores=served)
    async with client:
        root = await client.log_decision("SOURCE_SELECTION", {"market": {"trend": "up"}}, {"selected": ["a", "b"]})
        child = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {}, parent_ids=[root])
        await client.log_outcome(child, {"rows": 1}, True, horizon="1h")
        await client.log_outcome(child, {"rows": 2}, False, horizon="1d", headline=True)
        await client.log_outcome(child, {"rows": 3}, True, horizon="1d", amend=True)
        for log in (client, direct):
            assert [one["relation"] for one in await log.get_decision_chain(root, depth=3)] == ["descendant"]
        assert await client.get_decision(child) == await direct.get_decision(child)
        assert await client.get_decision_chain(child) == await direct.get_decision_chain(child)
        span = (datetime(2026, 1, 1, tzinfo=UTC), "2999-01-01T00:00:00+02:00")
        for group_by in ("context", "source", "type", "context.market.trend"):
            statistics = await client.analyze_decision_patterns("QUERY", span, group_by)
            assert statistics == await direct.analyze_decision_patterns("QUERY", span, group_by)
        for filters in (
            {"success_filter": "pending"},
            {"context_type": "trend=up"},
            {"text": "SELECTED trend"},
            {"time_range": span},
            {"limit": 1, "newest_first": False},
        ):
            assert await client.query_decisions(**filters) == await direct.query_decisions(**filters)
            assert await client.page_decisions(**filters) == await direct.page_decisions(**filters)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("log_decision", ("lower", {}, {})),
        ("log_decision", ("QUERY", {"x": float("nan")}, {})),
        ("log_decision", ("QUERY", {"x": {"y": object()}}, {})),
        ("log_decision", ("QUERY", {1: 2}, {})),
        ("log_decision", ("QUERY", {"x": "\ud800"}, {})),
        ("log_decision", ("QUERY", 5, {})),
        ("get_decision", ("statistics",)),
        ("get_decision", ("",)),
        ("get_decision", ("../x",)),
        ("get_decision", (new_decision_id("QUERY", 5),)),
        ("get_decision_chain", (new_decision_id("QUERY", 5), 51)),
        ("log_outcome", ("x", {}, True)),
        ("log_outcome", (now_id(), {}, "yes")),
        ("log_outcome", (now_id(), {}, True)),
        ("query_decisions", ("lower",)),
        ("query_decisions", (None, ("then", None))),
        ("query_decisions", (None, ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"))),
        ("query_decisions", (None, None, "maybe")),
        ("query_decisions", (None, None, None, 5)),
        ("query_decisions", (None, None, None, None, 0)),
        ("query_decisions", (None, None, None, None, 1001)),
        ("query_decisions", (None, None, None, None, "many")),
        ("analyze_decision_patterns", (None, None, "nothing")),
    ],
)
async def test_both_raise_the_same_errors(client, served, method, arguments):
    errors = []
    async with client:
        for log in (client, DecisionLogger("market-hunter", stores=served)):
            with pytest.raises(AgentMemoryError) as caught:
                await getattr(log, method)(*arguments)
            errors.append((type(caught.value), getattr(caught.value, "field", None)))
    assert errors[0] == errors[1]


async def test_values_that_are_not_json_are_rejected_with_the_field(client):
    async with client:
        for call, field in (
            (client.query_decisions(context_filter={"x": float("inf")}), "context_filter/x"),
            (client.store_stm("k", object()), "data"),
            (client.save_state({"x": object()}), "/x"),
            (client.store_ltm("PATTERN", "p", {"x": object()}), "/x"),
            (client.retrieve_ltm("pattern"), "memory_type"),
            (client.retrieve_ltm("PATTERN", {"x": object()}), "filters/x"),
        ):
            with pytest.raises(InvalidInput) as caught:
                await call
            assert caught.value.field == field


async def test_mappings_and_tuples_are_sent_as_json(client):
    async with client:
        decision_id = await client.log_decision("QUERY", MappingProxyType({"a": (1, 2)}), {})
        assert (await client.get_decision(decision_id))["context"] == {"a": [1, 2]}


async def test_a_body_over_the_limit_is_too_large(client):
    async with client:
        with pytest.raises(TooLarge) as caught:
            await client.log_decision("QUERY", {"x": "y" * 10_000_000}, {})
    assert caught.value.field == "body"


async def test_a_query_reads_on_where_pages_end_early(client):
    async with client:
        large = {"x": "y" * 1_500_000}
        decisions = [{"decision_type": "QUERY", "context": {"n": n}, "reasoning": large} for n in range(9)]
        assert {result["status"] for result in await client.log_decisions(decisions)} == {"created"}
        page = await client.page_decisions(limit=9)
        assert len(page["decisions"]) == 4
        assert page["cursor"]
        assert {one["context"]["n"] for one in await client.query_decisions(limit=9)} == set(range(9))
        assert len(await client.query_decisions(limit=7)) == 7


async def test_one_memory_is_read_and_deleted_over_http(client, served):
    direct = MemoryManager("market-hunter", stores=served)
    async with client:
        stored = await client.store_ltm("LESSON", "BTC/USDT", {"text": "fade gaps"})
        assert await client.get_ltm("LESSON", "BTC/USDT") == stored
        with pytest.raises(Conflict):
            await client.delete_ltm("LESSON", "BTC/USDT", reason="a test's data", expected_version=2)
        removed = await client.delete_ltm("LESSON", "BTC/USDT", reason="a test's data", expected_version=1)
        assert (removed["version"], removed["reason"]) == (2, "a test's data")
        assert await direct.delete_ltm("LESSON", "BTC/USDT", reason="again") == removed
        for memory in (client, direct):
            with pytest.raises(NotFound):
                await memory.get_ltm("LESSON", "BTC/USDT")
            with pytest.raises(NotFound):
                await memory.delete_ltm("LESSON", "never", reason="cleaning")
            with pytest.raises(InvalidInput, match="reason"):
                await memory.delete_ltm("LESSON", "BTC/USDT", reason="")
