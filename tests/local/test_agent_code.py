"""Code as teams write it against the design runs on the deployed stores, and its data survives a restart."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import AWSMemoryClients, DecisionLogger, MemoryAnalytics, MemoryManager
from local.stores import stores_of
from tests.local.function_log import counted, counted_so_far
from tests.local.memory_aware_hunter import (
    HOUR,
    IntegratedMarketHunterAgent,
    MarketContext,
    MemoryAwareMarketHunterAgent,
)

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def in_the_cloud(local_cloud, monkeypatch):
    """AWS clients of this process use the local cloud, with tables of another prefix that are created by hand."""
    for name, value in local_cloud.environment().items():
        monkeypatch.setenv(name, value)
    AWSMemoryClients.create_tables_if_not_exist("btc-agent")
    return local_cloud


def agent_with_memory(agent_id="market-hunter"):
    memory_manager = MemoryManager(
        agent_id=agent_id, redis_endpoint=os.environ["REDIS_ENDPOINT"], dynamodb_table_prefix="btc-agent"
    )

    decision_logger = DecisionLogger(agent_id=agent_id, memory_manager=memory_manager)

    return MemoryAwareMarketHunterAgent(
        agent_name=agent_id, learning_rate=0.1, memory_manager=memory_manager, decision_logger=decision_logger
    )


async def test_an_agent_becomes_memory_aware_and_runs_its_cycles(in_the_cloud):
    before = IntegratedMarketHunterAgent(agent_name="market-hunter", learning_rate=0.1)
    agent = agent_with_memory()
    await agent.memory.store_stm("performance:bullish", {"whaleMovements": 0.7}, ttl_seconds=900)
    signals = await agent.run_cycle_with_memory({"context": MarketContext.BULLISH})
    assert [one["source"] for one in signals] == before.select_sources(MarketContext.BULLISH, 2)
    assert (await agent.memory.retrieve_stm("queries:derivatives:latest"))["reading"] == 0.87
    await agent.learn_from_outcomes()
    await agent.run_cycle_with_memory({"context": MarketContext.BULLISH})
    newest, first = await agent.logger.query_decisions(decision_type="SOURCE_SELECTION")
    assert newest["context"]["applied_patterns"] == ["whales_lead"]
    assert first["context"] == {
        "market": "bullish",
        "cycle": 0,
        "recent_performance": {"whaleMovements": 0.7},
        "applied_patterns": [],
    }
    assert (first["success"], first["metrics"]["quality"]) == (True, pytest.approx(0.895))


async def test_every_component_takes_the_calls_of_the_design(in_the_cloud):
    now = datetime.now(UTC)
    dynamodb_client = AWSMemoryClients.get_dynamodb_client(region="us-east-1")
    redis_client = AWSMemoryClients.get_redis_client(os.environ["REDIS_ENDPOINT"])
    assert AWSMemoryClients.get_s3_client().list_buckets()["Buckets"]
    AWSMemoryClients.create_tables_if_not_exist()
    AWSMemoryClients.create_redis_cache_if_not_exist()

    memory = MemoryManager("designed", redis_client, dynamodb_client)
    await memory.store_stm("insight", {"pattern_id": "gap", "confidence": 0.75}, 60)
    assert await memory.retrieve_stm("insight") == {"pattern_id": "gap", "confidence": 0.75}
    await memory.consolidate_to_ltm("insight", "PATTERN")
    assert await memory.clear_stm(pattern="ins*") == 1
    assert await memory.clear_stm(pattern=None) == 0
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5})
    await memory.update_ltm_confidence("pump", 0.9)
    assert [one["pattern_id"] for one in await memory.retrieve_ltm("PATTERN", {"min_confidence": 0.7})] == [
        "pump",
        "gap",
    ]
    assert [one["pattern_id"] for one in await memory.get_pattern_memory("PATTERN", 0.8)] == ["pump"]

    logger = DecisionLogger("designed", dynamodb_client, memory)
    decision_id = await logger.log_decision("QUERY", {"market": {"trend": "up"}}, {"selected": ["a"]}, metadata=None)
    await logger.log_outcome(decision_id, {"rows": 1}, True, metrics=None)
    span = (now - HOUR, now + HOUR)
    assert len(await logger.query_decisions("QUERY", span, True, {"market": {"trend": "up"}}, limit=100)) == 1
    assert await logger.get_decision_chain(decision_id, depth=5) == []
    assert (await logger.analyze_decision_patterns("QUERY", span, group_by="context"))["groups"][0]["succeeded"] == 1
    assert len((await memory.get_context_memory(span, {"trend": "up"}))["entries"]) == 1

    analytics = MemoryAnalytics(logger, memory)
    assert (await analytics.get_success_rate_by_context(span))[0]["context_type"] == "trend=up"
    assert (await analytics.get_source_effectiveness(span))[0]["source"] == "a"
    assert [one["confidence"] for one in await analytics.get_pattern_confidence_trend("pump")] == [0.5, 0.9]
    assert await analytics.identify_emerging_patterns(min_occurrences=5) == []
    assert (await analytics.generate_performance_report(span))["totals"]["decisions"] == 1


@pytest.mark.slow
async def test_memory_persists_across_a_full_restart_of_the_cloud(in_the_cloud):
    agent = agent_with_memory("survivor")
    await agent.run_cycle_with_memory({"context": MarketContext.BEARISH})
    await agent.learn_from_outcomes()
    await agent.memory.update_ltm_confidence("whales_lead", 0.85, reason="held")
    saved = await agent.memory.save_state({"current_cycle": 7, "configuration": {"learning_rate": 0.1}})
    await agent.memory.create_checkpoint("evening")
    decisions = await agent.logger.query_decisions()
    history = await agent.memory.get_ltm_history("PATTERN", "whales_lead")

    in_the_cloud.stop()
    in_the_cloud.start()

    again = agent_with_memory("survivor")
    assert await again.memory.retrieve_stm("queries:derivatives:latest") is None  # the cache came back empty
    assert await again.memory.load_state() == saved
    assert await again.logger.query_decisions() == decisions
    assert await again.memory.get_ltm_history("PATTERN", "whales_lead") == history
    assert [one["name"] for one in await again.memory.list_checkpoints()] == ["evening"]
    assert [one["configuration"] for one in await again.memory.list_configurations()] == [{"learning_rate": 0.1}]
    now = datetime.now(UTC)
    met = await again.memory.get_context_memory((now - timedelta(hours=1), now + HOUR), {"market": "bearish"})
    assert ([one["decision_id"] for one in met["entries"]], met["complete"]) == ([decisions[0]["decision_id"]], True)
    before = counted_so_far(in_the_cloud)
    await DecisionLogger("survivor", stores=stores_of(in_the_cloud)).log_decision("QUERY", {}, {})
    assert counted(in_the_cloud, before + 1) == before + 1  # the stream is read from the restart on
