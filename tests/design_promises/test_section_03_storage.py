"""3. Storage strategy

3.1 Storage selection
3.2 Tables
3.3 Keys of short-term memory
"""

from datetime import UTC, datetime

import pytest

from agent_memory import MemoryManager
from agent_memory.core import retention
from agent_memory.memory.access_counts import flush_access_counts
from agent_memory.nightly.pruning import prune
from tests.design_promises.past_clocks import days_ago
from tests.design_promises.planted_history import YESTERDAY
from tests.design_promises.running_hunter import run_hunter
from tests.design_promises.table_items import items_of

pytestmark = pytest.mark.local_cloud

DAY = 86_400
BULLISH = {"trend": "bullish", "volatility": "high"}


# --- 3.1 -----------------------------------------------------------------------------------------


def test_3_1_short_term_memory_is_in_elasticache_for_up_to_24_hours(templates):
    """Short-term memory: ElastiCache, in memory, for 1 to 24 hours."""
    (cache,) = templates["cache"].properties("AWS::ElastiCache::ReplicationGroup")
    assert cache["Engine"] == "valkey"
    assert retention.STM_MAX_SECONDS == DAY


def test_3_1_decision_logs_are_90_days_in_dynamodb_and_archived_after(templates):
    """Decision logs: DynamoDB on demand with TTL, 90 days hot, archived after."""
    tables = templates["storage"].properties("AWS::DynamoDB::Table")
    decisions = next(one for one in tables if one["TableName"].endswith("agent_decisions"))
    assert decisions["BillingMode"] == "PAY_PER_REQUEST"
    assert decisions["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert (retention.ARCHIVE_AFTER_DAYS, retention.HOT_DAYS) == (30, 90)


async def test_3_1_long_term_patterns_are_indefinite_in_dynamodb(memory_manager, agent_id, dynamodb):
    """Long-term patterns: DynamoDB for active ones, without an expiry."""
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.8})
    (item,) = items_of(dynamodb, "agent_memory_ltm", f"{agent_id}#PATTERN")
    assert "ttl" not in item


def test_3_1_historical_patterns_are_in_s3(stores, agent_id):
    """Long-term patterns: S3 for historical ones, before pruning deletes them from the table."""
    MemoryManager(agent_id, stores=stores, clock=days_ago(32)).sync.store_ltm("PATTERN", "noise", {"confidence": 0.3})
    prune(agent_id, YESTERDAY.date(), stores)
    assert stores.memories.get(agent_id, "PATTERN", "noise") is None
    assert stores.blobs.list_keys(f"pruned/agent_id={agent_id}/memory_type=PATTERN/noise/")


def test_3_1_raw_archives_are_kept_for_years_in_s3_glacier(templates):
    """Raw data archives: years in S3, in Glacier after a year where a file is large enough for it to pay."""
    (bucket,) = templates["storage"].properties("AWS::S3::Bucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    (archive, *_) = [rule for rule in rules if rule.get("Prefix") == "decisions/" and "Transitions" in rule]
    (to_glacier,) = archive["Transitions"]
    assert (to_glacier["StorageClass"], to_glacier["TransitionInDays"]) == ("GLACIER", 365)
    assert max(rule.get("ExpirationInDays", 0) for rule in rules) >= 7 * 365


async def test_3_1_agent_state_is_read_from_the_cache_and_backed_up_in_dynamodb(memory_manager, agent_id, cache):
    """Agent state: fast access in ElastiCache, with a persistent backup in DynamoDB."""
    await memory_manager.save_state({"current_cycle": 142})
    assert cache.exists(f"stm:{{{agent_id}}}:state:current")
    cache.delete(f"stm:{{{agent_id}}}:state:current")
    assert (await memory_manager.load_state())["data"] == {"current_cycle": 142}


# --- 3.2 -----------------------------------------------------------------------------------------


async def test_3_2_a_decision_is_keyed_by_agent_type_time_and_id(decision_logger, agent_id, dynamodb):
    """`agent_decisions` is keyed by `agent_id#decision_type` and `timestamp#decision_id`."""
    at = datetime(2026, 10, 18, 10, 30, tzinfo=UTC)
    decision_id = await decision_logger.log_decision("SOURCE_SELECTION", {}, {}, timestamp=at)
    (item,) = items_of(dynamodb, "agent_decisions", f"{agent_id}#SOURCE_SELECTION")
    assert item["sk"] == f"2026-10-18T10:30:00.000Z#{decision_id}"


async def test_3_2_a_decision_has_the_attributes_of_the_table_design(decision_logger, agent_id, dynamodb):
    """`agent_decisions` has the attributes of the table's design, with its types."""
    at = datetime(2026, 10, 18, 10, 30, tzinfo=UTC)
    decision_id = await decision_logger.log_decision("QUERY", {"market": BULLISH}, {"why": 1}, timestamp=at)
    await decision_logger.log_outcome(decision_id, {"rows": 2}, success=True)
    (item,) = items_of(dynamodb, "agent_decisions", f"{agent_id}#QUERY")
    assert (item["decision_id"], item["agent_id"], item["decision_type"]) == (decision_id, agent_id, "QUERY")
    assert (item["timestamp"], item["iso_timestamp"]) == (at.timestamp(), "2026-10-18T10:30:00.000Z")
    assert (item["context"], item["reasoning"]) == ({"market": BULLISH}, {"why": 1})
    assert (item["outcome"], item["success"]) == ({"rows": 2}, True)


def test_3_2_a_decision_has_a_ttl_for_auto_expiration(aged, dynamodb):
    """`agent_decisions` has a `ttl`, 90 days after the decision, once it is archived."""
    items = items_of(dynamodb, "agent_decisions", f"{aged.agent_id}#QUERY")
    (archived,) = [one for one in items if one["decision_id"] == aged.decision_ids["archive"]]
    assert archived["ttl"] == int(archived["timestamp"]) + 90 * DAY


async def test_3_2_decisions_are_queried_by_outcome(decision_logger, agent_id):
    """`agent_decisions` is queried by outcome, by time."""
    first, lost, last = [await decision_logger.log_decision("QUERY", {}, {"n": n}) for n in range(3)]
    for one in (first, lost, last):
        await decision_logger.log_outcome(one, {}, success=one != lost)
    found = {
        success: [one["decision_id"] for one in await decision_logger.query_decisions(success_filter=success)]
        for success in (True, False)
    }
    assert found == {True: [last, first], False: [lost]}


async def test_3_2_decisions_are_queried_by_market_context(decision_logger, agent_id, dynamodb):
    """Index 2 of `agent_decisions` queries by market context: `agent_id#context_type`, by time."""
    small = await decision_logger.log_decision("QUERY", {"market": BULLISH}, {"why": "a"})
    large = await decision_logger.log_decision("QUERY", {"market": BULLISH}, {"why": "a" * 2_000})
    market = f"{agent_id}#trend=bullish|volatility=high"
    (item,) = items_of(dynamodb, "agent_decisions", market, index="by_context")
    assert (item["decision_id"], item["reasoning"]) == (small, {"why": "a"})
    (keys,) = items_of(dynamodb, "agent_decisions", market, index="by_context_keys")
    assert keys["sk"].endswith(large)
    found = await decision_logger.query_decisions(context_type="trend=bullish|volatility=high")
    assert [one["decision_id"] for one in found] == [large, small]


async def test_3_2_a_memory_is_keyed_by_agent_type_and_pattern(memory_manager, agent_id, dynamodb):
    """`agent_memory_ltm` is keyed by `agent_id#memory_type` and `pattern_id`."""
    await memory_manager.store_ltm("PATTERN", "whale_pump_correlation", {"confidence": 0.8})
    (item,) = items_of(dynamodb, "agent_memory_ltm", f"{agent_id}#PATTERN")
    assert item["sk"] == "whale_pump_correlation"


async def test_3_2_a_memory_has_the_attributes_of_the_table_design(memory_manager, agent_id, dynamodb):
    """`agent_memory_ltm` has the attributes of the table's design, `success_rate` among them."""
    await memory_manager.store_ltm("STRATEGY", "dip", {"confidence": 0.8, "success_rate": 0.7, "text": "buy the dip"})
    (item,) = items_of(dynamodb, "agent_memory_ltm", f"{agent_id}#STRATEGY")
    assert (item["pattern_id"], item["agent_id"], item["memory_type"]) == ("dip", agent_id, "STRATEGY")
    assert float(item["confidence"]) == 0.8
    assert float(item["success_rate"]) == 0.7
    assert (item["data"]["text"], item["version"]) == ("buy the dip", 1)
    assert item["learned_at"] > 0


async def test_3_2_reads_of_a_memory_are_counted(stores, memory_manager, agent_id, dynamodb):
    """`agent_memory_ltm` has `access_count` and `last_accessed`: the nightly job adds the reads up."""
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.8})
    for _ in range(2):
        await memory_manager.retrieve_ltm("PATTERN")
    flush_access_counts(agent_id, datetime.now(UTC).date(), stores)
    (item,) = items_of(dynamodb, "agent_memory_ltm", f"{agent_id}#PATTERN")
    assert item["access_count"] == 2
    assert item["last_accessed"] > 0


async def test_3_2_memories_are_queried_by_confidence_descending(memory_manager):
    """The index of `agent_memory_ltm` queries by confidence, the most confident first."""
    for name, confidence in (("doubtful", 0.6), ("sure", 0.9), ("likely", 0.8)):
        await memory_manager.store_ltm("PATTERN", name, {"confidence": confidence})
    found = await memory_manager.retrieve_ltm("PATTERN", {"min_confidence": 0.7})
    assert [one["pattern_id"] for one in found] == ["sure", "likely"]


async def test_3_2_a_state_is_keyed_by_agent_and_state_type(memory_manager, agent_id, dynamodb):
    """`agent_state` is keyed by `agent_id` and `state_type`, as `CURRENT` or a checkpoint."""
    await memory_manager.save_state({"current_cycle": 142})
    await memory_manager.create_checkpoint("evening")
    keys = {item["sk"] for item in items_of(dynamodb, "agent_state", agent_id)}
    assert {"CURRENT", "CHECKPOINT#evening"} <= keys


async def test_3_2_a_state_has_the_attributes_of_the_table_design(hunted, dynamodb):
    """`agent_state` has the hunter's current cycle, source metrics, context performance and configuration."""
    (item,) = [one for one in items_of(dynamodb, "agent_state", hunted.agent_id) if one["sk"] == "CURRENT"]
    assert item["current_cycle"] == item["data"]["current_cycle"] == hunted.agent.current_cycle
    assert set(item["data"]["source_metrics"]) == set(hunted.agent.sources)
    assert item["data"]["context_performance"]
    assert item["data"]["configuration"]["learning_rate"]
    assert item["version"] == hunted.agent.current_cycle
    assert item["last_updated"] > 0


# --- 3.3 -----------------------------------------------------------------------------------------


def key_of(agent, name):
    return f"stm:{{{agent.agent_id}}}:{name}"


def test_3_3_the_current_market_context_is_json_for_an_hour(hunted, cache):
    """`stm:{agent_id}:context:current` is JSON, kept for an hour."""
    assert cache.get(key_of(hunted, "context:current"))[:1] == b"{"
    assert 0 < cache.ttl(key_of(hunted, "context:current")) <= 3_600


def test_3_3_recent_queries_are_a_list_for_24_hours(hunted, cache):
    """`stm:{agent_id}:queries:recent` is a list of query results, kept for 24 hours."""
    assert cache.type(key_of(hunted, "queries:recent")) == b"list"
    assert 0 < cache.ttl(key_of(hunted, "queries:recent")) <= DAY


def test_3_3_active_signals_are_a_sorted_set_for_4_hours(hunted, cache):
    """`stm:{agent_id}:signals:active` is a sorted set by timestamp, kept for 4 hours."""
    assert cache.type(key_of(hunted, "signals:active")) == b"zset"
    assert 0 < cache.ttl(key_of(hunted, "signals:active")) <= 4 * 3_600


def test_3_3_rate_limits_are_counters_for_5_minutes(stores, cache):
    """`stm:{agent_id}:ratelimit:{source_id}` is a counter, kept for 5 minutes."""
    hunter = run_hunter(stores, cycles=2)
    for source in hunter.agent.sources:
        assert int(cache.get(key_of(hunter, f"ratelimit:{source}"))) == 2
        assert 0 < cache.ttl(key_of(hunter, f"ratelimit:{source}")) <= 300


def test_3_3_source_performance_is_json_for_15_minutes(hunted, cache):
    """`stm:{agent_id}:performance:{source}:{context}` is JSON, kept for 15 minutes."""
    (key,) = cache.scan_iter(key_of(hunted, "performance:whaleMovements:*").replace("{", "[{]").replace("}", "[}]"))
    assert cache.get(key)[:1] == b"{"
    assert 0 < cache.ttl(key) <= 900


def test_3_3_the_decision_chain_is_a_list_of_ids_for_2_hours(hunted, cache):
    """`stm:{agent_id}:decision_chain` is a list of decision ids, kept for 2 hours."""
    assert cache.type(key_of(hunted, "decision_chain")) == b"list"
    assert 0 < cache.ttl(key_of(hunted, "decision_chain")) <= 2 * 3_600
