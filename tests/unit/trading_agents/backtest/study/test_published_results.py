"""The three rules that help do so on the files on which they were found, as docs/decisions says.

The intervals are those of an earlier and independent measurement; here they hold the estimates of this code.
"""

import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, real_bars
from trading_agents.backtest.engine.memory_rules import MEMORY_RULES
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.study.failing_agents import simulate_failing_agents
from trading_agents.backtest.study.inference import change_with_memory
from trading_agents.backtest.study.track_record import make_track_record

RULES = {memory.name: memory for memory in MEMORY_RULES}
COSTS_BP = {SPY: 1.0, BTC: 5.0, EURUSD: 0.0}


def track_record(name, **settings):
    bars = real_bars(name)
    return make_track_record(bars, simulate_trades(bars, costs_bp=COSTS_BP[name], **settings), learning_days=366)


def change_by(record, name):
    return change_with_memory(record, RULES[name].multipliers(record.bars, record.trades))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sharpe", "worst_days"),
    [(SPY, (-0.20, 0.11), -0.19), (BTC, (-0.95, -0.25), -0.23), (EURUSD, (-0.22, 0.22), -0.17)],
)
def test_the_volatility_rule_reduces_the_worst_days_without_changing_returns(name, sharpe, worst_days):
    changes = change_by(track_record(name), "volatility")
    assert sharpe[0] < changes.sharpe < sharpe[1]
    assert changes.shortfall == pytest.approx(worst_days, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", [SPY, BTC, EURUSD])
def test_retirement_costs_steady_agents_little_and_helps_when_agents_fail(name):
    (result,) = simulate_failing_agents(track_record(name), [RULES["retire, recent"]], repeats=4)
    assert abs(result.steady) < 0.10
    assert result.failing - 2 * result.failing_error > 0.3
    assert result.failing_drawdown < -0.2


@pytest.mark.slow
def test_the_cost_gate_helps_where_spreads_vary():
    changes = change_by(track_record(EURUSD), "cost gate")
    assert 0.15 < changes.sharpe < 0.68
    assert 0.11e-4 < changes.net < 0.76e-4
    assert np.isfinite(changes.profit_factor)
