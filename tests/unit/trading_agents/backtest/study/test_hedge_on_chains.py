"""The Hedge agent on option chains alone: votes are judged by the next chain, and memory only resizes them."""

import math

import numpy as np
import pytest

from trading_agents.backtest.report.markdown import hedge_sentence
from trading_agents.backtest.study.hedge_on_chains import MIN_VOTES, hedge_on_chains
from trading_agents.indicators.option_chain import OptionChain


def chain(day, spot=100.0, *, call_volume=20.0):
    """A chain of a market in which dealers are short gamma."""
    return OptionChain(
        np.datetime64("2024-01-01T23:59:59") + np.timedelta64(day, "D"),
        spot,
        strike=np.array([spot, spot]),
        years=np.array([0.1, 0.1]),
        is_call=np.array([True, False]),
        volatility=np.array([0.2, 0.2]),
        open_interest=np.array([1000.0, 2000.0]),
        volume=np.array([call_volume, 60.0]),
    )


def squeezes(days, move=0.01):
    """The flow buys on every other day, after which the underlying moves."""
    spots = 100 * np.exp(np.cumsum([move if day % 2 == 0 else 0.0 for day in range(days)]))
    return [chain(day, float(spot), call_volume=400.0 if day % 2 else 20.0) for day, spot in enumerate(spots)]


def test_votes_are_judged_by_the_move_until_the_next_chain():
    result = hedge_on_chains("TEST", squeezes(20))
    assert (result.chains, result.read, result.short) == (20, 20, 0)
    assert result.long == 7  # the first five chains only tell what is usual, and nothing follows on the last one
    assert result.without_memory == pytest.approx(0.01)
    assert not result.is_conclusive
    assert hedge_sentence(result).startswith("Hedge on TEST: nothing can be said, since 7 of 20 chains gave a vote")


def test_setups_seen_three_times_in_a_week_are_cautious_votes():
    result = hedge_on_chains("TEST", squeezes(60))
    assert result.cautious > 10
    assert result.changed >= result.cautious
    assert result.with_memory == pytest.approx(result.without_memory)
    assert result.interval is not None


def test_moves_over_gaps_and_splits_are_not_judged():
    chains = squeezes(12)
    expected = hedge_on_chains("TEST", chains).votes
    split = [*chains[:8], *(chain(8 + n, 14.0, call_volume=400.0 if n % 2 else 20.0) for n in range(4))]
    assert hedge_on_chains("TEST", split).votes == expected - 1
    assert hedge_on_chains("TEST", [*chains[:8], chain(30)]).votes == expected - 2


def test_enough_votes_give_a_verdict_with_its_interval():
    result = hedge_on_chains("TEST", squeezes(2 * MIN_VOTES + 20))
    assert result.is_conclusive
    sentence = hedge_sentence(result)
    assert f"of {result.votes} votes by +0.00 bp [" in sentence
    assert sentence.endswith("no more than chance explains.")


def test_no_chain_can_be_read():
    empty = [chain(day, call_volume=0.0) for day in range(3)]
    for one in empty:
        one.volume[:] = 0
    result = hedge_on_chains("TEST", empty)
    assert (result.read, result.votes) == (0, 0)
    assert math.isnan(result.without_memory)
