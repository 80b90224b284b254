from functools import cache

import numpy as np
import pytest
from scipy import stats

from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, real_bars, walk
from trading_agents.backtest.engine.memory_rules import MEMORIES, REGIME_POSTERIOR, Memory
from trading_agents.backtest.engine.trades import trade
from trading_agents.backtest.study.assessment import assess, deflated
from trading_agents.backtest.study.controls import Controls, run_controls
from trading_agents.backtest.study.failing_agents import breakdowns
from trading_agents.backtest.study.inference import (
    deflated_sharpe,
    differences,
    fed_with_shuffled,
    intervals,
    p_value,
    shifted,
)
from trading_agents.backtest.study.synthetic_outcomes import with_win_chances
from trading_agents.backtest.study.track_record import record

NAMED = {memory.name: memory for memory in MEMORIES}


@pytest.fixture(scope="module")
def scored():
    bars = walk(24 * 700, volatility=0.004)
    return record(bars, trade(bars), 200)


@cache
def real_record(name, costs_bp):
    bars = real_bars(name)
    return record(bars, trade(bars, costs_bp=costs_bp), 366)


def test_no_change_has_no_interval(scored):
    ones = np.ones(len(scored.trades))
    assert differences(scored, ones) == pytest.approx((0, 0, 0, 0, 0, 0), abs=1e-12)
    assert all(limits == pytest.approx((0, 0), abs=1e-12) for limits in intervals(scored, ones).values())


def test_an_oracle_is_seen_and_lies_in_its_interval(scored):
    oracle = np.where(scored.trades.net > 0, 1.0, 0.0)
    changes, limits = differences(scored, oracle), intervals(scored, oracle)
    assert changes.sharpe > 5
    assert limits["sharpe"].low > 3
    for name, value in changes._asdict().items():
        assert np.isnan(value) or limits[name].low <= value <= limits[name].high


def test_a_memory_that_skips_everything_has_no_trades_to_judge(scored):
    limits = intervals(scored, np.zeros(len(scored.trades)))
    assert all(np.isnan(limits[name].low) for name in ("win_rate", "net", "quality"))


def test_intervals_cover_the_truth():
    """Skipping by the toss of a coin changes nothing in truth: 95% intervals hold zero in 95 of 100 cases."""
    bars = walk(24 * 200)
    scored, held = record(bars, trade(bars), 50), 0
    for seed in range(40):
        coin = np.random.default_rng(seed).integers(0, 2, len(scored.trades)).astype(float)
        low, high = intervals(scored, coin, seed, draws=300)["win_rate"]
        held += low <= 0 <= high
    assert 33 <= held <= 40


def test_a_shift_keeps_what_each_agent_skips(scored):
    sizes = np.random.default_rng(0).uniform(0, 2, len(scored.trades))
    moved = shifted(scored, sizes, np.random.default_rng(1))
    for number in range(len(scored.trades.agents)):
        own = scored.scored & (scored.trades.agent == number)
        assert sorted(moved[own]) == sorted(sizes[own])
        assert own.sum() < 2 or (moved[own] != sizes[own]).any()
    np.testing.assert_array_equal(moved[~scored.scored], sizes[~scored.scored])


def test_a_shuffled_memory_sees_the_same_outcomes_in_another_order(scored):
    seen = []
    spy = Memory("spy", "", "outcomes", lambda _, trades: seen.append(trades) or np.ones(len(trades)))
    fed_with_shuffled(scored, spy, np.random.default_rng(1))
    (fed,) = seen
    np.testing.assert_allclose(np.sort(fed.net_risk), np.sort(scored.trades.net_risk))
    assert (fed.net_risk != scored.trades.net_risk).mean() > 0.9
    np.testing.assert_array_equal(fed.signal_bar, scored.trades.signal_bar)


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


def test_the_sharpe_ratio_of_many_lucky_tries_is_deflated_away():
    chance = np.random.default_rng(3)
    tries = chance.normal(0, 0.01, (200, 1000))
    ratios = tries.mean(axis=1) / tries.std(axis=1)
    best = tries[np.argmax(ratios)]
    assert deflated_sharpe(best, ratios, 2) > 0.95
    assert deflated_sharpe(best, ratios, 200) < 0.9


def test_planted_chances_are_those_that_come_out(scored):
    chances = np.where(np.arange(len(scored.trades)) % 2, 0.9, 0.2)
    case = with_win_chances(scored, chances, np.random.default_rng(0))
    won = case.trades.gross > 0
    assert (won[1::2].mean(), won[::2].mean()) == pytest.approx((0.9, 0.2), abs=0.03)
    np.testing.assert_allclose(np.abs(case.trades.gross), np.abs(scored.trades.gross))
    np.testing.assert_allclose(
        np.bincount(case.trades.marked_trade, case.trades.marked_gross), case.trades.gross, atol=1e-12
    )


@pytest.mark.slow
def test_the_controls_find_what_is_planted_and_nothing_else(scored):
    controls = run_controls(scored, repeats=2)
    assert (controls.planted, controls.shifted, controls.shuffled) == (2, 0, 0)
    assert controls.passed


@pytest.mark.parametrize(
    ("found", "passed"),
    [((5, 0, 0), True), ((4, 1, 1), True), ((3, 0, 0), False), ((5, 2, 0), False), ((5, 0, 2), False)],
)
def test_instruments_may_err_once(found, passed):
    assert Controls(5, *found).passed is passed


def test_an_assessment_says_what_was_skipped(scored):
    skips = np.where(scored.trades.net > 0, 1.0, 0.0)
    oracle = assess(scored, Memory("oracle", "", "bars", lambda *_: skips))
    assert oracle.skipped == pytest.approx(1 - (scored.trades.net[scored.scored] > 0).mean())
    assert oracle.skipped_win_rate == 0
    assert oracle.p_shuffle is None
    assert oracle.beats_chance("sharpe")
    assert not assess(scored, REGIME_POSTERIOR, np.ones(len(skips))).beats_chance("sharpe")
    ratios = deflated(scored, [oracle, assess(scored, NAMED["volatility"])])
    assert ratios[0] > ratios[1]


def test_the_time_of_skips_must_matter(scored):
    """Skipping one agent altogether may help, but as well at any other time."""
    loser = np.argmin(np.bincount(scored.trades.agent, scored.trades.net))
    sizes = np.where(scored.trades.agent == loser, 0.0, 1.0)
    told = assess(scored, Memory("no loser", "", "bars", lambda *_: sizes))
    assert told.p_shift["sharpe"] == 1
    assert not told.beats_chance("sharpe")


def test_retiring_costs_sound_agents_little_and_saves_breaking_ones(scored):
    rules = [NAMED["retire, recent"], NAMED["volatility"]]
    retire, _ = breakdowns(scored, rules, repeats=3)
    assert abs(retire.sound) < 0.2
    assert retire.breaking > 3 * retire.breaking_error > 0


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
def test_an_independent_study_lies_in_the_intervals(name, costs_bp, memory, sharpe, shortfall):
    """Changes that another implementation measured on the same files beforehand, entries after gaps included."""
    scored = real_record(name, costs_bp)
    limits = intervals(scored, NAMED[memory].multipliers(scored.bars, scored.trades), draws=300)
    assert limits["sharpe"].low <= sharpe <= limits["sharpe"].high
    if shortfall is not None:
        assert limits["shortfall"].low <= shortfall <= limits["shortfall"].high
    if memory == "volatility":  # on BTC the interval barely includes no change
        assert limits["shortfall"].high < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("name", "costs_bp"), [(SPY, 1), (BTC, 5), (EURUSD, 0)])
def test_retiring_helps_when_real_agents_break(name, costs_bp):
    (retire,) = breakdowns(real_record(name, costs_bp), [NAMED["retire, recent"]])
    assert abs(retire.sound) < 0.1
    assert retire.breaking > 0.3
    assert retire.breaking_drawdown < -0.3
