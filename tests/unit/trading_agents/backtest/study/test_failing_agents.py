import pytest

from tests.unit.trading_agents.backtest.study.record_samples import RULES, real_record
from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY
from trading_agents.backtest.study.failing_agents import simulate_failing_agents


def test_retirement_costs_steady_agents_little_and_helps_failing_ones(record):
    rules = [RULES["retire, recent"], RULES["volatility"]]
    retire, _ = simulate_failing_agents(record, rules, repeats=3)
    assert abs(retire.steady) < 0.2
    assert retire.failing > 3 * retire.failing_error > 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "costs_bp"), [(SPY, 1), (BTC, 5), (EURUSD, 0)])
def test_retirement_helps_when_agents_on_real_prices_fail(name, costs_bp):
    (retire,) = simulate_failing_agents(real_record(name, costs_bp), [RULES["retire, recent"]])
    assert abs(retire.steady) < 0.1
    assert retire.failing > 0.3
    assert retire.failing_drawdown < -0.3
