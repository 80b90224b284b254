"""11. Discussion questions, as they were decided

11.1 Architecture
11.2 Integration
11.3 Operation
11.4 Scope
"""

import asyncio
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest

from agent_memory import DecisionLogger, MemoryManager
from stacks.config import DeployConfig
from tests.design_promises.running_hunter import hunter_of, market_data
from tests.stacks.templates import text_of

pytestmark = pytest.mark.local_cloud

ROOT = Path(__file__).parents[2]


def test_11_1_every_question_is_answered():
    """Every question of the design, its closing ones included, has an answer on its page."""
    page = (ROOT / "docs/questions.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+)\.", page, re.MULTILINE) == [str(n) for n in range(1, 13)]


# --- 11.1 ----------------------------------------------------------------------------------------


def test_11_1_short_term_memory_is_redis_and_not_dax(templates):
    """1. Storage choice: Redis for short-term memory, as Valkey on ElastiCache; no DAX."""
    types = {resource["Type"] for one in templates.templates.values() for resource in one.resources.values()}
    assert "AWS::ElastiCache::ReplicationGroup" in types
    assert not any(one.startswith("AWS::DAX") for one in types)


def test_11_1_consolidation_is_scheduled_once_a_day(templates):
    """2. Consolidation: automated by EventBridge Scheduler, once a day."""
    (schedule,) = templates["nightly"].properties("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(10 0 * * ? *)"
    assert "NightlyJob" in text_of(schedule["Target"]["Arn"]) or "Machine" in text_of(schedule["Target"]["Arn"])


async def test_11_1_consolidation_can_be_triggered_by_an_agent(memory_manager):
    """2. Consolidation: and triggered by an agent, for a single entry, whenever it wants."""
    await memory_manager.store_stm("insight", {"pattern_id": "gap", "confidence": 0.75})
    assert (await memory_manager.consolidate_to_ltm("insight"))["pattern_id"] == "gap"


async def test_11_1_patterns_are_detected_by_statistical_tests(planted):
    """3. Pattern identification: by tests of counted combinations, neither hand-written rules nor a model."""
    for one in await planted.memory.retrieve_ltm("PATTERN", {"status": "active"}):
        assert one["features"]
        assert one["occurrences"] >= 30


async def test_11_1_what_is_chance_is_not_promoted(planted):
    """3. Pattern identification: what is promoted is more than chance; from shuffled outcomes nothing is."""
    control = (await planted.report())["control"]
    assert (control["shuffles"], control["promoted"] <= 1) == (20, True)


# --- 11.2 ----------------------------------------------------------------------------------------


def test_11_2_the_memory_aware_agent_is_a_separate_class():
    """4. Backward compatibility: `MemoryAwareMarketHunterAgent` is separate, on top of an unchanged agent."""
    from trading_agents import IntegratedMarketHunterAgent, MemoryAwareMarketHunterAgent

    assert MemoryAwareMarketHunterAgent.__mro__[1] is IntegratedMarketHunterAgent


async def test_11_2_every_decision_with_an_alternative_is_logged(hunted):
    """5. Decision granularity: every decision that had an alternative is logged, seven in a cycle of four sources."""
    cycles = hunted.agent.current_cycle
    assert len(await hunted.logger.query_decisions(limit=1_000)) == 7 * cycles - 1


# --- 11.3 ----------------------------------------------------------------------------------------


def alarms(templates):
    return {one["AlarmName"]: one for one in templates["operations"].properties("AWS::CloudWatch::Alarm")}


def test_11_3_critical_alarms_are_about_lost_decisions_and_the_nightly_job(templates):
    """6. Monitoring: critical are the alarms about decisions that are lost and nightly jobs that fail or do not run."""
    names = " ".join(alarms(templates))
    for critical in ("nightly-job-failed", "nightly-job-missed", "api-errors", "cache-unavailable"):
        assert critical in names


def test_11_3_degraded_memory_is_alerted(templates):
    """6. Monitoring: one alarm says that memory is degraded, by e-mail."""
    (degraded,) = templates["operations"].properties("AWS::CloudWatch::CompositeAlarm")
    assert degraded["AlarmName"].endswith("memory-degraded")
    assert degraded["AlarmActions"]
    assert "ops@example.com" in json.dumps(templates["operations"].properties("AWS::SNS::Subscription"))


def test_11_3_there_is_a_budget_limit(templates):
    """7. Cost management: a monthly budget, by a setting, that notifies operations."""
    (budget,) = templates["operations"].properties("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 25, "Unit": "USD"}


def test_11_3_what_could_run_away_is_throttled(templates):
    """7. Cost management: tables scale by themselves up to a maximum, and the API is throttled."""
    for table in templates["storage"].properties("AWS::DynamoDB::Table"):
        assert table["OnDemandThroughput"]["MaxWriteRequestUnits"] == 4_000
    (stage,) = templates["api"].properties("AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 100


async def test_11_3_memory_persists_across_agent_restarts(stores):
    """8. Testing: memory persists across restarts: a hunter in a new process goes on where the last one ended."""
    name = f"restarted-{uuid4().hex[:12]}"
    before = hunter_of(name, stores)
    for n in range(3):
        await before.run_cycle_with_memory(market_data(n), max_sources=2)
    after = hunter_of(name, stores)
    await after.resume()
    assert after.current_cycle == before.current_cycle == 3
    market = "trend=bullish:volatility=high"
    assert after.scores.of(market) == before.scores.of(market)
    await after.run_cycle_with_memory(market_data(3), max_sources=2)
    judged = await after.logger.query_decisions("SIGNAL_GENERATION")
    assert sum(one["success"] is None for one in judged) == 4  # only those of the last cycle are pending


async def test_11_3_thousands_of_decisions_a_minute_are_logged_and_none_is_lost(stores):
    """8. Testing: a thousand decisions at once are all logged; `make bench-decisions` measures more."""
    name = f"busy-{uuid4().hex[:12]}"
    logger = DecisionLogger(name, stores=stores)
    batch = [{"decision_type": "QUERY", "context": {}, "reasoning": {"n": n}} for n in range(100)]
    results = await asyncio.gather(*(logger.log_decisions(batch) for _ in range(10)))
    ids = {one["decision_id"] for batch_results in results for one in batch_results}
    assert len(ids) == 1_000
    assert len(await logger.query_decisions("QUERY", limit=1_000)) == 1_000


# --- 11.4 ----------------------------------------------------------------------------------------


async def test_11_4_decision_logging_works_alone(stores, agent_id):
    """9. MVP or full system: the full system, in parts that work alone: logging needs no memory."""
    logger = DecisionLogger(agent_id, stores=stores)
    assert await logger.log_decision("QUERY", {}, {})


async def test_11_4_agents_are_isolated_by_default(memory_manager, stores):
    """10. Multi-agent support: all agents, isolated by default."""
    await memory_manager.store_ltm("PATTERN", "secret", {"confidence": 0.8})
    other = MemoryManager(f"other-{uuid4().hex[:12]}", stores=stores)
    assert await other.retrieve_ltm("PATTERN") == []


async def test_11_4_agents_can_share_a_pool_of_memory(stores):
    """10. Multi-agent support: a shared pool of memory, where it is wanted."""
    pool = f"pool-{uuid4().hex[:12]}"
    first, second = (MemoryManager(f"{name}-{uuid4().hex[:12]}", stores=stores, pools=[pool]) for name in ("a", "b"))
    await first.pool(pool).store_ltm("PATTERN", "weekends", {"confidence": 0.8})
    (found,) = await second.retrieve_ltm("PATTERN")
    assert (found["agent_id"], found["changed_by"]) == (pool, first.agent_id)


async def test_11_4_which_source_succeeds_in_which_market_is_learned_first(planted):
    """11. What is learned first: which source succeeds in which market condition."""
    (best, *_) = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    assert set(best["features"]) == {"reasoning.source=whaleMovements", "context.market.trend=bullish"}


def test_11_4_the_cost_has_a_setting_for_each_larger_part():
    """12. What may it cost: under $25 by default, and each larger part can be turned off or on."""
    assert {"cache", "dashboard", "audit_trail", "monthly_budget_usd", "cache_nodes"} <= set(DeployConfig.model_fields)
