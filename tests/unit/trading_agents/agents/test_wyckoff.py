"""The Wyckoff agent."""

import pytest

from tests.unit.trading_agents.agents.agent_samples import agent_of, vote
from trading_agents import WyckoffAgentWithMemory


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"spring": True, "phase": "markdown"}, ("long", 0.7)),
        ({"upthrust": True}, ("short", 0.7)),
        ({"phase": "Accumulation"}, ("long", 0.5)),
        ({"phase": "distribution"}, ("short", 0.5)),
        ({"spring": False, "phase": "unknown"}, ("neutral", 0.4)),
    ],
)
def test_it_trades_its_setups(features, expected):
    assert vote(agent_of(WyckoffAgentWithMemory), "wyckoff", **features) == expected


def test_it_learns_the_success_rate_of_each_setup():
    agent = agent_of(WyckoffAgentWithMemory)
    for number in range(10):
        vote(agent, "wyckoff", spring=True)
        agent.remember_outcome("SPY", f"t{number}", -1.0, 100, 99)
    assert agent.success_rate("SPY", "spring") == (0.25, 10)
    # × 0.7 for springs, by their record, and × 0.7 for the win rate of all, are 30% less together.
    assert vote(agent, "wyckoff", spring=True) == ("long", pytest.approx(0.7 * 0.7))
    assert vote(agent, "wyckoff", upthrust=True) == ("short", pytest.approx(0.7 * 0.7))


def test_an_outcome_counts_for_the_setup_of_its_decision():
    agent = agent_of(WyckoffAgentWithMemory)
    vote(agent, "wyckoff", spring=True)
    assert agent.setup("SPY") == "spring"
    vote(agent, "wyckoff", phase="unknown")
    assert agent.setup("SPY") == agent.setup("BTC") == ""
    vote(agent, "wyckoff", phase="markdown")
    for number in range(10):
        agent.remember_outcome("SPY", f"t{number}", 1.0, 100, 101, setup="spring")
    assert agent.success_rate("SPY", "spring") == (0.75, 10)
    assert agent.success_rate("SPY", "markdown") == (0.5, 0)
    assert agent.adjust_confidence("SPY", 0.5, "spring") == (pytest.approx(0.5 * 1.3), 1.0)
    assert agent.adjust_confidence("SPY", 0.5) == (pytest.approx(0.5 * 1.2), 1.0)
