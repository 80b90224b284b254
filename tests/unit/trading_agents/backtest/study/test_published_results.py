"""The three memories that help do so on the files they were found on, as docs/decisions says.

The intervals are those of an earlier and independent measurement; here they hold the estimates of this code.
"""

import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, real_bars
from trading_agents.backtest.engine.memory_rules import MEMORIES
from trading_agents.backtest.engine.trades import trade
from trading_agents.backtest.study.failing_agents import breakdowns
from trading_agents.backtest.study.inference import differences
from trading_agents.backtest.study.track_record import record

RULES = {memory.name: memory for memory in MEMORIES}
COSTS_BP = {SPY: 1.0, BTC: 5.0, EURUSD: 0.0}


def scored(name, **settings):
    bars = real_bars(name)
    return record(bars, trade(bars, costs_bp=COSTS_BP[name], **settings), learning_days=366)


def change(case, name):
    return differences(case, RULES[name].multipliers(case.bars, case.trades))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sharpe", "worst_days"),
    [(SPY, (-0.20, 0.11), -0.19), (BTC, (-0.95, -0.25), -0.23), (EURUSD, (-0.22, 0.22), -0.17)],
)
def test_remembered_volatility_makes_the_worst_days_smaller_and_no_return(name, sharpe, worst_days):
    changes = change(scored(name), "volatility")
    assert sharpe[0] < changes.sharpe < sharpe[1]
    assert changes.shortfall == pytest.approx(worst_days, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", [SPY, BTC, EURUSD])
def test_health_costs_sound_agents_little_and_saves_much_when_agents_break(name):
    (told,) = breakdowns(scored(name), [RULES["retire, recent"]], repeats=4)
    assert abs(told.sound) < 0.10
    assert told.breaking - 2 * told.breaking_error > 0.3
    assert told.breaking_drawdown < -0.2


@pytest.mark.slow
def test_the_cost_gate_helps_where_spreads_vary():
    changes = change(scored(EURUSD), "cost gate")
    assert 0.15 < changes.sharpe < 0.68
    assert 0.11e-4 < changes.net < 0.76e-4
    assert np.isfinite(changes.quality)
