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
    size_by_regime,
    switch_by_regime,
    volume_by_regime,
    voting_agent_rules,
    weights_by_bar,
)
from trading_agents.indicators import FeatureTable
from trading_agents.memory import TradingMemoryStore
from trading_agents.portfolio import Composer, RegimeSwitch
from trading_agents.risk import LossMemory, RegimeLosses


def table_of(bars):
    """Features with regimes that change every seven days: fitting them takes years of bars."""
    days = np.arange(bars.days[-1] + 1)
    return FeatureTable(bars, daily_turbulence=np.where(days % 14 < 9, 0.2, 0.8))


BARS = walk(1500, spread=1e-4)
TABLE = table_of(BARS)


@pytest.fixture(scope="module")
def portfolio():
    return voting_portfolio(BARS, TABLE)


@pytest.fixture(scope="module")
def votes(portfolio):
    return portfolio.votes


@pytest.fixture(scope="module")
def trades(portfolio):
    return simulate_trades(BARS, agents=portfolio.agents)


def test_agents_trade_the_signals_of_their_votes_except_without_option_chains(portfolio, votes, trades):
    assert portfolio.abstaining == ("hedge",)
    counts = np.bincount(trades.agent, minlength=5)
    assert counts[0] == 0
    assert (counts[1:] > 20).all()
    np.testing.assert_array_equal(trades.direction, votes.signal[trades.signal_bar, trades.agent])


@pytest.mark.slow
def test_confidences_are_those_of_agents_that_act_at_every_bar_and_observe_each_outcome(votes, trades):
    clock = BarClock()
    agents = make_agents(lambda: decaying_memory(clock), confidence_rule=WinRateRule())
    expected = np.full(len(trades), np.nan)
    for t, seconds in enumerate(BARS.time.astype(np.int64).tolist()):
        clock.now = seconds
        features = TABLE.features_at(t)
        for number, agent in enumerate(agents):
            own = trades.agent == number
            for ended in np.flatnonzero(own & (trades.exit_bar == t)):
                setup = votes.setup[number][trades.signal_bar[ended]]
                agent.remember_outcome(SYMBOL, "x", 100 * float(trades.net[ended]), 1.0, 1.0, setup=setup)
            agent.perceive(SYMBOL, seconds, features)
            _, confidence, _ = agent.act_with_memory(SYMBOL, seconds, features)
            expected[own & (trades.signal_bar == t)] = confidence
    without_memory = votes.confidence_without_memory[trades.signal_bar, trades.agent]
    sizes = own_memory(votes)(BARS, trades)
    np.testing.assert_allclose(sizes * without_memory, expected, rtol=1e-12)
    assert len(np.unique(np.round(sizes, 6))) > 20


@pytest.mark.slow
@pytest.mark.parametrize("index", [900])
def test_later_bars_change_no_earlier_vote_and_no_earlier_size(index, portfolio, votes, trades):
    other = changed_from(BARS, index)
    changed = voting_portfolio(other, table_of(other))
    for name in ("signal", "confidence", "confidence_without_memory", "participates"):
        np.testing.assert_array_equal(getattr(votes, name)[:index], getattr(changed.votes, name)[:index])
    changed_trades = simulate_trades(other, agents=changed.agents)
    known = np.count_nonzero(trades.signal_bar < index)
    for before, after in zip(portfolio.memory_rules, changed.memory_rules, strict=True):
        sizes = before.multipliers(BARS, trades)[:known], after.multipliers(other, changed_trades)[:known]
        np.testing.assert_array_equal(*sizes, err_msg=before.name)


def test_an_outcome_after_a_decision_does_not_change_it(portfolio, trades):
    cut = 900
    later = trades.exit_bar > cut
    gross = np.where(later, -trades.gross + np.random.default_rng(4).normal(0, 0.02, len(trades)), trades.gross)
    other = replace(trades, gross=gross)
    decided = trades.signal_bar <= cut
    changed_later = set()
    for memory in portfolio.memory_rules:
        before, after = memory.multipliers(BARS, trades), memory.multipliers(BARS, other)
        np.testing.assert_array_equal(before[decided], after[decided], err_msg=memory.name)
        if (before != after).any():
            changed_later.add(memory.name)
    assert changed_later >= {"own memory", "losses", "all together"}


def test_the_portfolio_records_a_trade_at_its_end_and_skipped_ones_on_paper(trades):
    sizes = loss_exposure(BARS, trades)
    order = sorted(range(len(trades)), key=lambda k: (trades.exit_bar[k], k))
    seconds = BARS.time.astype(np.int64)
    for number in range(0, 200, 7):
        clock = BarClock()
        memory = LossMemory(TradingMemoryStore(clock=clock))
        for ended in order:
            if ended < number and trades.exit_bar[ended] <= trades.signal_bar[number]:
                clock.now = seconds[trades.exit_bar[ended]]
                share = (sizes[ended] or 1.0) / 5
                memory.record(share * np.expm1(trades.net[ended]), on_paper=sizes[ended] == 0)
        clock.now = seconds[trades.signal_bar[number]]
        assert sizes[number] == memory.exposure
    assert (sizes == 0).any()
    assert (sizes > 0).any()


def test_weights_follow_what_votes_earned_since_the_day_before(votes):
    weights = weights_by_bar(BARS, votes, Composer())
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights[:48] == 0.2).all()
    np.testing.assert_allclose(weights[:, AGENT_NAMES.index("hedge")], 0.2)
    day = BARS.days
    assert (weights[1:][day[1:] == day[:-1]] == weights[:-1][day[1:] == day[:-1]]).all()
    days = [
        (earned, weights[second] - weights[first])
        for first, second in pairwise(np.flatnonzero(np.diff(day, prepend=-1)).tolist())
        for earned in [votes.signal[first] * votes.participates[first] * (BARS.close[second] / BARS.close[first] - 1)]
    ]
    split = [(moved[earned > 0], moved[earned < 0]) for earned, moved in days if earned.max() > 0 > earned.min()]
    assert len(split) > 5
    assert all(winners.mean() > 0 > losers.mean() for winners, losers in split)


def test_weights_by_regime_differ_between_regimes(votes):
    by_regime = weights_by_bar(BARS, votes, Composer(), by_regime=True)
    calm = np.array([regime == "calm" for regime in votes.regime])
    assert np.abs(by_regime[calm][-1] - by_regime[~calm & (np.arange(len(BARS)) > 1100)][-1]).max() > 0.005
    np.testing.assert_array_equal(weights_by_bar(BARS, votes, Composer(), by_regime=True), by_regime)


def test_all_together_is_the_product_of_its_parts(votes, trades):
    rules = {memory.name: memory for memory in voting_agent_rules(votes)}
    parts = [rules[name].multipliers(BARS, trades) for name in ("own memory", "composer by regime", "volatility")]
    sizes = rules["all together"].multipliers(BARS, trades)
    product = np.prod(parts, axis=0)
    np.testing.assert_allclose(sizes[:2], product[:2])
    exposure = sizes / product
    assert ((exposure == 0) | ((exposure > 0.5) & (exposure < 1 + 1e-9))).all()
    assert (exposure == 0).any()


def in_order_of_exits(trades, number):
    """The trades that had ended at the signal of a trade, in the order of their exits."""
    ended = np.flatnonzero(trades.exit_bar[:number] <= trades.signal_bar[number])
    return sorted(ended.tolist(), key=lambda one: (trades.exit_bar[one], one))


def test_sizes_by_regime_are_those_of_live_objects_fed_what_had_ended(votes, trades):
    sizes, switched = size_by_regime(votes)(BARS, trades), switch_by_regime(votes, min_trades=5)(BARS, trades)
    for number in range(0, len(trades), 41):
        switch, clock = RegimeSwitch(min_trades=5), BarClock()
        losses = {name: RegimeLosses(TradingMemoryStore(clock=clock)) for name in AGENT_NAMES}
        for ended in in_order_of_exits(trades, number):
            clock.now += 1
            agent, condition = AGENT_NAMES[trades.agent[ended]], votes.condition[trades.signal_bar[ended]]
            losses[agent].remember(SYMBOL, condition, float(trades.net[ended]))
            switch.observe(agent, condition, float(trades.net_in_atr[ended]))
        agent, condition = AGENT_NAMES[trades.agent[number]], votes.condition[trades.signal_bar[number]]
        assert sizes[number] == losses[agent].size(SYMBOL, condition).factor
        assert switched[number] == switch.multiplier(agent, condition)
    assert set(np.unique(sizes)) == {0.5, 1.0}
    assert set(np.unique(switched)) == {0.0, 1.0}


def test_volume_by_regime_changes_only_trades_of_liquidity(votes, trades):
    sizes = volume_by_regime(votes)(BARS, trades)
    of_liquidity = trades.agent == AGENT_NAMES.index("liquidity")
    assert (sizes[~of_liquidity] == 1).all()
    assert set(np.unique(sizes[of_liquidity])) == {0.8, 1.0}
    assert set(votes.condition) == {"", "ranging", "trending", "volatile"}
