import numpy as np
import pytest
from scipy import stats

from tests.unit.trading_agents.backtest.study.record_samples import RULES, real_record
from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, walk
from trading_agents.backtest.engine.memory_rules import MemoryRule
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.study.inference import (
    change_with_memory,
    deflated_sharpe,
    intervals,
    multipliers_from_shuffled_outcomes,
    p_value,
    shift_multipliers,
)
from trading_agents.backtest.study.track_record import make_track_record


def test_without_change_intervals_are_zero(record):
    ones = np.ones(len(record.trades))
    assert change_with_memory(record, ones) == pytest.approx((0, 0, 0, 0, 0, 0), abs=1e-12)
    assert all(limits == pytest.approx((0, 0), abs=1e-12) for limits in intervals(record, ones).values())


def test_an_oracle_is_detected_and_is_in_its_interval(record):
    oracle = np.where(record.trades.net > 0, 1.0, 0.0)
    changes, limits = change_with_memory(record, oracle), intervals(record, oracle)
    assert changes.sharpe > 5
    assert limits["sharpe"].low > 3
    for name, value in changes._asdict().items():
        assert np.isnan(value) or limits[name].low <= value <= limits[name].high


def test_skipping_every_trade_leaves_undefined_intervals(record):
    limits = intervals(record, np.zeros(len(record.trades)))
    assert all(np.isnan(limits[name].low) for name in ("win_rate", "net", "profit_factor"))


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Skipping by the toss of a coin changes nothing in truth: 95% intervals hold zero in 95 of 100 cases."""
    bars = walk(24 * 200)
    record, held = make_track_record(bars, simulate_trades(bars), 50), 0
    for seed in range(40):
        coin = np.random.default_rng(seed).integers(0, 2, len(record.trades)).astype(float)
        low, high = intervals(record, coin, seed, draws=300)["win_rate"]
        held += low <= 0 <= high
    assert 33 <= held <= 40


def test_a_shift_preserves_what_each_agent_skips(record):
    sizes = np.random.default_rng(0).uniform(0, 2, len(record.trades))
    shifted = shift_multipliers(record, sizes, np.random.default_rng(1))
    for number in range(len(record.trades.agents)):
        own = record.scored & (record.trades.agent == number)
        assert sorted(shifted[own]) == sorted(sizes[own])
        assert own.sum() < 2 or (shifted[own] != sizes[own]).any()
    np.testing.assert_array_equal(shifted[~record.scored], sizes[~record.scored])


def test_a_rule_fed_shuffled_outcomes_sees_them_in_another_order(record):
    seen = []
    spy = MemoryRule("spy", "", "outcomes", lambda _, trades: seen.append(trades) or np.ones(len(trades)))
    multipliers_from_shuffled_outcomes(record, spy, np.random.default_rng(1))
    (fed,) = seen
    np.testing.assert_allclose(np.sort(fed.net_in_atr), np.sort(record.trades.net_in_atr))
    assert (fed.net_in_atr != record.trades.net_in_atr).mean() > 0.9
    np.testing.assert_array_equal(fed.signal_bar, record.trades.signal_bar)


def test_p_values_count_the_observation():
    assert p_value(3.0, [1, 2, 3, 4]) == 3 / 5
    assert p_value(9.0, [1, 2, 3, 4]) == 1 / 5
    assert p_value(-0.5, [-1, 0, 1], lower_is_better=True) == 2 / 4


def test_the_deflated_sharpe_ratio_of_the_paper():
    """Bailey and Lopez de Prado (2014), numerical example: 100 trials, annual variance 1/2, five years of days."""
    chance = np.random.default_rng(0)
    days = chance.normal(0, 0.01, 1250)
    ratio = 2.5 / np.sqrt(250)
    days += ratio * days.std() - days.mean()
    trials = np.array([-1, 1]) * np.sqrt(0.5 / 250) / np.sqrt(2)
    luck = np.sqrt(0.5 / 250) * (
        (1 - np.euler_gamma) * 2.326348 + np.euler_gamma * stats.norm.ppf(1 - 1 / (100 * np.e))
    )
    assert luck == pytest.approx(0.1132, abs=2e-4)
    spread = np.sqrt(1 - stats.skew(days) * ratio + (stats.kurtosis(days, fisher=False) - 1) / 4 * ratio**2)
    expected = stats.norm.cdf((ratio - luck) * np.sqrt(1249) / spread)
    assert deflated_sharpe(days, trials, 100) == pytest.approx(expected, abs=1e-4)
    assert deflated_sharpe(days, trials, 10_000) < deflated_sharpe(days, trials, 100)
    assert np.isnan(deflated_sharpe(np.zeros(9), trials, 100))


def test_the_best_of_many_lucky_trials_is_deflated():
    chance = np.random.default_rng(3)
    trials_returns = chance.normal(0, 0.01, (200, 1000))
    ratios = trials_returns.mean(axis=1) / trials_returns.std(axis=1)
    best = trials_returns[np.argmax(ratios)]
    assert deflated_sharpe(best, ratios, 2) > 0.95
    assert deflated_sharpe(best, ratios, 200) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "costs_bp", "memory", "sharpe", "shortfall"),
    [
        (SPY, 1, "volatility", -0.05, -0.19),
        (BTC, 5, "volatility", -0.58, -0.23),
        (EURUSD, 0, "volatility", 0.00, -0.17),
        (SPY, 1, "retire, lifetime", -0.02, None),
        (BTC, 5, "retire, lifetime", 1.08, None),
        (EURUSD, 0, "retire, lifetime", 0.34, None),
        (EURUSD, 0, "cost gate", 0.40, 0.11),
        (SPY, 1, "win-rate rule", -0.02, 0.00),
        (BTC, 5, "win-rate rule", 0.08, 0.06),
        (EURUSD, 0, "pause", 0.18, 0.10),
    ],
)
def test_the_intervals_contain_the_results_of_an_independent_study(name, costs_bp, memory, sharpe, shortfall):
    """Changes that another implementation measured on the same files before, including entrials_returns after gaps."""
    record = real_record(name, costs_bp)
    limits = intervals(record, RULES[memory].multipliers(record.bars, record.trades), draws=300)
    assert limits["sharpe"].low <= sharpe <= limits["sharpe"].high
    if shortfall is not None:
        assert limits["shortfall"].low <= shortfall <= limits["shortfall"].high
    if memory == "volatility":  # on BTC the interval barely includes no change
        assert limits["shortfall"].high < 0.01
