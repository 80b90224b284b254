"""Examples that need no deployment run, and print what their docstrings promise."""

import pytest

from examples import choose_with_advice, withhold_memory

pytestmark = pytest.mark.slow


def test_what_costs_success_is_found_and_taken_out_of_use(capsys):
    withhold_memory.main()
    found, resting, left = capsys.readouterr().out.splitlines()
    assert found.startswith("memory adds -")
    assert resting.endswith("decisions rest on it")
    assert left == "it is no longer read"


def test_a_strategy_is_chosen_with_its_probability(capsys):
    choose_with_advice.main()
    *options, chosen = capsys.readouterr().out.splitlines()
    assert [one.split()[0] for one in options] == choose_with_advice.STRATEGIES
    assert chosen.startswith("chose momentum with probability ")
