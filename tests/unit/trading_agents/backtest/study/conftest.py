"""A track record that several tests share."""

import pytest

from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.study.track_record import make_track_record


@pytest.fixture(scope="package")
def record():
    """Two years of a random walk, of which 500 days are scored."""
    bars = walk(24 * 700, volatility=0.004)
    return make_track_record(bars, simulate_trades(bars), 200)
