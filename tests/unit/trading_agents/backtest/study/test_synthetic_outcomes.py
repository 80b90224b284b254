import numpy as np
import pytest

from trading_agents.backtest.study.synthetic_outcomes import with_win_probabilities


def test_synthetic_outcomes_have_their_win_probabilities(record):
    chances = np.where(np.arange(len(record.trades)) % 2, 0.9, 0.2)
    case = with_win_probabilities(record, chances, np.random.default_rng(0))
    won = case.trades.gross > 0
    assert (won[1::2].mean(), won[::2].mean()) == pytest.approx((0.9, 0.2), abs=0.03)
    np.testing.assert_allclose(np.abs(case.trades.gross), np.abs(record.trades.gross))
    np.testing.assert_allclose(
        np.bincount(case.trades.mark_trade, case.trades.mark_gross), case.trades.gross, atol=1e-12
    )
