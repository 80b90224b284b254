"""On real prices the regret of the composer's rules keeps to the bounds of the theorems."""

from dataclasses import replace

import numpy as np
import pytest

from tests.regret import best_with_switches, gain_of
from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, real_bars
from trading_agents.backtest.engine.portfolios import voting_portfolio
from trading_agents.backtest.engine.signal_agents import TEXTBOOK_AGENTS
from trading_agents.backtest.engine.voting_agent_rules import weights_by_bar
from trading_agents.portfolio import Composer, FixedShare, Hedge

DAYS = 700
"""Regimes are known from the 504th day on."""

RANGE = 6.0
"""Gains lie between -3 and 3."""


class RecordingRule:
    """A rule that records the weights of the experts that took part, summing to 1, and their gains."""

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
    votes = voting_portfolio(bars).votes
    present = votes.participates.any(axis=0)
    together = votes.participates[:, present].all(axis=1)
    votes = replace(votes, participates=votes.participates & together[:, None])
    for rule in (Hedge(), Hedge(0.2), FixedShare(), FixedShare(0.2, 0.01)):
        recording = RecordingRule(rule)
        weights_by_bar(bars, votes, Composer(rule=recording))
        gains = np.array(recording.gains)
        assert gains.shape[0] > 100
        assert gains.shape[1] == present.sum() >= 3
        own = float((np.array(recording.weights) * gains).sum())
        if isinstance(rule, Hedge):
            assert gains.sum(axis=0).max() - own <= rule.regret_bound(*gains.shape, RANGE)
            continue
        for switches in (0, 3, 10):
            regret = best_with_switches(gains, switches) - own
            assert regret <= rule.regret_bound(*gains.shape, RANGE, switches)


@pytest.mark.slow
@pytest.mark.parametrize("name", [SPY, BTC, EURUSD])
def test_bar_by_bar_over_complete_files(name):
    """With the step that makes the bound least, Hedge may lose R sqrt(ln N / 2T) a round, a hundredth of the range."""
    bars = real_bars(name)
    returns = np.diff(np.log(bars.close))
    scaled = np.clip(returns / returns.std(), -3, 3)
    gains = np.column_stack([agent.signal(bars)[:-1] * scaled for agent in TEXTBOOK_AGENTS])
    rounds, experts = gains.shape
    hedge = Hedge(float(np.sqrt(8 * np.log(experts) / (RANGE**2 * rounds))))
    bound = hedge.regret_bound(rounds, experts, RANGE)
    assert bound < 0.01 * RANGE * rounds
    assert gains.sum(axis=0).max() - gain_of(hedge, gains) <= bound
    rule = FixedShare(0.01, 0.001)
    regret = best_with_switches(gains, 10) - gain_of(rule, gains)
    assert regret <= rule.regret_bound(rounds, experts, RANGE, 10)
