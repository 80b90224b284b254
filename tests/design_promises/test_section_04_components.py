"""4. Components

4.1.1 Memory manager
4.1.2 Decision logger
4.1.3 Memory-aware agent
4.1.4 AWS clients
4.1.5 Memory analytics
"""

import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from agent_memory import AWSMemoryClients, DecisionLogger, MemoryAnalytics, MemoryManager, NotFound
from tests.design_promises.running_hunter import MARKET, hunter_of
from trading_agents import IntegratedMarketHunterAgent, MemoryAwareMarketHunterAgent

pytestmark = pytest.mark.local_cloud


def last_day():
    now = datetime.now(UTC)
    return (now - timedelta(hours=24), now + timedelta(minutes=1))


# --- 4.1.1 ---------------------------------------------------------------------------------------


async def test_4_1_1_a_memory_manager_takes_an_agent_and_its_clients(environment, local_cloud, agent_id):
    """`MemoryManager(agent_id, redis_client, dynamodb_client)`."""
    redis_client = AWSMemoryClients.get_redis_client(os.environ["REDIS_ENDPOINT"])
    memory = MemoryManager(agent_id, redis_client, AWSMemoryClients.get_dynamodb_client())
    assert await memory.store_stm("insight", {"n": 1}, 60) is True


async def test_4_1_1_store_stm(memory_manager, agent_id, cache):
    """`store_stm(key, data, ttl_seconds)` stores a value that expires."""
    await memory_manager.store_stm("insight", {"n": 1}, ttl_seconds=60)
    assert 0 < cache.ttl(f"stm:{{{agent_id}}}:insight") <= 60


async def test_4_1_1_retrieve_stm(memory_manager):
    """`retrieve_stm(key)` returns the value, or None."""
    await memory_manager.store_stm("insight", {"n": 1}, ttl_seconds=60)
    assert await memory_manager.retrieve_stm("insight") == {"n": 1}
    assert await memory_manager.retrieve_stm("other") is None


async def test_4_1_1_clear_stm(memory_manager):
    """`clear_stm(pattern=None)` erases the keys that match a pattern, or all."""
    for key in ("queries:whales", "queries:funding", "insight"):
        await memory_manager.store_stm(key, {"n": 1}, ttl_seconds=60)
    assert await memory_manager.clear_stm(pattern="queries:*") == 2
    assert await memory_manager.clear_stm() == 1


async def test_4_1_1_store_ltm(memory_manager):
    """`store_ltm(memory_type, pattern_id, data)` stores a memory and keeps every version of it."""
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.5})
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.6})
    history = await memory_manager.get_ltm_history("PATTERN", "whales")
    assert [one["version"] for one in history] == [1, 2]


async def test_4_1_1_retrieve_ltm(memory_manager):
    """`retrieve_ltm(memory_type, filters)` returns the memories that meet the filters."""
    await memory_manager.store_ltm("PATTERN", "whales", {"context": "bullish", "confidence": 0.8})
    await memory_manager.store_ltm("PATTERN", "funding", {"context": "bearish", "confidence": 0.8})
    found = await memory_manager.retrieve_ltm("PATTERN", filters={"context": "bullish", "min_confidence": 0.7})
    assert [one["pattern_id"] for one in found] == ["whales"]


async def test_4_1_1_update_ltm_confidence(memory_manager):
    """`update_ltm_confidence(pattern_id, new_confidence)` changes the confidence of a memory, and nothing else."""
    await memory_manager.store_ltm("PATTERN", "whales", {"text": "lead", "confidence": 0.5})
    await memory_manager.update_ltm_confidence("whales", 0.9)
    (whales,) = await memory_manager.retrieve_ltm("PATTERN")
    assert (whales["confidence"], whales["text"]) == (0.9, "lead")


async def test_4_1_1_get_context_memory(memory_manager, decision_logger):
    """`get_context_memory(time_range, context_filter)` returns what happened in a context, from all levels."""
    decision_id = await decision_logger.log_decision("QUERY", {"market": MARKET}, {})
    await decision_logger.log_decision("QUERY", {"market": {"trend": "bearish"}}, {})
    found = await memory_manager.get_context_memory(last_day(), {"trend": "bullish"})
    assert [one["decision_id"] for one in found["entries"]] == [decision_id]


async def test_4_1_1_get_pattern_memory(memory_manager):
    """`get_pattern_memory(pattern_type, min_confidence)` returns the patterns that are confident enough."""
    for name, confidence in (("whales", 0.9), ("noise", 0.55)):
        await memory_manager.store_ltm("PATTERN", name, {"confidence": confidence})
    assert [one["pattern_id"] for one in await memory_manager.get_pattern_memory("PATTERN", 0.8)] == ["whales"]


async def test_4_1_1_consolidate_to_ltm(memory_manager):
    """`consolidate_to_ltm(stm_key, pattern_type)` makes a value of short-term memory a long-term one."""
    await memory_manager.store_stm("insight", {"pattern_id": "gap", "confidence": 0.75})
    await memory_manager.consolidate_to_ltm("insight", "PATTERN")
    assert [one["pattern_id"] for one in await memory_manager.retrieve_ltm("PATTERN")] == ["gap"]


# --- 4.1.2 ---------------------------------------------------------------------------------------


async def test_4_1_2_a_decision_logger_takes_an_agent_a_client_and_a_memory_manager(
    environment, agent_id, memory_manager
):
    """`DecisionLogger(agent_id, dynamodb_client, memory_manager)`."""
    logger = DecisionLogger(agent_id, AWSMemoryClients.get_dynamodb_client(), memory_manager)
    assert await logger.log_decision("QUERY", {}, {})


async def test_4_1_2_log_decision_returns_the_decision_id(decision_logger):
    """`log_decision(decision_type, context, reasoning, metadata=None)` returns the decision's id."""
    decision_id = await decision_logger.log_decision("QUERY", {"n": 1}, {"why": 2}, {"version": "1.0"})
    logged = await decision_logger.get_decision(decision_id)
    assert (logged["context"], logged["reasoning"], logged["metadata"]) == ({"n": 1}, {"why": 2}, {"version": "1.0"})


async def test_4_1_2_log_outcome(decision_logger):
    """`log_outcome(decision_id, outcome, success, metrics=None)` says what came of a decision."""
    decision_id = await decision_logger.log_decision("QUERY", {}, {})
    await decision_logger.log_outcome(decision_id, {"rows": 12}, True, {"quality": 0.85})
    logged = await decision_logger.get_decision(decision_id)
    assert (logged["outcome"], logged["success"], logged["metrics"]) == ({"rows": 12}, True, {"quality": 0.85})


async def test_4_1_2_query_decisions(decision_logger):
    """`query_decisions` filters by type, time range, success and context, up to a limit."""
    won, other = [await decision_logger.log_decision("QUERY", {"market": MARKET}, {"n": n}) for n in range(2)]
    await decision_logger.log_decision("LEARNING", {"market": MARKET}, {})
    await decision_logger.log_outcome(won, {}, success=True)
    found = await decision_logger.query_decisions("QUERY", last_day(), True, {"trend": "bullish"}, limit=100)
    assert [one["decision_id"] for one in found] == [won]
    newest = await decision_logger.query_decisions(decision_type="QUERY", limit=1)
    assert [one["decision_id"] for one in newest] == [other]


async def test_4_1_2_get_decision_chain(decision_logger):
    """`get_decision_chain(decision_id, depth=5)` returns related decisions, before and after."""
    selection = await decision_logger.log_decision("SOURCE_SELECTION", {}, {})
    query = await decision_logger.log_decision("QUERY", {}, {}, parent_ids=[selection])
    signal = await decision_logger.log_decision("SIGNAL_GENERATION", {}, {}, parent_ids=[query])
    chain = await decision_logger.get_decision_chain(query, depth=5)
    assert {one["decision_id"]: one["relation"] for one in chain} == {selection: "ancestor", signal: "descendant"}


async def test_4_1_2_analyze_decision_patterns(planted):
    """`analyze_decision_patterns(decision_type, time_range, group_by="context")` aggregates outcomes for learning."""
    rates = await planted.logger.analyze_decision_patterns("SIGNAL_GENERATION", None, group_by="context")
    groups = {one["group"]: one for one in rates["groups"]}
    assert len(groups) == 4
    for high_or_low in ("high", "low"):
        bullish, bearish = (groups[f"trend={trend}|volatility={high_or_low}"] for trend in ("bullish", "bearish"))
        assert bullish["success_rate"] > bearish["success_rate"]


# --- 4.1.3 ---------------------------------------------------------------------------------------


@pytest.fixture
def agent(stores):
    """A hunter whose exploration does not depend on chance."""
    return hunter_of(f"selecting-{uuid4().hex[:12]}", stores, exploration_rate=0.0)


def test_4_1_3_the_memory_aware_agent_extends_the_existing_one():
    """`MemoryAwareMarketHunterAgent` extends `IntegratedMarketHunterAgent`."""
    assert issubclass(MemoryAwareMarketHunterAgent, IntegratedMarketHunterAgent)


async def test_4_1_3_it_checks_short_term_memory_for_recent_performance(agent):
    """Source selection with memory: 1. check short-term memory for recent performance."""
    await agent.memory.store_stm("performance:bullish", {"sentiment": 0.9}, ttl_seconds=900)
    selected, decision_id = await agent.select_sources_with_memory("bullish", max_sources=1)
    assert selected == ["sentiment"]
    assert (await agent.logger.get_decision(decision_id))["context"]["recent_performance"] == {"sentiment": 0.9}


async def test_4_1_3_it_queries_long_term_memory_for_patterns(agent):
    """Source selection with memory: 2. query long-term memory for patterns."""
    pattern = {"context": "bullish", "source": "sentiment", "confidence": 0.9, "success_rate": 0.9}
    await agent.memory.store_ltm("PATTERN", "sentiment_leads", pattern)
    selected, decision_id = await agent.select_sources_with_memory("bullish", max_sources=1)
    decision = await agent.logger.get_decision(decision_id)
    assert selected == ["sentiment"]
    assert decision["context"]["applied_patterns"] == decision["memory_ids"] == ["sentiment_leads"]


async def test_4_1_3_it_makes_the_decision_with_full_context(agent):
    """Source selection with memory: 3. make the decision with full context."""
    _, decision_id = await agent.select_sources_with_memory("bullish", max_sources=2)
    context = (await agent.logger.get_decision(decision_id))["context"]
    assert {"market", "cycle", "recent_performance", "applied_patterns"} <= set(context)


async def test_4_1_3_it_logs_the_decision_and_its_reasoning(agent):
    """Source selection with memory: 4. log the decision and its reasoning, and return both."""
    selected, decision_id = await agent.select_sources_with_memory("bullish", max_sources=2)
    decision = await agent.logger.get_decision(decision_id)
    assert decision["decision_type"] == "SOURCE_SELECTION"
    assert decision["reasoning"]["selected"] == selected
    assert set(decision["reasoning"]["scores"]) == set(agent.sources)
    assert decision["reasoning"]["patterns_influenced"] is False


async def test_4_1_3_learn_from_outcomes_consolidates_recent_decisions_into_patterns(hunted):
    """`learn_from_outcomes` consolidates the decisions of the last 24 hours into long-term patterns."""
    learned = {one["source"]: one for one in await hunted.agent.learn_from_outcomes()}
    assert learned["whaleMovements"]["success_rate"] == 1.0
    stored = await hunted.memory.retrieve_ltm("PATTERN")
    assert {one["pattern_id"] for one in stored} == {one["id"] for one in learned.values()}


# --- 4.1.4 ---------------------------------------------------------------------------------------


def test_4_1_4_get_dynamodb_client(environment, local_cloud):
    """`AWSMemoryClients.get_dynamodb_client(region="us-east-1")`."""
    assert AWSMemoryClients.get_dynamodb_client(region="us-east-1").list_tables()["TableNames"]


def test_4_1_4_get_redis_client(environment, local_cloud):
    """`AWSMemoryClients.get_redis_client(cluster_endpoint)`."""
    assert AWSMemoryClients.get_redis_client(os.environ["REDIS_ENDPOINT"]).ping()


def test_4_1_4_get_s3_client(environment, local_cloud):
    """`AWSMemoryClients.get_s3_client(region="us-east-1")`, for archives."""
    names = {one["Name"] for one in AWSMemoryClients.get_s3_client(region="us-east-1").list_buckets()["Buckets"]}
    assert local_cloud.outputs["ArchiveBucketName"] in names


def test_4_1_4_create_tables_if_not_exist(environment, local_cloud):
    """`AWSMemoryClients.create_tables_if_not_exist()` initializes the tables, once."""
    assert AWSMemoryClients.create_tables_if_not_exist() == []  # the stacks have created them
    prefix = f"own-{uuid4().hex[:8]}"
    assert len(AWSMemoryClients.create_tables_if_not_exist(prefix)) == 3
    assert AWSMemoryClients.create_tables_if_not_exist(prefix) == []


def test_4_1_4_create_redis_cache_if_not_exist(environment, local_cloud):
    """`AWSMemoryClients.create_redis_cache_if_not_exist()` initializes the cache and returns its endpoint."""
    created = AWSMemoryClients.create_redis_cache_if_not_exist()
    assert AWSMemoryClients.create_redis_cache_if_not_exist() == created
    assert created.rpartition(":")[2].isdigit()


# --- 4.1.5 ---------------------------------------------------------------------------------------


async def test_4_1_5_get_success_rate_by_context(planted):
    """`get_success_rate_by_context(time_range)` analyzes success rates across market contexts, each type by itself."""
    rows = await planted.analytics.get_success_rate_by_context(None)
    signals = {one["context_type"]: one for one in rows if one["decision_type"] == "SIGNAL_GENERATION"}
    assert signals["trend=bullish|volatility=high"]["success_rate"] > 0.5
    assert signals["trend=bearish|volatility=high"]["success_rate"] < 0.55


async def test_4_1_5_get_source_effectiveness(planted):
    """`get_source_effectiveness(time_range)` says which sources contribute to successful signals, the best first."""
    rows = await planted.analytics.get_source_effectiveness(None)
    assert [one["measured_by"] for one in rows] == ["outcome"] * 4
    assert rows[0]["source"] == "whaleMovements"
    assert all(one["low"] < one["success_rate"] < one["high"] for one in rows)


async def test_4_1_5_get_pattern_confidence_trend(memory_manager, decision_logger):
    """`get_pattern_confidence_trend(pattern_id)` says how confidence in a pattern has changed over time."""
    await memory_manager.store_ltm("PATTERN", "pump", {"confidence": 0.5})
    await memory_manager.update_ltm_confidence("pump", 0.9)
    trend = await MemoryAnalytics(decision_logger, memory_manager).get_pattern_confidence_trend("pump")
    assert [one["confidence"] for one in trend] == [0.5, 0.9]


async def test_4_1_5_identify_emerging_patterns(planted):
    """`identify_emerging_patterns(min_occurrences=5)` finds new patterns that are worth promoting."""
    active = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    found = await planted.analytics.identify_emerging_patterns(min_occurrences=5)
    assert not {one["id"] for one in found} & {one["pattern_id"] for one in active}  # those are promoted already


async def test_4_1_5_generate_performance_report(planted):
    """`generate_performance_report(time_range)` is a comprehensive report."""
    report = await planted.report()
    assert report["totals"]["decisions"] > 1_000
    assert {"success_by_context", "success_by_source", "patterns", "reliability", "control", "levels"} <= set(report)
    assert report["complete"]


async def test_4_1_5_a_pattern_that_is_not_known_is_an_error(memory_manager):
    """An update of a pattern that does not exist is an error, never a new pattern."""
    with pytest.raises(NotFound):
        await memory_manager.update_ltm_confidence("unknown", 0.5)
