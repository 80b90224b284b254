"""2. Architecture

2.1 High-level architecture
2.2.A Memory manager
2.2.B Decision logger
"""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import InvalidInput, MemoryManager, in_memory_stores
from agent_memory.core import retention
from tests.design_promises.planted_history import RIGHT_IN_BULLISH
from tests.design_promises.running_hunter import run_hunter

pytestmark = pytest.mark.local_cloud

HIGH = {"volatility": "high", "trend": "bullish"}


async def decisions(agent, decision_type):
    return await agent.logger.query_decisions(decision_type)


# --- 2.1 -----------------------------------------------------------------------------------------


async def test_2_1_the_decision_logger_captures_context(decision_logger):
    """The decision logger captures context."""
    decision_id = await decision_logger.log_decision("QUERY", {"market": HIGH, "cycle": 142}, {})
    assert (await decision_logger.get_decision(decision_id))["context"] == {"market": HIGH, "cycle": 142}


async def test_2_1_the_decision_logger_tracks_outcomes(decision_logger):
    """The decision logger tracks outcomes."""
    decision_id = await decision_logger.log_decision("QUERY", {}, {})
    assert (await decision_logger.get_decision(decision_id))["outcome"] is None
    await decision_logger.log_outcome(decision_id, {"rows": 12}, success=True)
    assert (await decision_logger.get_decision(decision_id))["outcome"] == {"rows": 12}


async def test_2_1_the_decision_logger_links_decisions_to_memory(decision_logger, memory_manager):
    """The decision logger links decisions to the memories that they are based on, and to the decisions before them."""
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.8})
    first = await decision_logger.log_decision("SOURCE_SELECTION", {}, {}, memory_ids=["whales"])
    await decision_logger.log_decision("QUERY", {}, {}, parent_ids=[first])
    assert (await decision_logger.get_decision(first))["memory_ids"] == ["whales"]
    (after,) = await decision_logger.get_decision_chain(first)
    assert (after["decision_type"], after["relation"]) == ("QUERY", "descendant")


async def test_2_1_the_memory_manager_has_a_cache_a_store_and_a_hierarchy(memory_manager, decision_logger):
    """The memory manager has a short-term cache, a long-term store, and reads them as one hierarchy."""
    await memory_manager.store_stm("context:current", HIGH)
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.8})
    await decision_logger.log_decision("QUERY", {"market": HIGH}, {})
    found = await memory_manager.get_context_memory(context_filter={"trend": "bullish"})
    assert [one["kind"] for one in found["entries"]] == ["current", "decision"]


def test_2_1_decisions_are_in_dynamodb_short_term_memory_in_elasticache_archives_in_s3(templates):
    """Decisions are stored in DynamoDB, short-term memory in ElastiCache, archives in S3."""
    tables = {one["TableName"] for one in templates["storage"].properties("AWS::DynamoDB::Table")}
    assert tables == {"agent-memory-agent_decisions", "agent-memory-agent_memory_ltm", "agent-memory-agent_state"}
    assert len(templates["cache"].of_type("AWS::ElastiCache::ReplicationGroup")) == 1
    assert len(templates["storage"].of_type("AWS::S3::Bucket")) == 1


# --- 2.2.A: short-term memory --------------------------------------------------------------------


async def test_2_2_a_short_term_memory_is_kept_for_1_to_24_hours(memory_manager, cache, agent_id):
    """Short-term memory is kept for an hour by default, and for 24 hours at most."""
    await memory_manager.store_stm("insight", {"n": 1})
    assert 3_590 <= cache.ttl(f"stm:{{{agent_id}}}:insight") <= 3_600
    await memory_manager.store_stm("insight", {"n": 1}, ttl_seconds=24 * 3_600)
    with pytest.raises(InvalidInput):
        await memory_manager.store_stm("insight", {"n": 1}, ttl_seconds=24 * 3_600 + 1)


async def test_2_2_a_short_term_memory_is_in_redis_or_in_the_process(memory_manager, agent_id):
    """Short-term memory is in Redis, or in a cache of the Python process, with the same methods."""
    in_the_process = MemoryManager(agent_id, stores=in_memory_stores())
    for memory in (memory_manager, in_the_process):
        assert await memory.store_stm("insight", {"n": 1}) is True
        assert await memory.retrieve_stm("insight") == {"n": 1}


async def test_2_2_a_short_term_memory_has_the_current_market_context(hunted):
    """Short-term memory contains the current market context: volatility, trend and what else an agent puts there."""
    found = await hunted.memory.get_context_memory(context_filter={"volatility": "high", "trend": "bullish"}, limit=1)
    assert (found["entries"][0]["kind"], found["entries"][0]["context"]["market"]) == ("current", HIGH)


async def test_2_2_a_short_term_memory_has_the_queries_of_the_last_ten_cycles(hunted):
    """Short-term memory contains the source queries of the last ten cycles."""
    assert hunted.agent.current_cycle > 10
    cycles = await hunted.memory.read_cycle(cycles=10)
    assert len(cycles["queries"]) == 10
    with pytest.raises(InvalidInput):
        await hunted.memory.read_cycle(cycles=11)


async def test_2_2_a_short_term_memory_has_the_active_signals(hunted):
    """Short-term memory contains the active signals that are being monitored."""
    active = (await hunted.memory.read_cycle())["signals"]
    assert {one["source"] for one in hunted.signals} <= {one["source"] for one in active}


async def test_2_2_a_rate_limits_are_tracked_in_real_time(memory_manager):
    """Short-term memory tracks rate limits in real time."""
    answers = [await memory_manager.check_rate_limit("whale-api", 2) for _ in range(3)]
    assert [one["allowed"] for one in answers] == [True, True, False]
    assert answers[-1]["is_shared"]


def test_2_2_a_short_term_memory_has_the_current_agent_state(stores, cache):
    """Short-term memory contains the current state of the agent, exploration against exploitation included."""
    hunter = run_hunter(stores, cycles=1)
    assert cache.exists(f"stm:{{{hunter.agent_id}}}:state:current")
    state = hunter.memory.sync.load_state()["data"]
    assert (state["current_cycle"], state["configuration"]["exploration_rate"]) == (1, 0.3)


# --- 2.2.A: long-term memory ---------------------------------------------------------------------


def test_2_2_a_long_term_memory_is_kept_for_days_to_months_and_configurable():
    """Long-term memory is kept for days to months, and each number is a constant of one module that can be changed."""
    assert (retention.LOW_CONFIDENCE_DAYS, retention.DEPRECATED_DAYS) == (30, 180)
    assert (retention.ARCHIVE_AFTER_DAYS, retention.HOT_DAYS) == (30, 90)


async def test_2_2_a_long_term_memory_is_in_dynamodb_with_ttl_and_in_s3(aged, stores, dynamodb):
    """Long-term memory is in DynamoDB with a TTL, and in S3 as archives."""
    partition = {":pk": {"S": f"{aged.agent_id}#QUERY"}}
    items = dynamodb.query(
        TableName="agent-memory-agent_decisions", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=partition
    )["Items"]
    expiring = {item["decision_id"]["S"] for item in items if "ttl" in item}
    (day,) = stores.archive.days(aged.agent_id)
    archived = {one.decision_id for one in stores.archive.read_day(aged.agent_id, day)}
    assert expiring == archived == {aged.decision_ids["archive"]}


async def test_2_2_a_long_term_memory_has_source_performance_by_context(planted):
    """Long-term memory contains the historical performance of each source by context."""
    found = await planted.memory.retrieve_ltm("SOURCE_PERFORMANCE")
    by_source = {one["features"][0]: one for one in found}
    assert {"reasoning.source=whaleMovements", "reasoning.source=derivatives"} <= set(by_source)
    assert "bullish" in str(by_source["reasoning.source=whaleMovements"]["by_context"])


async def test_2_2_a_long_term_memory_has_learned_patterns(planted):
    """Long-term memory contains learned patterns: "whale movements predict pumps 70% of the time in bullish trends"."""
    learned = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    (whales, *_) = [one for one in learned if "whale" in str(one["features"]) and "bullish" in str(one["features"])]
    assert "whale" in whales["description"].lower()
    assert "bullish" in whales["description"].lower()
    assert whales["success_rate"] == pytest.approx(RIGHT_IN_BULLISH, abs=0.1)


async def test_2_2_a_long_term_memory_has_strategy_effectiveness_over_time(planted):
    """Long-term memory contains the effectiveness of strategies over time."""
    strategies = {one["features"][0]: one for one in await planted.memory.retrieve_ltm("STRATEGY")}
    assert set(strategies) == {"reasoning.strategy=exploitation", "reasoning.strategy=exploration"}
    exploitation = strategies["reasoning.strategy=exploitation"]
    history = await planted.memory.get_ltm_history("STRATEGY", exploitation["pattern_id"])
    assert len(history) > 1


async def test_2_2_a_long_term_memory_has_market_condition_archetypes(planted):
    """Long-term memory contains archetypes of market conditions."""
    archetypes = await planted.memory.retrieve_ltm("ARCHETYPE")
    assert any("bullish" in str(one["features"]) for one in archetypes)


async def test_2_2_a_long_term_memory_has_the_evolution_of_an_agents_configuration(memory_manager):
    """Long-term memory contains the evolution of an agent's configuration."""
    for learning_rate in (0.1, 0.2):
        await memory_manager.save_state({"configuration": {"learning_rate": learning_rate}})
    evolution = await memory_manager.list_configurations()
    assert [one["configuration"]["learning_rate"] for one in evolution] == [0.1, 0.2]


async def test_2_2_a_the_hunter_records_its_own_configuration(hunted):
    """The market hunter records its configuration by itself."""
    (configuration,) = await hunted.memory.list_configurations()
    assert configuration["configuration"]["learning_rate"] == 0.1


# --- 2.2.A: hierarchical retrieval ---------------------------------------------------------------


async def test_2_2_a_level_1_is_immediate_from_the_cache(hunted):
    """Level 1, immediate: the last hour is read from the cache, and what the log has of it from DynamoDB."""
    found = await hunted.memory.get_context_memory(level="immediate", limit=1_000)
    assert found["entries"][0]["kind"] == "current"
    assert found["complete"]


async def test_2_2_a_level_2_is_recent_from_dynamodb(aged):
    """Level 2, recent: 1 to 24 hours are read from DynamoDB."""
    await assert_level(aged, "recent")


async def test_2_2_a_level_3_is_historical_from_dynamodb(aged):
    """Level 3, historical: 1 to 30 days are read from DynamoDB."""
    await assert_level(aged, "historical")


async def test_2_2_a_level_4_is_the_archive_from_s3_with_an_index(aged, stores):
    """Level 4, archive: more than 30 days are read from S3, where every agent and day has a key of its own."""
    await assert_level(aged, "archive")
    (day,) = stores.archive.days(aged.agent_id)
    assert day == (datetime.now(UTC) - timedelta(days=40)).date()


async def assert_level(aged, level):
    found = await aged.memory.get_context_memory(level=level)
    assert [one["decision_id"] for one in found["entries"]] == [aged.decision_ids[level]]


async def test_2_2_a_all_levels_are_read_at_once_newest_first(aged):
    """All four levels are read at once, newest first."""
    found = await aged.memory.get_context_memory(context_filter={"volatility": "high"})
    assert [one["level"] for one in found["entries"]] == ["immediate", "recent", "historical", "archive"]
    assert found["complete"]


# --- 2.2.B ---------------------------------------------------------------------------------------


async def test_2_2_b_a_source_selection_says_which_sources_to_query(hunted):
    """A source selection says which sources to query."""
    for one in await decisions(hunted, "SOURCE_SELECTION"):
        assert len(one["reasoning"]["selected"]) == 2


async def test_2_2_b_a_source_selection_says_why_those_with_a_scoring_breakdown(hunted):
    """A source selection says why those sources: every score, what it is based on, and the chance of each choice."""
    newest = (await decisions(hunted, "SOURCE_SELECTION"))[0]["reasoning"]
    assert newest["scores"]["whaleMovements"] > 0.5 > newest["scores"]["sentiment"]
    assert newest["judged"]["whaleMovements"] == hunted.agent.current_cycle - 1
    assert sum(newest["propensities"].values()) == pytest.approx(2)


async def test_2_2_b_a_source_selection_has_the_context_at_its_time(hunted):
    """A source selection has the context at the time of the decision."""
    newest = (await decisions(hunted, "SOURCE_SELECTION"))[0]["context"]
    assert newest["market"] == HIGH
    assert newest["cycle"] == hunted.agent.current_cycle - 1
    assert newest["trading_hours"] in {"asian", "european", "american"}


async def test_2_2_b_a_query_says_its_parameters(hunted):
    """A query says what parameters are used."""
    assert (await decisions(hunted, "QUERY"))[0]["reasoning"]["parameters"]["max_sources"] == 2


async def test_2_2_b_a_query_says_its_priority(hunted):
    """A query says the priority level that was chosen for each source."""
    priority = (await decisions(hunted, "QUERY"))[0]["reasoning"]["priority"]
    assert sorted(priority.values()) == [1, 2, 3, 4]


async def test_2_2_b_a_query_says_its_fallback_strategy(hunted):
    """A query says its fallback strategy."""
    assert (await decisions(hunted, "QUERY"))[0]["reasoning"]["fallback"] == "next_best"


async def test_2_2_b_a_signal_says_why_it_was_generated(hunted):
    """A signal says why it was generated: its source, the reading and the threshold."""
    signal = (await decisions(hunted, "SIGNAL_GENERATION"))[0]["reasoning"]
    assert abs(signal["reading"]) >= signal["threshold"]
    assert signal["source"] in {"whaleMovements", "derivatives", "institutional", "sentiment"}


async def test_2_2_b_a_signal_says_how_its_confidence_was_calculated(hunted):
    """A signal says how its confidence was calculated."""
    signals = [one["reasoning"] for one in await decisions(hunted, "SIGNAL_GENERATION")]
    newest = next(one for one in signals if one["source"] == "whaleMovements")
    judged = hunted.agent.current_cycle - 1
    assert newest["confidence_from"] == {"judged": judged, "right": judged}
    assert newest["confidence"] == pytest.approx(1 - 0.5 * 0.9**judged, abs=1e-4)


async def test_2_2_b_a_signal_names_target_agents_and_actions(hunted):
    """A signal names the agents that are to act on it, and their action."""
    signals = [one["reasoning"] for one in await decisions(hunted, "SIGNAL_GENERATION")]
    acted_on = next(one for one in signals if one["targets"])
    assert acted_on["targets"] == [{"agent": "trader", "action": "buy" if acted_on["reading"] > 0 else "sell"}]


async def test_2_2_b_a_learning_decision_has_the_metric_updates(hunted):
    """A learning decision has the metric updates: every score before and after."""
    newest = (await decisions(hunted, "LEARNING"))[0]["reasoning"]
    assert newest["after"]["whaleMovements"] > newest["before"]["whaleMovements"]


async def test_2_2_b_a_learning_decision_says_whether_it_explored_or_exploited(hunted):
    """A learning decision says whether the cycle explored or exploited."""
    assert {one["reasoning"]["exploration_triggered"] for one in await decisions(hunted, "LEARNING")} <= {True, False}


async def test_2_2_b_a_learning_decision_has_the_strategy_adjustments(hunted):
    """A learning decision has the settings of the strategy that it adjusts by."""
    newest = (await decisions(hunted, "LEARNING"))[0]["reasoning"]
    assert (newest["learning_rate"], newest["exploration_rate"]) == (0.1, 0.3)


async def test_2_2_b_a_logged_decision_has_the_attributes_of_the_design(decision_logger, agent_id):
    """A logged decision has the design's attributes, from `decision_id` to `metadata`, as they were passed."""
    context = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "trading_hours": "american"}
    reasoning = {
        "scores": {"whaleMovements": 0.92, "derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives", "institutional"],
        "exploration_triggered": False,
    }
    outcome = {"success": True, "signals_generated": 2, "quality_score": 0.85, "latency_ms": 1200}
    metadata = {"version": "1.0", "experiment_id": None}
    decision_id = await decision_logger.log_decision("SOURCE_SELECTION", context, reasoning, metadata=metadata)
    await decision_logger.log_outcome(decision_id, outcome, success=True)
    logged = await decision_logger.get_decision(decision_id)
    assert (logged["decision_id"], logged["agent_id"], logged["decision_type"]) == (
        decision_id,
        agent_id,
        "SOURCE_SELECTION",
    )
    assert datetime.fromisoformat(logged["timestamp"]) <= datetime.now(UTC)
    assert (logged["context"], logged["reasoning"]) == (context, reasoning)
    assert (logged["outcome"], logged["metadata"]) == (outcome, metadata)


async def test_2_2_b_the_hunters_own_outcomes_have_the_attributes_of_the_design(hunted):
    """The market hunter's own selections have success, the signals generated, quality and latency."""
    newest = (await decisions(hunted, "SOURCE_SELECTION"))[0]
    assert newest["success"] is True
    assert newest["outcome"]["signals_generated"] == len(hunted.signals)
    assert newest["metrics"]["quality"] > 0
    assert newest["metrics"]["latency_ms"] > 0
