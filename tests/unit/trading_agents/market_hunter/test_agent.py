"""The market hunter without memory."""

import pytest

from agent_memory import InvalidInput
from tests.unit.trading_agents.market_hunter.hunter_samples import SOURCES, market
from trading_agents import IntegratedMarketHunterAgent


async def test_it_learns_which_sources_are_right():
    agent = IntegratedMarketHunterAgent("market-hunter", 0.1, sources=SOURCES, exploration_rate=0.0)
    for n in range(40):
        signals = await agent.run_cycle(market(n), max_sources=1)
    assert [one["source"] for one in signals] == ["always_right"]
    scores = agent.scores.of("bullish")
    assert scores["always_right"] > 0.95
    assert scores["always_wrong"] < 0.05
    assert scores["silent"] == 0.5
    assert agent.scores.of("bearish") == dict.fromkeys(SOURCES, 0.5)


async def test_sources_can_be_async_and_invalid_readings_are_named():
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
def test_invalid_settings_are_named(settings, field):
    with pytest.raises(InvalidInput) as caught:
        IntegratedMarketHunterAgent(**{"agent_name": "h", "learning_rate": 0.1, **settings})
    assert caught.value.field == field


async def test_invalid_market_data_is_named():
    agent = IntegratedMarketHunterAgent("h", 0.1, sources=SOURCES)
    for change, field in (({"close": [0.0]}, "close"), ({"context": None}, "context")):
        with pytest.raises(InvalidInput) as caught:
            await agent.run_cycle({**market(1), **change})
        assert caught.value.field == field


async def test_a_source_can_answer_another_question_than_the_direction():
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
