"""The behaviour that all agents share."""

import pytest

from tests.unit.trading_agents.agents.agent_samples import ALL, agent_of, vote
from trading_agents import (
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    TradingMemoryStore,
)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("features", [{}, {"hedge": {}}, {"other": {"x": 1}}])
def test_without_features_every_agent_is_neutral(kind, features):
    assert agent_of(kind).act_with_memory("SPY", 0, features) == (
        "neutral",
        0.4,
        {"past_trades": 0, "win_rate": 0.5},
    )


def test_agents_that_share_a_memory_learn_from_each_others_observations():
    shared = TradingMemoryStore(decay_half_life=7_200)
    hedge, liquidity = HedgeAgentWithMemory("Hedge", shared), LiquidityAgentWithMemory("Liquidity", shared)
    for amihud in (2.5, 3.0, 3.5):
        liquidity.perceive("SPY", 0, {"liquidity": {"amihud": amihud}})
    assert vote(hedge, "hedge", net_gamma_exposure=-0.7, smart_flow_signal=0.5) == ("long", pytest.approx(0.56))
    alone = agent_of(HedgeAgentWithMemory)
    assert vote(alone, "hedge", net_gamma_exposure=-0.7, smart_flow_signal=0.5) == ("long", 0.7)
