import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.trades import trade
from trading_agents.backtest.study.track_record import compared, drawdown, measures, record, sharpe, shortfall


@pytest.fixture(scope="module")
def scored():
    bars = walk(24 * 400)
    return record(bars, trade(bars), 100)


def test_measures_of_days_by_hand():
    days = np.array([0.01, -0.03, 0.01, -0.02, 0.05])
    assert sharpe(days) == pytest.approx(days.mean() / days.std())
    assert drawdown(days) == pytest.approx(0.04)
    assert drawdown(-np.ones(3)) == 3
    assert shortfall(days) == 0.03
    assert shortfall(np.arange(300.0)) == -np.mean([0, 1, 2])


def test_measures_of_trades_by_hand():
    size, net, net_risk = [1.0, 0.0, 0.5, 1.5], [0.01, 0.02, -0.01, -0.02], [1.0, 2.0, -1.0, -2.0]
    told = measures(np.array([0.01, -0.01]), np.column_stack([size, net, net_risk]), 250)
    assert told.win_rate == pytest.approx(1 / 3)
    assert told.net == pytest.approx((0.01 - 0.005 - 0.03) / 3)
    assert told.quality == pytest.approx(1 / 3.5)
    assert told.sharpe == 0


def test_differences_have_the_unit_of_their_claim():
    rows = np.column_stack([np.ones(4), [0.01, 0.01, -0.01, -0.01], [1.0, 1, -1, -1]])
    better = rows.copy()
    better[3, 0] = 0
    days = np.array([0.02, -0.01, 0.01])
    change = compared(measures(days, rows, 250), measures(np.array([0.02, -0.005, 0.01]), better, 250))
    assert change.win_rate == pytest.approx(2 / 3 - 1 / 2)
    assert change.drawdown == pytest.approx(-0.5)
    assert change.shortfall == pytest.approx(-0.5)
    assert change.quality == pytest.approx(1.0)


def test_nothing_is_scored_while_memory_learns(scored):
    dates = scored.bars.time.astype("datetime64[D]")
    assert (dates[scored.trades.signal_bar[scored.scored]] >= dates[0] + 100).all()
    assert scored.first_day == 100
    assert scored.days_per_year == pytest.approx(365.25)
    everything = scored.daily(np.ones(len(scored.trades)))
    assert len(everything) == 300
    assert everything.sum() * 7 == pytest.approx(scored.trades.net[scored.scored].sum())


def test_at_equal_exposure_the_size_of_all_trades_does_not_matter(scored):
    whole, half = (scored.paired_days(np.full(len(scored.trades), size)) for size in (1.0, 0.5))
    np.testing.assert_allclose(whole, half, atol=1e-15)
    np.testing.assert_allclose(whole[:, 0], whole[:, 1], atol=1e-15)
    sizes = np.where(np.arange(len(scored.trades)) % 2, 1.0, 0.0)
    factor = scored.exposure_factor(sizes)
    exposed = (scored.trades.duration * scored.scored) @ sizes * factor
    assert exposed == pytest.approx((scored.trades.duration * scored.scored).sum())


def test_too_short_a_record_is_refused():
    bars = walk(24 * 20)
    with pytest.raises(ValueError, match="walk: no trade is left to score after 100 days of learning"):
        record(bars, trade(bars), 100)
