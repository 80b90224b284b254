"""The hunter learns which source is right where, logs what every source said, and forgets nothing over an outage."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import pairwise

import numpy as np
import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.storage.factory import in_memory_stores
from trading_agents import IntegratedMarketHunterAgent, MarketContext, MemoryAwareMarketHunterAgent
from trading_agents.market_hunter.patterns import source_patterns
from trading_agents.market_hunter.selection import SourceScores, select

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

SOURCES = {
    "seer": lambda data: data["next"] * 0.5,
    "liar": lambda data: -data["next"] * 0.5,
    "mute": lambda data: None,  # noqa: ARG005
    "steady": lambda data: 0.2,  # noqa: ARG005
}


def market(cycle, context=MarketContext.BULLISH):
    """A market that rises and falls in turn; `next` tells where it goes."""
    direction = 1 if cycle % 3 else -1
    prices = [100.0]
    for n in range(cycle):
        prices.append(prices[-1] * (1.01 if n % 3 else 0.99))
    return {"context": context, "close": prices, "next": direction, "timestamp": START + cycle * HOUR}


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


async def lived(agent, cycles, max_sources=2):
    return [await agent.run_cycle_with_memory(market(n), max_sources) for n in range(cycles)]


@pytest.fixture
def clock():
    return FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))


async def test_without_memory_the_hunter_learns_whom_to_trust():
    agent = IntegratedMarketHunterAgent("market-hunter", 0.1, sources=SOURCES, exploration_rate=0.0)
    for n in range(40):
        signals = await agent.run_cycle(market(n), max_sources=1)
    assert [one["source"] for one in signals] == ["seer"]
    scores = agent.scores.of("bullish")
    assert scores["seer"] > 0.95
    assert scores["liar"] < 0.05
    assert scores["mute"] == 0.5
    assert agent.scores.of("bearish") == dict.fromkeys(SOURCES, 0.5)


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
        "recent_performance": None,
        "applied_patterns": [],
    }
    signals = await aware.run_cycle_with_memory({"context": TheirContext.BEARISH, "close": prices})
    assert {one["direction"] for one in signals} <= {"long", "short"}
    assert await aware.learn_from_outcomes() == []


async def test_every_sources_signal_is_logged_and_judged_chosen_or_not(clock):
    agent = with_memory(clock=clock, exploration_rate=0.2)
    await lived(agent, 30, max_sources=1)
    signals = await agent.logger.query_decisions("SIGNAL_GENERATION", limit=1_000)
    assert len(signals) == 30 * 3
    assert {one["reasoning"]["source"]: 0 for one in signals} == {"steady": 0, "liar": 0, "seer": 0}
    assert [one["success"] for one in signals].count(None) == 3  # the last cycle waits for a price
    came_true = {(one["reasoning"]["source"], one["success"]) for one in signals if one["success"] is not None}
    assert came_true == {("seer", True), ("liar", False), ("steady", True), ("steady", False)}
    chosen = [one["reasoning"] for one in signals if one["reasoning"]["chosen"]]
    assert {round(one["propensity"], 3) for one in chosen} <= {0.8, round(0.2 / 3, 3)}
    selections = await agent.logger.query_decisions("SOURCE_SELECTION", limit=1_000)
    assert all(sum(one["reasoning"]["propensities"].values()) == pytest.approx(1) for one in selections)
    assert 0 < sum(one["reasoning"]["exploration_triggered"] for one in selections) < 15
    queries = await agent.logger.query_decisions("QUERY")
    assert queries[0]["outcome"]["readings"]["mute"] is None
    assert queries[0]["context"]["similar_contexts"] > 0


async def test_what_was_learned_is_a_pattern_and_guides_a_new_process(clock):
    stores = in_memory_stores(clock)
    first = with_memory(stores, clock, exploration_rate=0.0)
    await lived(first, 60)
    end = START + 60 * HOUR
    patterns = {one["id"]: one for one in await first.learn_from_outcomes(end)}
    assert patterns["seer_in_bullish"]["success_rate"] == 1.0
    assert patterns["seer_in_bullish"]["sample_size"] == 23  # of 24 hours; the last waits
    assert patterns["seer_in_bullish"]["confidence"] > 0.99
    assert patterns["liar_in_bullish"]["confidence"] < 0.01
    again = with_memory(stores, clock, exploration_rate=0.0)
    await again.memory.clear_stm()
    selected, decision_id = await again.select_sources_with_memory(MarketContext.BULLISH, 1)
    decision = await again.logger.get_decision(decision_id)
    assert (selected, decision["memory_ids"]) == (["seer"], ["seer_in_bullish", "steady_in_bullish"])
    assert decision["reasoning"]["patterns_influenced"] is True
    other, _ = await again.select_sources_with_memory(MarketContext.BEARISH, 1)
    assert other == ["seer"]  # nothing is known there: the first of equals


async def test_recent_performance_carries_over_a_restart():
    stores = in_memory_stores()
    agent = with_memory(stores)
    await agent.memory.store_stm("performance:bullish", {"steady": 0.9, "gone": 1.0}, ttl_seconds=900)
    selected, decision_id = await agent.select_sources_with_memory(MarketContext.BULLISH, 1)
    assert selected == ["steady"]
    scores = (await agent.logger.get_decision(decision_id))["reasoning"]["scores"]
    assert scores == {"seer": 0.5, "liar": 0.5, "mute": 0.5, "steady": 0.9}


async def test_outcomes_that_could_not_be_logged_are_logged_by_the_next_cycle(clock, monkeypatch):
    agent = with_memory(clock=clock)
    await lived(agent, 2)

    async def down(_reports):
        raise Unavailable("the table did not answer")

    with monkeypatch.context() as outage:
        outage.setattr(agent.logger, "log_outcomes", down)
        with pytest.raises(Unavailable):
            await agent.run_cycle_with_memory(market(2))
    await agent.run_cycle_with_memory(market(3))
    signals = await agent.logger.query_decisions("SIGNAL_GENERATION", limit=100)
    pending = [one for one in signals if one["success"] is None]
    assert {one["context"]["cycle"] for one in pending} == {2}  # the newest alone


async def test_sources_may_be_async_and_bad_readings_are_named():
    async def slow(_data):
        return 0.5

    agent = IntegratedMarketHunterAgent("h", 0.1, sources={"slow": slow, "wild": lambda _: 3.0})
    assert await agent.query_source("slow") == {"source": "slow", "reading": 0.5}
    for source, field in (("wild", "sources.wild"), ("unknown", "source")):
        with pytest.raises(InvalidInput) as caught:
            await agent.query_source(source)
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"exploration_rate": 2}, "exploration_rate"),
        ({"sources": {}}, "sources"),
        ({"learning_rate": 0}, "learning_rate"),
    ],
)
def test_unusable_settings_are_named(settings, field):
    with pytest.raises(InvalidInput) as caught:
        IntegratedMarketHunterAgent(**{"agent_name": "h", "learning_rate": 0.1, **settings})
    assert caught.value.field == field


async def test_unusable_market_data_is_named():
    agent = IntegratedMarketHunterAgent("h", 0.1, sources=SOURCES)
    for change, field in (({"close": [0.0]}, "close"), ({"context": None}, "context")):
        with pytest.raises(InvalidInput) as caught:
            await agent.run_cycle({**market(1), **change})
        assert caught.value.field == field


def test_propensities_are_the_frequencies_of_the_choices():
    chance, counts = np.random.default_rng(1), dict.fromkeys("abcde", 0)
    for _ in range(20_000):
        chosen = select({"a": 0.9, "b": 0.8, "c": 0.1, "d": 0.2, "e": 0.3}, 2, 0.3, chance)
        for source in chosen.selected:
            counts[source] += 1
    assert chosen.propensities == pytest.approx({"a": 1.0, "b": 0.7, "c": 0.1, "d": 0.1, "e": 0.1})
    for source, count in counts.items():
        assert count / 20_000 == pytest.approx(chosen.propensities[source], abs=0.01)
    everything = select({"a": 0.1, "b": 0.2}, 5, 0.3, chance)
    assert (everything.selected, everything.propensities) == (["b", "a"], {"b": 1.0, "a": 1.0})
    with pytest.raises(InvalidInput, match="max_sources"):
        select({"a": 1.0}, 0, 0.1, chance)


def test_scores_move_by_the_learning_rate_in_their_context():
    scores = SourceScores(["a", "b"], 0.2)
    scores.learn("bullish", {"a": 1.0})
    scores.learn("bullish", {"a": 0.0})
    assert scores.of("bullish") == pytest.approx({"a": 0.48, "b": 0.5})
    scores.learn("bearish", {})
    assert (scores.has_learned("bullish"), scores.has_learned("bearish")) == (True, False)


def test_a_pattern_needs_a_sample_and_says_how_sure_it_is():
    def decisions(wins, losses, **more):
        one = {"reasoning": {"source": "a"}, "context": {"market": "bullish"}, **more}
        return [{**one, "success": True}] * wins + [{**one, "success": False}] * losses

    assert source_patterns(decisions(19, 0)) == []
    (told,) = source_patterns([*decisions(15, 5), *decisions(0, 0), {**decisions(1, 0)[0], "success": None}])
    # Sign test with continuity correction: z = 4.5 / sqrt(5).
    assert (told["sample_size"], told["confidence"]) == (20, pytest.approx(0.977915, abs=1e-5))
    assert source_patterns(decisions(10, 10))[0]["confidence"] == 0.5


async def test_a_source_may_forecast_something_else_than_the_price():
    class Moves:
        answers = "large_move"

        def __call__(self, data):
            return data["next"] * 0.5

    agent = IntegratedMarketHunterAgent("h", 0.5, sources={"moves": Moves(), "up": lambda _: 1.0}, exploration_rate=0)
    asked = {"context": {"volatility": "high", "trend": "bullish"}, "close": [1.0]}
    first = await agent.run_cycle({**asked, "next": -1})
    assert [{name: one.get(name) for name in ("source", "direction", "forecast", "expected")} for one in first] == [
        {"source": "moves", "direction": None, "forecast": "large_move", "expected": False},
        {"source": "up", "direction": "long", "forecast": None, "expected": None},
    ]
    await agent.run_cycle({**asked, "close": [1.0, 0.5], "next": 1, "happened": {"large_move": False}})
    assert agent.scores.of("trend=bullish:volatility=high") == {"moves": 0.75, "up": 0.25}
    await agent.run_cycle({**asked, "close": [1.0, 0.5, 0.5], "next": 1})  # nothing is known of either question
    assert agent.scores.of("trend=bullish:volatility=high") == {"moves": 0.75, "up": 0.25}


async def test_what_was_learned_is_logged_and_judged_by_the_next_cycle(clock):
    agent = with_memory(clock=clock, exploration_rate=0.0)
    await lived(agent, 12)
    learned = await agent.logger.query_decisions("LEARNING", newest_first=False)
    assert len(learned) == 11
    for one, other in pairwise(learned):
        assert one["reasoning"]["after"] == other["reasoning"]["before"] != other["reasoning"]["after"]
        assert one["success"] == (one["outcome"]["error_after"] < one["outcome"]["error_before"])
    assert [one["success"] for one in learned].count(None) == 1
    assert any(one["success"] for one in learned)


async def test_a_context_may_be_a_dictionary(clock):
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
    assert "seer_in_trend=bullish:volatility=high" in newest["memory_ids"]
