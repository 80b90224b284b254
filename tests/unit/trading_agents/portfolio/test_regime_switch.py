"""In each regime the agent with the best record in it trades, once enough is known."""

import pytest

from agent_memory import InvalidInput
from trading_agents import RegimeSwitch


def taught(min_trades=30, **results):
    """A switch after `min_trades` trades of each agent in the ranging market, all with the same result."""
    switch = RegimeSwitch(min_trades=min_trades)
    for agent, result in results.items():
        for _ in range(min_trades):
            switch.observe(agent, "ranging", result)
    return switch


def test_the_agent_with_the_best_record_in_a_regime_trades():
    switch = taught(trend=-0.1, reversion=0.2)
    assert switch.chosen("ranging") == "reversion"
    assert (switch.multiplier("reversion", "ranging"), switch.multiplier("trend", "ranging")) == (1.0, 0.0)
    assert {switch.multiplier(agent, "trending") for agent in ("reversion", "trend")} == {1.0}


def test_while_too_little_is_known_all_trade():
    assert taught(trend=-0.1).multiplier("trend", "ranging") == 1.0
    switch = taught(trend=-0.1, reversion=0.2)
    switch.observe("new", "ranging", -5.0)
    assert switch.multiplier("new", "ranging") == 1.0


def test_a_choice_is_revised_by_results_on_paper():
    switch = taught(trend=-0.1, reversion=0.2)
    for _ in range(60):
        switch.observe("trend", "ranging", 1.0)
    assert switch.chosen("ranging") == "trend"


def test_a_switch_continues_from_its_state():
    switch = taught(min_trades=2, trend=-0.1, reversion=0.2)
    again = RegimeSwitch.from_state(switch.to_state())
    assert again.to_state() == switch.to_state()
    assert again.chosen("ranging") == "reversion"


def test_what_cannot_be_is_named():
    with pytest.raises(InvalidInput, match="result"):
        RegimeSwitch().observe("trend", "ranging", float("nan"))
    with pytest.raises(InvalidInput, match="min_trades"):
        RegimeSwitch(min_trades=0)
    with pytest.raises(InvalidInput, match="state"):
        RegimeSwitch.from_state({"of": "Composer", "version": 1})
