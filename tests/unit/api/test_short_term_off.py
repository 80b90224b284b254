"""A deployment without a cache."""

from dataclasses import replace
from datetime import date

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.api.deployment import Deployment
from agent_memory.core.errors import ShortTermOff
from agent_memory.memory.access_counts import flush_access_counts
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import call_routes, client_with, short_term_calls


@pytest.fixture
def stores(clock):
    return replace(in_memory_stores(clock), short_term=None)


@pytest.fixture
def memory(stores, clock):
    return MemoryManager("hunter", stores=stores, clock=clock)


@pytest.fixture
def client(stores, monkeypatch):
    served = Deployment(stores)
    monkeypatch.setattr("agent_memory.api.deployment.deployment", lambda: served)
    return client_with(call_routes)


async def test_contexts_list_short_term_memory_as_off_and_not_as_missing(memory, clock):
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    decision_id = await logger.log_decision("QUERY", {"market": {"trend": "up"}}, {})
    contexts = await memory.get_context_memory()
    assert (contexts["complete"], contexts["missing"], contexts["off"]) == (True, [], ["short_term"])
    assert [entry["decision_id"] for entry in contexts["entries"]] == [decision_id]
    assert (await memory.get_context_memory(level="archive"))["off"] == []


async def test_contexts_list_nothing_as_off_with_a_cache(clock):
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    assert (await memory.get_context_memory())["off"] == []


async def test_an_agent_keeps_working_and_no_failure_is_counted(memory):
    assert await memory.store_stm("context:current", {"trend": "up"}) is False
    assert await memory.retrieve_stm("context:current") is None
    assert await memory.write_cycle(signals=["buy"]) is False
    assert (await memory.check_rate_limit("whales", 1))["is_shared"] is False
    assert memory.stm_metrics().failures == 0
    with pytest.raises(ShortTermOff, match="cache=on"):
        await memory.clear_stm()


async def test_long_term_memory_and_state_work(memory):
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5})
    assert [one["pattern_id"] for one in await memory.retrieve_ltm("PATTERN")] == ["pump"]
    await memory.save_state({"n": 1})
    assert (await memory.load_state())["data"] == {"n": 1}


async def test_the_api_returns_short_term_off(client):
    async with client:
        for call in short_term_calls(client, "context:current"):
            with pytest.raises(ShortTermOff, match="short-term memory is off"):
                await call
        assert (await client.get_context_memory())["off"] == ["short_term"]


def test_the_nightly_job_reports_why_it_added_no_access_counts(stores):
    result = flush_access_counts("hunter", date(2026, 11, 20), stores)
    assert result["memories"] == 0
    assert "short-term memory is off" in result["missing"]
