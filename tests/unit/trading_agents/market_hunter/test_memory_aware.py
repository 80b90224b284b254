"""The market hunter with memory: it logs every reading, learns from outcomes, and survives outages."""

from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise

import numpy as np
import pytest

from agent_memory import DecisionLogger, MemoryManager, Unavailable
from agent_memory.core.clock import FixedClock
from agent_memory.nightly.consolidation import consolidate
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.market_hunter.hunter_samples import HOUR, SOURCES, START, market
from trading_agents import IntegratedMarketHunterAgent, MarketContext, MemoryAwareMarketHunterAgent
from trading_agents.market_hunter.trading_hours import trading_hours


def with_memory(stores=None, clock=None, **settings):
    stores = stores or in_memory_stores(clock)
    memory_manager = MemoryManager(agent_id="market-hunter", stores=stores, clock=clock)
    decision_logger = DecisionLogger(agent_id="market-hunter", memory_manager=memory_manager)
    return MemoryAwareMarketHunterAgent(
        agent_name="market-hunter",
        learning_rate=0.1,
        memory_manager=memory_manager,
        decision_logger=decision_logger,
        sources=settings.pop("sources", SOURCES),
        **settings,
    )


async def run_cycles(agent, cycles, max_sources=2):
    return [await agent.run_cycle_with_memory(market(n), max_sources) for n in range(cycles)]


@pytest.fixture
def clock():
    return FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))


async def test_agent_code_of_the_design_runs():
    agent = IntegratedMarketHunterAgent(agent_name="market-hunter", learning_rate=0.1)
    assert agent.select_sources(MarketContext.BULLISH, max_sources=6) == list(agent.sources)
    aware = with_memory(sources=None)

    class TheirContext(Enum):
        BEARISH = "bearish"

    prices = list(100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 100))))
    selected, decision_id = await aware.select_sources_with_memory(TheirContext.BEARISH, max_sources=2)
    assert len(selected) == 2
    decision = await aware.logger.get_decision(decision_id)
    assert decision["context"] == {
        "market": "bearish",
        "cycle": 0,
        "trading_hours": trading_hours(datetime.fromisoformat(decision["timestamp"])),
        "recent_performance": None,
        "applied_patterns": [],
    }
    signals = await aware.run_cycle_with_memory({"context": TheirContext.BEARISH, "close": prices})
    assert {one["direction"] for one in signals} <= {"long", "short"}
    assert await aware.learn_from_outcomes() == []


@pytest.mark.parametrize(
    "context",
    [
        {},
        "risk off",
        {"regime": "very bullish ☃"},
        {"market regime": "up|down"},
        {"levels": {"support": 1}, "tags": ["a", "b"]},
        {"note": "x" * 300},
        {"trend": None, "open": True, "vix": 14.2},
    ],
)
async def test_a_context_may_have_any_names_and_values_as_without_memory(clock, context):
    plain = IntegratedMarketHunterAgent("market-hunter", 0.1, sources=SOURCES, exploration_rate=0.0)
    expected = [await plain.run_cycle(market(n, context), 2) for n in range(30)]
    agent = with_memory(clock=clock, exploration_rate=0.0)
    assert [await agent.run_cycle_with_memory(market(n, context), 2) for n in range(30)] == expected
    learned = await agent.learn_from_outcomes(START + 30 * HOUR)
    stored = await agent.memory.retrieve_ltm("PATTERN")
    assert {one["pattern_id"] for one in stored} == {one["id"] for one in learned} != set()
    _, decision_id = await agent.select_sources_with_memory(context, 2)
    decision = await agent.logger.get_decision(decision_id)
    assert decision["context"]["applied_patterns"]
    assert decision["context"]["recent_performance"].keys() == SOURCES.keys()


async def test_every_signal_is_logged_and_judged_selected_or_not(clock):
    agent = with_memory(clock=clock, exploration_rate=0.2)
    await run_cycles(agent, 30, max_sources=1)
    signals = await agent.logger.query_decisions("SIGNAL_GENERATION", limit=1_000)
    assert len(signals) == 30 * 3
    assert {one["reasoning"]["source"]: 0 for one in signals} == {"steady": 0, "always_wrong": 0, "always_right": 0}
    assert [one["success"] for one in signals].count(None) == 3  # the last cycle waits for a price
    judgements = {(one["reasoning"]["source"], one["success"]) for one in signals if one["success"] is not None}
    assert judgements == {("always_right", True), ("always_wrong", False), ("steady", True), ("steady", False)}
    chosen = [one["reasoning"] for one in signals if one["reasoning"]["chosen"]]
    assert {round(one["propensity"], 3) for one in chosen} <= {0.8, round(0.2 / 3, 3)}
    selections = await agent.logger.query_decisions("SOURCE_SELECTION", limit=1_000)
    assert all(sum(one["reasoning"]["propensities"].values()) == pytest.approx(1, abs=1e-5) for one in selections)
    assert 0 < sum(one["reasoning"]["exploration_triggered"] for one in selections) < 15
    queries = await agent.logger.query_decisions("QUERY")
    assert queries[0]["outcome"]["readings"]["silent"] is None
    assert queries[0]["context"]["similar_contexts"] > 0


async def test_learned_patterns_guide_a_new_process(clock):
    stores = in_memory_stores(clock)
    first = with_memory(stores, clock, exploration_rate=0.0)
    await run_cycles(first, 60)
    end = START + 60 * HOUR
    patterns = {one["id"]: one for one in await first.learn_from_outcomes(end)}
    assert patterns["always_right_in_bullish"]["success_rate"] == 1.0
    assert patterns["always_right_in_bullish"]["sample_size"] == 23  # of 24 hours; the last waits
    assert patterns["always_right_in_bullish"]["confidence"] > 0.99
    assert patterns["always_wrong_in_bullish"]["confidence"] < 0.01
    again = with_memory(stores, clock, exploration_rate=0.0)
    await again.memory.clear_stm()
    selected, decision_id = await again.select_sources_with_memory(MarketContext.BULLISH, 1)
    decision = await again.logger.get_decision(decision_id)
    assert (selected, decision["memory_ids"]) == (["always_right"], ["always_right_in_bullish", "steady_in_bullish"])
    assert decision["reasoning"]["patterns_influenced"] is True
    other, _ = await again.select_sources_with_memory(MarketContext.BEARISH, 1)
    assert other == ["always_right"]  # nothing is known there: the first of equals


async def test_what_the_nightly_job_estimates_selects_the_sources_of_a_new_process(clock):
    stores = in_memory_stores(clock)
    await run_cycles(with_memory(stores, clock, exploration_rate=0.0), 60)
    day = (START + 60 * HOUR).date() - timedelta(days=1)
    consolidate("market-hunter", day, stores)
    again = with_memory(stores, clock, exploration_rate=0.2)
    await again.memory.clear_stm()
    selected, decision_id = await again.select_sources_with_memory(MarketContext.BULLISH, 1)
    decision = await again.logger.get_decision(decision_id)
    assert decision["memory_ids"][0] == "SIGNAL_GENERATION:reasoning.source"
    breakdown = decision["reasoning"]["score_breakdown"]
    assert breakdown["always_right"]["estimated"] > 0.8
    assert breakdown["always_wrong"]["estimated"] < 0.2
    assert "silent" not in breakdown
    assert (decision["policy"], decision["policy_version"]) == ("hunter", "2")
    explored = decision["reasoning"]["exploration_triggered"]
    assert decision["joint_propensity"] == pytest.approx(0.2 / 3 if explored else 0.8)
    assert explored or selected == ["always_right"]


async def test_recent_performance_survives_a_restart():
    stores = in_memory_stores()
    agent = with_memory(stores)
    await agent.memory.store_stm("performance:bullish", {"steady": 0.9, "gone": 1.0}, ttl_seconds=900)
    selected, decision_id = await agent.select_sources_with_memory(MarketContext.BULLISH, 1)
    assert selected == ["steady"]
    scores = (await agent.logger.get_decision(decision_id))["reasoning"]["scores"]
    assert scores == {"always_right": 0.5, "always_wrong": 0.5, "silent": 0.5, "steady": 0.9}


async def test_outcomes_that_could_not_be_logged_are_logged_by_the_next_cycle(clock, monkeypatch):
    agent = with_memory(clock=clock)
    await run_cycles(agent, 2)

    async def down(_reports):
        raise Unavailable("the table did not respond")

    with monkeypatch.context() as outage:
        outage.setattr(agent.logger, "log_outcomes", down)
        with pytest.raises(Unavailable):
            await agent.run_cycle_with_memory(market(2))
    await agent.run_cycle_with_memory(market(3))
    signals = await agent.logger.query_decisions("SIGNAL_GENERATION", limit=100)
    pending = [one for one in signals if one["success"] is None]
    assert {one["context"]["cycle"] for one in pending} == {3}  # the newest alone
    assert {one["context"]["cycle"] for one in signals} == {0, 1, 2, 3}


async def test_learning_is_logged_and_judged_by_the_next_cycle(clock):
    agent = with_memory(clock=clock, exploration_rate=0.0)
    await run_cycles(agent, 12)
    entries = await agent.logger.query_decisions("LEARNING", newest_first=False)
    assert len(entries) == 11
    for one, other in pairwise(entries):
        assert one["reasoning"]["after"] == other["reasoning"]["before"] != other["reasoning"]["after"]
        assert one["success"] == (one["outcome"]["error_after"] < one["outcome"]["error_before"])
    assert [one["success"] for one in entries].count(None) == 1
    assert any(one["success"] for one in entries)


async def test_a_context_can_be_a_dictionary(clock):
    agent = with_memory(clock=clock)
    context = {"volatility": "high", "trend": "bullish"}
    for n in range(26):
        await agent.run_cycle_with_memory(market(n, context), 2)
    found = await agent.logger.query_decisions("SIGNAL_GENERATION", context_filter={"trend": "bullish"}, limit=5)
    assert found[0]["context"]["market"] == context
    patterns = await agent.learn_from_outcomes(START + 26 * HOUR)
    assert {one["context"] for one in patterns} == {"trend=bullish:volatility=high"}
    await agent.run_cycle_with_memory(market(26, context), 2)
    newest = (await agent.logger.query_decisions("SOURCE_SELECTION"))[0]
    assert "always_right_in_trend=bullish:volatility=high" in newest["memory_ids"]
