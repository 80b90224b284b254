"""The five voting agents in the backtest decide as live agents do, and nothing is known before its time."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import changed_from, walk
from trading_agents.agents import WinRateRule
from trading_agents.backtest.engine.portfolios import voting_portfolio
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.engine.votes import AGENT_NAMES, SYMBOL, BarClock, decaying_memory, make_agents
from trading_agents.backtest.engine.voting_agent_rules import (
    loss_exposure,
    own_memory,
    voting_agent_rules,
    weights_by_bar,
)
from trading_agents.indicators import FeatureTable
from trading_agents.memory import TradingMemoryStore
from trading_agents.portfolio import Composer
from trading_agents.risk import LossMemory


def table_of(bars):
    """Features with regimes that change every seven days: fitting them takes years of bars."""
    days = np.arange(bars.days[-1] + 1)
    return FeatureTable(bars, daily_turbulence=np.where(days % 14 < 9, 0.2, 0.8))


BARS = walk(1500, spread=1e-4)
TABLE = table_of(BARS)
PORTFOLIO = voting_portfolio(BARS, TABLE)
VOTES = PORTFOLIO.votes
TRADES = simulate_trades(BARS, agents=PORTFOLIO.agents)


def test_agents_trade_the_signals_of_their_votes_except_without_option_chains():
    assert PORTFOLIO.abstaining == ("hedge",)
    counts = np.bincount(TRADES.agent, minlength=5)
    assert counts[0] == 0
    assert (counts[1:] > 20).all()
    np.testing.assert_array_equal(TRADES.direction, VOTES.signal[TRADES.signal_bar, TRADES.agent])


@pytest.mark.slow
def test_confidences_are_those_of_agents_that_act_at_every_bar_and_observe_each_outcome():
    clock = BarClock()
    agents = make_agents(lambda: decaying_memory(clock), confidence_rule=WinRateRule())
    expected = np.full(len(TRADES), np.nan)
    for t, seconds in enumerate(BARS.time.astype(np.int64).tolist()):
        clock.now = seconds
        features = TABLE.features_at(t)
        for number, agent in enumerate(agents):
            own = TRADES.agent == number
            for ended in np.flatnonzero(own & (TRADES.exit_bar == t)):
                setup = VOTES.setup[number][TRADES.signal_bar[ended]]
                agent.remember_outcome(SYMBOL, "x", 100 * float(TRADES.net[ended]), 1.0, 1.0, setup=setup)
            agent.perceive(SYMBOL, seconds, features)
            _, confidence, _ = agent.act_with_memory(SYMBOL, seconds, features)
            expected[own & (TRADES.signal_bar == t)] = confidence
    without_memory = VOTES.confidence_without_memory[TRADES.signal_bar, TRADES.agent]
    sizes = own_memory(VOTES)(BARS, TRADES)
    np.testing.assert_allclose(sizes * without_memory, expected, rtol=1e-12)
    assert len(np.unique(np.round(sizes, 6))) > 20


@pytest.mark.parametrize("index", [900])
def test_later_bars_change_no_earlier_vote_and_no_earlier_size(index):
    other = changed_from(BARS, index)
    changed = voting_portfolio(other, table_of(other))
    for name in ("signal", "confidence", "confidence_without_memory", "participates"):
        np.testing.assert_array_equal(getattr(VOTES, name)[:index], getattr(changed.votes, name)[:index])
    trades = simulate_trades(other, agents=changed.agents)
    known = np.count_nonzero(TRADES.signal_bar < index)
    for before, after in zip(PORTFOLIO.memory_rules, changed.memory_rules, strict=True):
        sizes = before.multipliers(BARS, TRADES)[:known], after.multipliers(other, trades)[:known]
        np.testing.assert_array_equal(*sizes, err_msg=before.name)


@pytest.mark.parametrize("memory", PORTFOLIO.memory_rules, ids=lambda memory: memory.name)
def test_an_outcome_after_a_decision_does_not_change_it(memory):
    cut = 900
    later = TRADES.exit_bar > cut
    gross = np.where(later, -TRADES.gross + np.random.default_rng(4).normal(0, 0.02, len(TRADES)), TRADES.gross)
    before, after = (memory.multipliers(BARS, one) for one in (TRADES, replace(TRADES, gross=gross)))
    decided = TRADES.signal_bar <= cut
    np.testing.assert_array_equal(before[decided], after[decided])
    if memory.name in {"own memory", "losses", "all together"}:
        assert (before != after).any()


def test_the_portfolio_records_a_trade_at_its_end_and_skipped_ones_on_paper():
    sizes = loss_exposure(BARS, TRADES)
    order = sorted(range(len(TRADES)), key=lambda k: (TRADES.exit_bar[k], k))
    seconds = BARS.time.astype(np.int64)
    for number in range(0, 200, 7):
        clock = BarClock()
        memory = LossMemory(TradingMemoryStore(clock=clock))
        for ended in order:
            if ended < number and TRADES.exit_bar[ended] <= TRADES.signal_bar[number]:
                clock.now = seconds[TRADES.exit_bar[ended]]
                share = (sizes[ended] or 1.0) / 5
                memory.record(share * np.expm1(TRADES.net[ended]), on_paper=sizes[ended] == 0)
        clock.now = seconds[TRADES.signal_bar[number]]
        assert sizes[number] == memory.exposure
    assert (sizes == 0).any()
    assert (sizes > 0).any()


def test_weights_follow_what_votes_earned_since_the_day_before():
    weights = weights_by_bar(BARS, VOTES, Composer())
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights[:48] == 0.2).all()
    np.testing.assert_allclose(weights[:, AGENT_NAMES.index("hedge")], 0.2)
    day = BARS.days
    assert (weights[1:][day[1:] == day[:-1]] == weights[:-1][day[1:] == day[:-1]]).all()
    days = [
        (earned, weights[second] - weights[first])
        for first, second in pairwise(np.flatnonzero(np.diff(day, prepend=-1)).tolist())
        for earned in [VOTES.signal[first] * VOTES.participates[first] * (BARS.close[second] / BARS.close[first] - 1)]
    ]
    split = [(moved[earned > 0], moved[earned < 0]) for earned, moved in days if earned.max() > 0 > earned.min()]
    assert len(split) > 5
    assert all(winners.mean() > 0 > losers.mean() for winners, losers in split)


def test_weights_by_regime_differ_between_regimes():
    by_regime = weights_by_bar(BARS, VOTES, Composer(), by_regime=True)
    calm = np.array([regime == "calm" for regime in VOTES.regime])
    assert np.abs(by_regime[calm][-1] - by_regime[~calm & (np.arange(len(BARS)) > 1100)][-1]).max() > 0.005
    np.testing.assert_array_equal(weights_by_bar(BARS, VOTES, Composer(), by_regime=True), by_regime)


def test_all_together_is_the_product_of_its_parts():
    rules = {memory.name: memory for memory in voting_agent_rules(VOTES)}
    parts = [rules[name].multipliers(BARS, TRADES) for name in ("own memory", "composer by regime", "volatility")]
    sizes = rules["all together"].multipliers(BARS, TRADES)
    product = np.prod(parts, axis=0)
    np.testing.assert_allclose(sizes[:2], product[:2])
    exposure = sizes / product
    assert ((exposure == 0) | ((exposure > 0.5) & (exposure < 1 + 1e-9))).all()
    assert (exposure == 0).any()
