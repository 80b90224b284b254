from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading_agents.price_samples import changed_from, walk
from trading_agents.agents import PosteriorRule
from trading_agents.backtest.engine.market_states import market_states
from trading_agents.backtest.engine.memory_rules import (
    MEMORY_RULES,
    cost_gate,
    pause_rule,
    regime_posterior,
    retirement_lifetime,
    retirement_recent,
    volatility_memory,
    win_rate_rule,
)
from trading_agents.backtest.engine.trades import simulate_trades

BARS = walk(4000, spread=1e-4)
TRADES = simulate_trades(BARS)


@pytest.fixture
def bars():
    return BARS


@pytest.fixture
def trades():
    return TRADES


def with_results(trades, results, agent="mom24"):
    """The trades, where the first trades of one agent have these results in ATR20 after costs, and all others 0."""
    own = np.flatnonzero(trades.agent == trades.agents.index(agent))
    net_in_atr = np.zeros(len(trades))
    net_in_atr[own[: len(results)]] = results[: len(own)]
    return replace(trades, gross=net_in_atr * trades.atr_fraction, cost=np.zeros(len(trades))), own


@pytest.mark.parametrize("memory", MEMORY_RULES, ids=lambda memory: memory.name)
@pytest.mark.parametrize("index", [1500, 3000, 3990])
def test_later_bars_and_outcomes_change_no_earlier_multiplier(memory, index, bars, trades):
    other = changed_from(bars, index)
    before, after = memory.multipliers(bars, trades), memory.multipliers(other, simulate_trades(other))
    known = np.count_nonzero(trades.signal_bar < index)
    np.testing.assert_array_equal(before[:known], after[:known])
    shorter = bars.first(index)
    decided = np.count_nonzero(trades.signal_bar < index - 1)
    np.testing.assert_array_equal(before[:decided], memory.multipliers(shorter, simulate_trades(shorter)))


@pytest.mark.parametrize(
    "memory", [m for m in MEMORY_RULES if m.depends_on == "outcomes"], ids=lambda memory: memory.name
)
def test_a_trade_knows_nothing_of_its_own_outcome(memory, bars, trades):
    chance = np.random.default_rng(5)
    last = np.array([np.flatnonzero(trades.agent == n)[-1] for n in np.unique(trades.agent)])
    gross = trades.gross.copy()
    gross[last] = chance.normal(0, 1, len(last))
    before, after = memory.multipliers(bars, trades), memory.multipliers(bars, replace(trades, gross=gross))
    np.testing.assert_array_equal(before, after)


def test_volatility_memory_by_hand(bars, trades):
    returns = np.diff(np.log(bars.close))
    days = pd.Series(returns**2).ewm(halflife=24).mean()
    typical = np.exp((np.log(days) / 2).ewm(halflife=252 * 24).mean())
    by_hand = np.clip(typical / np.sqrt(days), 0.5, 1.5).to_numpy()
    np.testing.assert_allclose(volatility_memory(bars, trades), by_hand[trades.signal_bar - 1], rtol=1e-9)


def test_the_cost_gate_skips_spreads_wide_against_their_median(bars, trades):
    share = bars.spread_close / bars.close
    for number in (50, 200, len(trades) - 1):
        t = trades.signal_bar[number]
        typical = np.median(share[max(t + 1 - 60 * 24, 0) : t + 1])
        assert cost_gate(bars, trades)[number] == (0 if share[t] > 1.5 * typical else 1)
    assert 0 < (cost_gate(bars, trades) == 0).mean() < 0.5
    unquoted = replace(bars, spread_open=None, spread_close=None)
    assert (cost_gate(unquoted, trades) == 1).all()


def test_an_agent_is_retired_by_its_lifetime_t_statistic(bars, trades):
    results = np.random.default_rng(1).normal(-0.25, 1, 120)
    case, own = with_results(trades, results)
    taken = retirement_lifetime(bars, case)
    for k in range(100, 120):
        t = results[:k].mean() / (results[:k].std(ddof=1) / np.sqrt(k))
        assert taken[own[k]] == (0 if t < -1.64 else 1)
    assert (taken[own[:100]] == 1).all()
    assert (taken[own[100:120]] == 0).any()


def test_an_agent_is_retired_by_its_recent_t_statistic_and_reinstated():
    bars = walk(12_000, seed=4)
    results = np.concatenate([np.full(150, 0.5), np.full(100, -1.0), np.full(150, 1.0)])
    results += np.random.default_rng(1).normal(0, 1, 400)
    case, own = with_results(simulate_trades(bars), results)
    taken = retirement_recent(bars, case)[own[:400]]
    step = 1 - 0.5 ** (1 / 100)
    for k in (100, 150, 240, 300, 399):
        weights = (1 - step) ** np.arange(k)[::-1]
        mean = np.average(results[:k], weights=weights)
        deviation = np.sqrt(np.average(results[:k] ** 2, weights=weights) - mean**2)
        assert taken[k] == (0 if mean / (deviation * np.sqrt(step / (2 - step))) < -1.64 else 1)
    assert (taken[:160] == 1).all()
    assert (taken[230:250] == 0).all()
    assert (taken[350:] == 1).all()


def test_the_win_rate_rule_counts_the_last_twenty(bars, trades):
    results = np.array([1.0] * 13 + [-1.0] * 20)
    case, own = with_results(trades, results)
    sizes = win_rate_rule(bars, case)[own]
    wins = results > 0
    for k in range(1, 33):
        rate = wins[max(k - 20, 0) : k].mean()
        assert sizes[k] == (0.7 if rate < 0.4 else 1.2 if rate > 0.6 else 1.0)
    assert sizes[0] == 1.0
    # 8 of 20 is exactly 40%, 12 of 20 exactly 60%: neither exceeds its limit.
    for count in (8, 12):
        case, own = with_results(trades, np.array([1.0] * count + [-1.0] * (20 - count)))
        assert win_rate_rule(bars, case)[own[20]] == 1.0


def test_the_pause_lasts_until_a_trade_on_paper_wins(bars, trades):
    case, own = with_results(trades, np.array([1.0, -1, -1, -1, -1, 1, -1, -1, 1]))
    assert pause_rule(bars, case)[own[:9]].tolist() == [1, 1, 1, 1, 0, 0, 1, 1, 1]


def test_the_regime_posterior_by_hand(bars, trades):
    results = np.random.default_rng(2).normal(-0.1, 1, 140)
    case, own = with_results(trades, results)
    states = market_states(bars)[trades.signal_bar[own]]
    taken = regime_posterior(bars, case)[own]
    for k in range(140):
        here = results[:k][states[:k] == states[k]]
        wins, losses = results[:k][results[:k] > 0], results[:k][results[:k] <= 0]
        p = (30 * (len(wins) + 1) / (k + 2) + (here > 0).sum()) / (30 + len(here))
        gain = wins.mean() if len(wins) else 0
        loss = -losses.mean() if len(losses) else 0
        skips = p * gain - (1 - p) * loss < 0 and len(here) >= 30
        assert taken[k] == (0 if skips else 1)
    assert (taken[:140] == 0).any()


@pytest.mark.slow
@given(seed=st.integers(0, 2**32 - 1), mean=st.floats(-0.4, 0.2))
def test_the_vectorised_regime_posterior_decides_as_the_rule_of_live_agents(seed, mean):
    results = np.random.default_rng(seed).normal(mean, 1, 140)
    case, own = with_results(TRADES, results)
    states = market_states(BARS)[TRADES.signal_bar[own]]
    taken, rule = regime_posterior(BARS, case)[own], PosteriorRule()
    for k in range(len(own)):
        known = case.net_in_atr[own[:k]]
        here = known[states[:k] == states[k]]
        skips = len(here) >= rule.min_outcomes and rule.expected_profit(here.tolist(), known.tolist()) < 0
        assert taken[k] == (0 if skips else 1)
