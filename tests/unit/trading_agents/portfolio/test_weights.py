"""Weights follow their formula, and their regret keeps to the bounds of the theorems."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import InvalidInput
from tests.regret import best_with_switches, gain_of
from trading_agents.demo.bars import sample_bars
from trading_agents.portfolio.weights import FixedShare, Hedge

RANGE = 6.0
"""Gains lie between -3 and 3."""


def synthetic(kind, rounds=600, experts=5):
    chance = np.random.default_rng(3)
    gains = np.clip(chance.normal(0, 1, (rounds, experts)), -3, 3)
    if kind == "one is better":
        gains[:, 2] = np.clip(gains[:, 2] + 0.5, -3, 3)
    if kind == "the best changes":
        for start in range(0, rounds, 200):
            gains[start : start + 200, (start // 200) % experts] = 3.0
    if kind == "adversary":
        gains[:, 0], gains[:, 1] = 3.0 * (-1.0) ** np.arange(rounds), -3.0 * (-1.0) ** np.arange(rounds)
    return gains


def real():
    """Gains of five strategies on real bars: always long, always short, momentum, reversal, and flat."""
    returns = np.diff(np.log(sample_bars().close[:, 0]))
    scaled = np.clip(returns / returns.std(), -3, 3)
    before = np.sign(np.concatenate([[0.0], returns[:-1]]))
    return np.stack([scaled, -scaled, before * scaled, -before * scaled, 0 * scaled], axis=1)


MARKETS = {
    "equal": lambda: synthetic("equal"),
    "one is better": lambda: synthetic("one is better"),
    "the best changes": lambda: synthetic("the best changes"),
    "adversary": lambda: synthetic("adversary"),
    "real bars": real,
}


@pytest.mark.slow
@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("eta", [0.02, 0.2, 1.0])
def test_hedge_keeps_its_bound(market, eta):
    gains = MARKETS[market]()
    regret = gains.sum(axis=0).max() - gain_of(Hedge(eta), gains)
    assert regret <= Hedge(eta).regret_bound(*gains.shape, RANGE)


@pytest.mark.slow
@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("switches", [0, 2, 10])
@pytest.mark.parametrize("rule", [FixedShare(), FixedShare(0.3, 0.01)])
def test_fixed_share_keeps_its_bound(market, switches, rule):
    gains = MARKETS[market]()
    regret = best_with_switches(gains, switches) - gain_of(rule, gains)
    assert regret <= rule.regret_bound(*gains.shape, RANGE, switches)


@settings(max_examples=60)
@given(
    rows=st.lists(st.lists(st.sampled_from([-3.0, -1.0, 0.0, 3.0]), min_size=3, max_size=3), min_size=2, max_size=40),
    eta=st.sampled_from([0.1, 0.5, 2.0]),
    switches=st.integers(0, 3),
)
def test_no_generated_market_exceeds_a_bound(rows, eta, switches):
    gains = np.array(rows)
    switches = min(switches, len(rows) - 1)
    assert gains.sum(axis=0).max() - gain_of(Hedge(eta), gains) <= Hedge(eta).regret_bound(*gains.shape, RANGE) + 1e-9
    rule = FixedShare(eta, 0.05)
    regret = best_with_switches(gains, switches) - gain_of(rule, gains)
    assert regret <= rule.regret_bound(*gains.shape, RANGE, switches) + 1e-9


def test_only_fixed_share_follows_a_change_of_the_best_expert():
    gains = synthetic("the best changes")
    assert gain_of(FixedShare(0.3, 0.01), gains) > gain_of(Hedge(0.3), gains) + 100


def test_one_round_by_hand():
    weights = Hedge(0.5).updated({"a": 0.5, "b": 0.25, "c": 0.25}, {"a": 2.0, "b": 0.0})
    grown = 0.5 * math.e
    assert weights == pytest.approx({"a": 0.75 * grown / (grown + 0.25), "b": 0.75 * 0.25 / (grown + 0.25), "c": 0.25})
    shared = FixedShare(0.5, 0.1).updated({"a": 0.5, "b": 0.5}, {"a": 0.0, "b": 0.0})
    assert shared == pytest.approx({"a": 0.5, "b": 0.5})
    assert Hedge().updated({"a": 1.0}, {}) == {"a": 1.0}


@pytest.mark.parametrize(("make", "field"), [(lambda: Hedge(0), "eta"), (lambda: FixedShare(0.1, 1.0), "share")])
def test_invalid_settings_are_named(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()
    assert caught.value.field == field
