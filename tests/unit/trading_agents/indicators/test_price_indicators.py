import numpy as np
import pytest
import talib

from tests.unit.trading_agents.price_samples import walk
from trading_agents.indicators.liquidity import amihud_illiquidity, kyle_lambda, volume_profile
from trading_agents.indicators.smoothing import ewma
from trading_agents.indicators.trend import directional_movement, momentum, z_score
from trading_agents.indicators.volatility import (
    average_true_range,
    garman_klass_volatility,
    mean_true_range,
    parkinson_volatility,
    true_range,
)


def test_atr_is_that_of_ta_lib():
    bars = walk()
    ours = average_true_range(bars.high, bars.low, bars.close, 14)
    np.testing.assert_allclose(ours, talib.ATR(bars.high, bars.low, bars.close, 14), rtol=1e-12)


def test_the_true_range_and_its_mean_are_those_of_ta_lib():
    bars = walk()
    ranges = talib.TRANGE(bars.high, bars.low, bars.close)
    np.testing.assert_allclose(true_range(bars.high, bars.low, bars.close), ranges, rtol=1e-12)
    np.testing.assert_allclose(mean_true_range(bars.high, bars.low, bars.close), talib.SMA(ranges, 20), rtol=1e-9)


def test_directional_movement_converges_to_that_of_ta_lib():
    """TA-Lib starts its sums one bar short; the difference decays."""
    bars = walk()
    ours = directional_movement(bars.high, bars.low, bars.close)
    arguments = (bars.high, bars.low, bars.close, 14)
    for line, theirs in zip(ours, (talib.PLUS_DI, talib.MINUS_DI, talib.ADX), strict=True):
        np.testing.assert_allclose(line[400:], theirs(*arguments)[400:], rtol=1e-6)


def test_a_steady_rise_is_a_trend_of_full_strength():
    rise = 100 + np.arange(100.0)
    lines = directional_movement(rise + 1, rise - 1, rise)
    assert (lines.adx[-1], lines.minus_di[-1]) == (100, 0)


def test_ewma_is_that_of_pandas():
    import pandas as pd

    values = walk().close
    np.testing.assert_allclose(ewma(values, 24), pd.Series(values).ewm(halflife=24, adjust=False).mean(), rtol=1e-10)
    assert np.isnan(ewma(np.full(3, np.nan), 2)).all()


def test_range_volatility_of_a_fine_random_walk():
    chance = np.random.default_rng(3)
    inside = np.cumsum(chance.normal(0, 0.01 / 20, (4000, 400)), axis=1)
    paths = 100 * np.exp(np.column_stack([np.zeros(4000), inside]))
    opened, high, low, close = paths[:, 0], paths.max(axis=1), paths.min(axis=1), paths[:, -1]
    # Both estimators see 400 steps instead of a continuous path, and are a few percent too low.
    assert parkinson_volatility(high, low, 4000)[-1] == pytest.approx(0.01, rel=0.06)
    assert garman_klass_volatility(opened, high, low, close, 4000)[-1] == pytest.approx(0.01, rel=0.06)


def test_range_volatility_by_hand():
    ones = np.ones(2)
    assert parkinson_volatility(np.e * ones, ones, 2)[-1] == pytest.approx(np.sqrt(1 / (4 * np.log(2))))
    by_hand = np.sqrt(1 / 2 - (2 * np.log(2) - 1) * 0.25)
    assert garman_klass_volatility(ones, np.e * ones, ones, np.sqrt(np.e) * ones, 2)[-1] == pytest.approx(by_hand)


def test_momentum_is_a_z_score_of_past_returns():
    close = walk().close
    past = np.log(close[24:] / close[:-24])
    window = past[-250:]
    assert momentum(close)[-1] == pytest.approx((window[-1] - window.mean()) / window.std(ddof=1))
    assert z_score(np.full(30, 5.0), 20).tolist()[19:] == [0.0] * 11


def test_amihud_is_the_mean_of_returns_over_turnover():
    bars = walk(100)
    moves = np.abs(np.diff(np.log(bars.close)))[-20:] / (bars.close * bars.volume)[-20:]
    assert amihud_illiquidity(bars.close, bars.volume)[-1] == pytest.approx(1e6 * moves.mean())
    volume = bars.volume.copy()
    volume[-5] = 0
    assert np.isnan(amihud_illiquidity(bars.close, volume)[-1])


def test_kyle_lambda_is_the_least_squares_slope():
    bars = walk(200)
    change = np.diff(bars.close)[-50:]
    flow = np.sign(change) * bars.volume[-50:]
    assert kyle_lambda(bars.close, bars.volume)[-1] == pytest.approx(np.polyfit(flow, change, 1)[0], rel=1e-9)
    assert kyle_lambda(np.full(60, 9.0), np.ones(60))[-1] == 0


def test_a_volume_profile_by_hand():
    high, low = np.array([10.0, 6.0, 5.0]), np.array([0.0, 4.0, 5.0])
    profile = volume_profile(high, low, np.array([10.0, 20.0, 10.0]), rows=10)
    # Every row of height 1 contains 1; the rows from 4 to 6 another 10 each, and the row from 5 another 10.
    assert profile.poc == 5.5
    assert (profile.value_area_low, profile.value_area_high) == (4.0, 6.0 + 0.0)
    assert volume_profile(high, low, np.zeros(3)) is None
    assert volume_profile(np.ones(2), np.ones(2), np.ones(2)) == (1, 1, 1)


def test_a_value_area_contains_its_share_of_the_volume():
    bars = walk(300)
    narrow, wide = (volume_profile(bars.high, bars.low, bars.volume, share=share) for share in (0.3, 0.7))
    assert bars.low.min() <= wide.value_area_low <= narrow.value_area_low <= narrow.poc
    assert narrow.poc <= narrow.value_area_high <= wide.value_area_high <= bars.high.max()
    total = volume_profile(bars.high, bars.low, bars.volume, share=1.0)
    assert (total.value_area_low, total.value_area_high) == pytest.approx((bars.low.min(), bars.high.max()))
