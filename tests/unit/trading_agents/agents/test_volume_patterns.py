"""Liquidity can learn the typical volume of each hour in each regime."""

from trading_agents import LiquidityAgentWithMemory, TradingMemoryStore
from trading_agents.agents.volume_patterns import CAUTION, VolumePatterns


def patterns():
    times = iter(range(100_000))
    return VolumePatterns(TradingMemoryStore(1e9, clock=lambda: float(next(times))))


def test_typical_volume_is_that_of_the_hour_in_the_regime():
    learned = patterns()
    for day in range(12):
        for hour, volume in ((9, 5000.0), (12, 1000.0)):
            learned.factor("SPY", volume + day, "calm", hour)
            learned.factor("SPY", 3 * volume + day, "turbulent", hour)
    assert 5000 < learned.typical("SPY", "calm", 9) < 5012
    assert 3000 < learned.typical("SPY", "turbulent", 12) < 3012
    assert learned.typical("SPY", "calm", 15) is None
    assert learned.typical("BTC", "calm", 9) is None
    assert learned.factor("SPY", 3000.0, "calm", 12) == CAUTION
    assert learned.factor("SPY", 3000.0, "calm", 9) == learned.factor("SPY", 3000.0, "turbulent", 12) == 1.0


def test_nothing_is_unusual_before_ten_bars():
    learned = patterns()
    assert {learned.factor("SPY", 10.0**day, "calm", 9) for day in range(10)} == {1.0}
    assert learned.factor("SPY", 1e12, "calm", 9) == CAUTION


def confidences(**settings):
    """Confidences of an agent below the value area, in ten ordinary bars and one with heavy volume."""
    times = iter(range(100_000))
    agent = LiquidityAgentWithMemory("Liquidity", TradingMemoryStore(1e9, clock=lambda: float(next(times))), **settings)
    for volume in (*[1000.0] * 10, 5000.0):
        bar = {"close": 90.0, "value_area_low": 95.0, "value_area_high": 105.0, "volume": volume, "hour": 9}
        yield agent.act_with_memory("SPY", 0, {"liquidity": bar, "markov": {"regime": "calm"}})[1]


def test_the_liquidity_agent_learns_volume_only_if_it_is_asked_to():
    assert set(confidences()) == {0.6}
    assert list(confidences(volume_patterns=True)) == [0.6] * 10 + [0.6 * CAUTION]


def test_features_without_volume_change_nothing():
    agent = LiquidityAgentWithMemory("Liquidity", TradingMemoryStore(), volume_patterns=True)
    bar = {"close": 90.0, "value_area_low": 95.0, "value_area_high": 105.0}
    assert agent.act_with_memory("SPY", 0, {"liquidity": bar})[:2] == ("long", 0.6)
