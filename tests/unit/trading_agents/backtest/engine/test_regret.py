"""On real prices the composer's rules fall behind the best agents no further than the theorems say."""

from dataclasses import replace

import numpy as np
import pytest

from tests.regret import best_with_switches, gain_of
from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, real_bars
from trading_agents.backtest.engine.portfolios import with_memory
from trading_agents.backtest.engine.signal_agents import AGENTS
from trading_agents.backtest.engine.voting_agent_rules import composed
from trading_agents.portfolio import Composer, FixedShare, Hedge

DAYS = 700
"""Regimes are known from the 504th day on."""

RANGE = 6.0
"""Gains lie between -3 and 3."""


class Watched:
    """A rule that keeps what it was told: weights of those that took part, summing to 1, and their gains."""

    def __init__(self, rule):
        self.rule, self.weights, self.gains = rule, [], []

    def updated(self, weights, gains):
        total = sum(weights[name] for name in gains)
        self.weights.append([weights[name] / total for name in gains])
        self.gains.append(list(gains.values()))
        return self.rule.updated(weights, gains)


@pytest.mark.slow
@pytest.mark.parametrize("name", [SPY, BTC, EURUSD])
def test_on_real_bars_the_composer_keeps_its_regret_bounds(name):
    bars = real_bars(name)
    bars = bars.first(int(np.searchsorted(bars.days, DAYS)))
    votes = with_memory(bars).votes
    present = votes.takes_part.any(axis=0)
    together = votes.takes_part[:, present].all(axis=1)
    votes = replace(votes, takes_part=votes.takes_part & together[:, None])
    for rule in (Hedge(), Hedge(0.2), FixedShare(), FixedShare(0.2, 0.01)):
        watched = Watched(rule)
        composed(bars, votes, Composer(rule=watched))
        gains = np.array(watched.gains)
        assert gains.shape[0] > 100
        assert gains.shape[1] == present.sum() >= 3
        own = float((np.array(watched.weights) * gains).sum())
        if isinstance(rule, Hedge):
            assert gains.sum(axis=0).max() - own <= rule.regret_bound(*gains.shape, RANGE)
            continue
        for switches in (0, 3, 10):
            regret = best_with_switches(gains, switches) - own
            assert regret <= rule.regret_bound(*gains.shape, RANGE, switches)


@pytest.mark.slow
@pytest.mark.parametrize("name", [SPY, BTC, EURUSD])
def test_bar_by_bar_over_whole_files_too(name):
    """With the step that makes the bound least, Hedge may lose R sqrt(ln N / 2T) a round, a hundredth of the range."""
    bars = real_bars(name)
    returns = np.diff(np.log(bars.close))
    scaled = np.clip(returns / returns.std(), -3, 3)
    gains = np.column_stack([agent.signal(bars)[:-1] * scaled for agent in AGENTS])
    rounds, experts = gains.shape
    hedge = Hedge(float(np.sqrt(8 * np.log(experts) / (RANGE**2 * rounds))))
    bound = hedge.regret_bound(rounds, experts, RANGE)
    assert bound < 0.01 * RANGE * rounds
    assert gains.sum(axis=0).max() - gain_of(hedge, gains) <= bound
    rule = FixedShare(0.01, 0.001)
    regret = best_with_switches(gains, 10) - gain_of(rule, gains)
    assert regret <= rule.regret_bound(rounds, experts, RANGE, 10)
