"""The last five trades in this regime lost: smaller."""

import pytest

from agent_memory import InvalidInput
from trading_agents import RegimeLosses, TradingMemoryStore


@pytest.fixture
def losses():
    times = iter(range(10_000))
    return RegimeLosses(TradingMemoryStore(clock=lambda: float(next(times))))


def test_five_losses_in_a_regime_make_positions_in_it_smaller(losses):
    for n in range(5):
        assert losses.size("SPY", "ranging").factor == 1.0
        losses.remember("SPY", "ranging", -1.0 - n)
        losses.remember("SPY", "trending", 1.0)
    found = losses.size("SPY", "ranging")
    assert (found.factor, found.reason) == (0.5, "the last 5 trades in the regime ranging lost: smaller")
    assert (losses.size("SPY", "trending").factor, losses.size("BTC", "ranging").factor) == (1.0, 1.0)
    losses.remember("SPY", "ranging", 0.1)
    assert (losses.size("SPY", "ranging").factor, losses.size("SPY", "ranging").reason) == (1.0, "")


def test_what_cannot_be_is_named(losses):
    with pytest.raises(InvalidInput, match="pnl"):
        losses.remember("SPY", "ranging", float("nan"))
    for settings in ({"losses": 0}, {"factor": 1.0}):
        with pytest.raises(InvalidInput) as caught:
            RegimeLosses(TradingMemoryStore(), **settings)
        assert [caught.value.field] == list(settings)
