"""The sentiment agent."""

import pytest

from tests.unit.trading_agents.agents.agent_samples import agent_of, vote
from trading_agents import SentimentAgentWithMemory


@pytest.mark.parametrize(
    ("momentum", "strength", "expected"),
    [
        (1.0, 30, ("long", 0.65)),
        (-1.0, 30, ("short", 0.65)),
        (2.0, 10, ("short", 0.5)),
        (-2.0, 10, ("long", 0.5)),
        (2.0, 22, ("neutral", 0.4)),
        (0.2, 40, ("neutral", 0.4)),
    ],
)
def test_it_follows_momentum_in_trends_and_fades_it_otherwise(momentum, strength, expected):
    agent = agent_of(SentimentAgentWithMemory)
    assert vote(agent, "sentiment", momentum=momentum, trend_strength=strength) == expected


def test_reversals_and_high_volatility_reduce_its_confidence():
    agent = agent_of(SentimentAgentWithMemory)
    for momentum in (2.0, -2.0, 2.0):
        agent.perceive("SPY", 0, {"sentiment": {"momentum": momentum}})
    assert vote(agent, "sentiment", momentum=1.0, trend_strength=30) == ("long", pytest.approx(0.52))
    assert agent.act_with_memory("BTC", 0, {"sentiment": {"momentum": 1.0, "trend_strength": 30}})[1] == 0.65
    calm = agent_of(SentimentAgentWithMemory)
    for _ in range(10):
        vote(calm, "sentiment", volatility=0.01)
    seen = {"momentum": 1.0, "trend_strength": 30}
    assert vote(calm, "sentiment", volatility=0.021, **seen)[1] == pytest.approx(0.52)
    assert vote(calm, "sentiment", volatility=0.019, **seen)[1] == 0.65
