"""The Markov agent."""

import pytest

from tests.unit.trading_agents.agents.agent_samples import agent_of, vote
from trading_agents import MarkovAgentWithMemory


def test_it_learns_how_likely_regimes_are_to_persist():
    agent = agent_of(MarkovAgentWithMemory)
    for regime in ["calm"] * 9 + ["turbulent"] * 2 + ["calm"]:
        agent.act_with_memory("SPY", 0, {"markov": {"regime": regime, "p_turbulent": 0.2}})
    # Out of calm: 8 times calm, once turbulent; with one more each.
    assert agent.transitions("SPY", "calm") == {"calm": pytest.approx(9 / 11), "turbulent": pytest.approx(2 / 11)}
    assert vote(agent, "markov", regime="calm") == ("long", pytest.approx(0.6 * 9 / 11))
    assert agent.transitions("BTC", "calm") == {"calm": 1.0}
    assert vote(agent, "markov", regime="calm", p_turbulent=0.9)[0] == "neutral"
    assert vote(agent, "markov", regime="bear")[0] == "short"
    assert "Regime changed from calm to turbulent" in [item.content for item in agent.memory.items]
