import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import SPY, daily_closes, real_bars
from trading_agents.indicators import regimes
from trading_agents.indicators.regimes import TwoStateModel, filtered_turbulence, fit_two_state_model, turbulence

TRUE_MODEL = TwoStateModel(0.98, 0.06, (0.1, -0.1), (0.25, 4.0))


def simulated(days=1500, seed=2):
    """Returns of two states, and whether each day is turbulent."""
    chance = np.random.default_rng(seed)
    turbulent = np.zeros(days, dtype=bool)
    for day in range(1, days):
        stays_calm = TRUE_MODEL.calm_down if turbulent[day - 1] else TRUE_MODEL.stay_calm
        turbulent[day] = chance.random() > stays_calm
    picked = turbulent.astype(int)
    returns = chance.normal(np.array(TRUE_MODEL.means)[picked], np.sqrt(TRUE_MODEL.variances)[picked]) / 100
    return returns, turbulent


def by_hand(returns, states):
    """Hamilton's filter, written out, from the stationary probabilities."""
    calm = states.calm_down / (1 - states.stay_calm + states.calm_down)
    probabilities = []
    for value in 100 * returns:
        prior = np.array([calm * states.stay_calm + (1 - calm) * states.calm_down, 0])
        prior[1] = 1 - prior[0]
        spread = np.array(states.variances)
        density = np.exp(-((value - np.array(states.means)) ** 2) / (2 * spread)) / np.sqrt(2 * np.pi * spread)
        joint = prior * density
        calm = joint[0] / joint.sum()
        probabilities.append(1 - calm)
    return np.array(probabilities)


def test_the_states_of_a_simulation_are_found():
    returns, turbulent = simulated()
    states = fit_two_state_model(returns)
    assert states.variances == pytest.approx(TRUE_MODEL.variances, rel=0.2)
    assert (states.stay_calm, states.calm_down) == pytest.approx((TRUE_MODEL.stay_calm, TRUE_MODEL.calm_down), abs=0.03)
    found = filtered_turbulence(returns, states) > 0.5
    assert (found == turbulent).mean() > 0.93


def test_the_filter_is_hamiltons():
    returns, _ = simulated(300)
    np.testing.assert_allclose(filtered_turbulence(returns, TRUE_MODEL), by_hand(returns, TRUE_MODEL), atol=1e-9)


def test_the_turbulent_state_is_the_one_with_the_larger_variance():
    returns, _ = simulated()
    swapped = TwoStateModel(
        1 - TRUE_MODEL.calm_down, 1 - TRUE_MODEL.stay_calm, TRUE_MODEL.means[::-1], TRUE_MODEL.variances[::-1]
    )
    states = fit_two_state_model(returns, swapped)
    assert states.variances[0] < states.variances[1]
    assert states.stay_calm == pytest.approx(TRUE_MODEL.stay_calm, abs=0.03)


@pytest.mark.slow
def test_a_probability_uses_earlier_days_only():
    returns, _ = simulated(700)
    changed = returns.copy()
    changed[600:] *= -3
    before, after = (turbulence(column, first_fit=400, refit=150) for column in (returns, changed))
    assert np.isnan(before[:400]).all()
    assert np.isfinite(before[400:]).all()
    np.testing.assert_array_equal(before[:600], after[:600])
    assert before[600] != after[600]


def test_a_failed_fit_keeps_the_previous_one(monkeypatch):
    returns, _ = simulated(500)
    fits = iter([None, TRUE_MODEL, None])
    monkeypatch.setattr(regimes, "fit_two_state_model", lambda *_: next(fits))
    probabilities = turbulence(returns, first_fit=200, refit=100)
    assert np.isnan(probabilities[:300]).all()
    np.testing.assert_allclose(probabilities[300:], filtered_turbulence(returns, TRUE_MODEL)[300:])


def test_constant_returns_have_no_states():
    assert fit_two_state_model(np.zeros(300)) is None


@pytest.mark.slow
def test_the_regimes_of_spy():
    """Measured with statsmodels 0.15 on daily closes of 1998 to 2021, beforehand and apart from this code."""
    states = fit_two_state_model(np.diff(np.log(daily_closes(real_bars(SPY)))))
    assert states.variances == pytest.approx((0.474, 3.528), abs=0.002)
    assert (states.stay_calm, states.calm_down) == pytest.approx((0.9855, 0.0283), abs=0.0002)
