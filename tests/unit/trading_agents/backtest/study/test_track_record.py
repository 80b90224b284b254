import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.study.track_record import (
    expected_shortfall,
    make_track_record,
    max_drawdown,
    performance,
    performance_change,
    sharpe_ratio,
)


@pytest.fixture(scope="module")
def record():
    bars = walk(24 * 400)
    return make_track_record(bars, simulate_trades(bars), 100)


def test_measures_of_daily_returns():
    days = np.array([0.01, -0.03, 0.01, -0.02, 0.05])
    assert sharpe_ratio(days) == pytest.approx(days.mean() / days.std())
    assert max_drawdown(days) == pytest.approx(0.04)
    assert max_drawdown(-np.ones(3)) == 3
    assert expected_shortfall(days) == 0.03
    assert expected_shortfall(np.arange(300.0)) == -np.mean([0, 1, 2])


def test_measures_of_trades():
    size, net, net_in_atr = [1.0, 0.0, 0.5, 1.5], [0.01, 0.02, -0.01, -0.02], [1.0, 2.0, -1.0, -2.0]
    result = performance(np.array([0.01, -0.01]), np.column_stack([size, net, net_in_atr]), 250)
    assert result.win_rate == pytest.approx(1 / 3)
    assert result.net == pytest.approx((0.01 - 0.005 - 0.03) / 3)
    assert result.profit_factor == pytest.approx(1 / 3.5)
    assert result.sharpe == 0


def test_changes_have_the_unit_of_their_claim():
    rows = np.column_stack([np.ones(4), [0.01, 0.01, -0.01, -0.01], [1.0, 1, -1, -1]])
    better = rows.copy()
    better[3, 0] = 0
    days = np.array([0.02, -0.01, 0.01])
    change = performance_change(performance(days, rows, 250), performance(np.array([0.02, -0.005, 0.01]), better, 250))
    assert change.win_rate == pytest.approx(2 / 3 - 1 / 2)
    assert change.drawdown == pytest.approx(-0.5)
    assert change.shortfall == pytest.approx(-0.5)
    assert change.profit_factor == pytest.approx(1.0)


def test_nothing_is_scored_during_the_learning_period(record):
    dates = record.bars.time.astype("datetime64[D]")
    assert (dates[record.trades.signal_bar[record.scored]] >= dates[0] + np.timedelta64(100, "D")).all()
    assert record.first_day == 100
    assert record.days_per_year == pytest.approx(365.25)
    returns = record.daily_returns(np.ones(len(record.trades)))
    assert len(returns) == 300
    assert returns.sum() * 7 == pytest.approx(record.trades.net[record.scored].sum())


def test_at_equal_exposure_scaling_all_sizes_changes_nothing(record):
    full, half = (record.paired_days(np.full(len(record.trades), size)) for size in (1.0, 0.5))
    np.testing.assert_allclose(full, half, atol=1e-15)
    np.testing.assert_allclose(full[:, 0], full[:, 1], atol=1e-15)
    sizes = np.where(np.arange(len(record.trades)) % 2, 1.0, 0.0)
    factor = record.exposure_factor(sizes)
    exposure = (record.trades.duration * record.scored) @ sizes * factor
    assert exposure == pytest.approx((record.trades.duration * record.scored).sum())


def test_a_record_without_scored_trades_is_refused():
    bars = walk(24 * 20)
    with pytest.raises(ValueError, match="walk: there is no trade to score after 100 days of learning"):
        make_track_record(bars, simulate_trades(bars), 100)
