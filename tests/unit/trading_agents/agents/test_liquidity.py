"""The liquidity agent."""

import pytest

from tests.unit.trading_agents.agents.agent_samples import agent_of, vote
from trading_agents import LiquidityAgentWithMemory


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"close": 95, "value_area_low": 98, "value_area_high": 102, "poc": 100}, ("long", 0.6)),
        ({"close": 105, "value_area_low": 98, "value_area_high": 102, "poc": 100}, ("short", 0.6)),
        ({"close": 100, "value_area_low": 98, "value_area_high": 102, "poc": 100}, ("neutral", 0.4)),
        ({"close": 95, "value_area_low": 98, "value_area_high": 102, "poc": 90}, ("neutral", 0.4)),
        ({"close": 95, "value_area_low": 98, "value_area_high": 102, "amihud": 2.5}, ("long", pytest.approx(0.48))),
    ],
)
def test_it_trades_back_into_the_value_area(features, expected):
    assert vote(agent_of(LiquidityAgentWithMemory), "liquidity", **features) == expected


def test_it_learns_the_typical_impact_of_each_regime():
    agent = agent_of(LiquidityAgentWithMemory)
    low = {"close": 95, "value_area_low": 98, "value_area_high": 102}

    def confidence(impact, regime):
        features = {"liquidity": {**low, "kyle_lambda": impact}, "markov": {"regime": regime}}
        return agent.act_with_memory("SPY", 0, features)[1]

    for _ in range(10):
        assert confidence(1.0, "calm") == 0.6
        assert confidence(5.0, "turbulent") == 0.6
    assert confidence(5.0, "calm") == pytest.approx(0.48)
    assert confidence(5.0, "turbulent") == 0.6
