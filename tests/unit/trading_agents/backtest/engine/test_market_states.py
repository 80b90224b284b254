import numpy as np

from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.market_states import STATES, market_states


def test_market_states_follow_volatility_and_the_mean():
    bars = walk(24 * 300, seed=9)
    states = market_states(bars)
    assert set(np.unique(states)) == set(range(STATES))
    moves = np.abs(np.diff(np.log(bars.close), prepend=np.log(bars.close[0])))
    late = np.arange(len(bars)) > 24 * 60
    by_third = [moves[late & (states // 2 == third)].mean() for third in range(3)]
    assert by_third[0] < by_third[1] < by_third[2]
    above = bars.close[5000] > bars.close[5000 - 479 : 5001].mean()
    assert states[5000] % 2 == above
