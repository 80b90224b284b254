import numpy as np
import pytest

from tests.unit.trading_agents.market_samples import START, changed_from, random_bars
from trading_agents import BAR_SOURCES, WARM_UP_BARS, BarMarkets, Bars
from trading_agents.market_hunter.bar_sources import LOOKBACK_BARS


def market_data(bars, index):
    data = BarMarkets(bars).at(index, START)
    return {**data, "close": data["close"].tolist()}


@pytest.mark.parametrize("index", [WARM_UP_BARS + 1, 150, 199])
def test_a_later_bar_changes_no_earlier_market(index):
    bars = random_bars()
    before, after = BarMarkets(bars), BarMarkets(changed_from(bars, index))
    for t in range(WARM_UP_BARS, index):
        one, other = before.at(t, START), after.at(t, START)
        assert {**one, "close": None} == {**other, "close": None}
        assert (one["close"] == other["close"]).all()
    assert before.at(index, START)["close"][-1] != after.at(index, START)["close"][-1]


def test_half_of_the_readings_are_clear_and_all_are_in_range():
    markets, clear, total = BarMarkets(random_bars(600)), 0, 0
    for t in range(WARM_UP_BARS, len(markets)):
        readings = [source(markets.at(t, START)) for source in BAR_SOURCES.values()]
        known = [reading for reading in readings if reading is not None]
        assert all(0.5 <= abs(reading) <= 1 for reading in known)
        clear, total = clear + len(known), total + len(readings)
    assert 0.4 < clear / total < 0.6


@pytest.mark.parametrize("index", [WARM_UP_BARS - 1, 200, -1])
def test_there_is_no_market_data_in_the_warm_up_or_after_the_end(index):
    with pytest.raises(IndexError, match="not between 121 and 199"):
        market_data(random_bars(), index)


def test_answers_compare_with_the_medians_of_earlier_bars():
    bars = random_bars(symbols=("A",))
    returns = np.abs(np.diff(np.log(bars.close[:, 0])))
    ranges = np.log(bars.high / bars.low)[:, 0]
    answers = set()
    for t in range(WARM_UP_BARS, len(bars)):
        typical_move = np.median(returns[t - 1 - LOOKBACK_BARS : t - 1])
        typical_range = np.median(ranges[t - LOOKBACK_BARS : t])
        happened = market_data(bars, t)["happened"]
        assert happened == {"large_move": returns[t - 1] > typical_move, "range_expansion": ranges[t] > typical_range}
        answers.add(tuple(happened.values()))
    assert len(answers) == 4


def test_the_market_is_the_mean_of_its_symbols():
    bars = random_bars()
    expected = np.diff(np.log(bars.close), axis=0).mean(axis=1)
    found = np.diff(np.log(BarMarkets(bars).at(199, START)["close"]))
    assert found == pytest.approx(expected)


def test_the_context_follows_the_prices():
    bars = random_bars()
    calm = np.linspace(0, 0.001, len(bars))[:, None]
    volatile = np.zeros((len(bars), 1))
    volatile[180:] = np.cumsum(np.where(np.arange(20) % 2, 0.02, -0.001))[:, None]
    close = 100 * np.exp(np.repeat(calm + volatile, 3, axis=1))
    flat = Bars(bars.symbols, bars.labels, close, close, close, close, bars.volume)
    assert market_data(flat, 199)["context"] == {"volatility": "high", "trend": "bullish"}


def test_without_volume_its_sources_have_no_reading():
    bars = random_bars()
    without_volume = Bars(bars.symbols, bars.labels, bars.open, bars.high, bars.low, bars.close, 0 * bars.volume)
    readings = market_data(without_volume, 199)["readings"]
    assert (readings["illiquidity"], readings["volume_surge"]) == (None, None)


def test_arrays_of_another_shape_are_refused():
    bars = random_bars()
    with pytest.raises(ValueError, match=r"volume has the shape \(10, 3\), expected \(200, 3\)"):
        Bars(bars.symbols, bars.labels, bars.open, bars.high, bars.low, bars.close, bars.volume[:10])


def test_fingerprints_differ_when_anything_differs():
    bars = random_bars()
    other_names = Bars(("A", "B", "D"), bars.labels, bars.open, bars.high, bars.low, bars.close, bars.volume)
    prints = {b.fingerprint() for b in (bars, changed_from(bars, 199), random_bars(seed=2), other_names)}
    assert len(prints) == 4
    assert bars.fingerprint() == random_bars().fingerprint()
