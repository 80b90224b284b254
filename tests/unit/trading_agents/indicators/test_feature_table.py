from dataclasses import replace

import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import changed_from, walk
from trading_agents.indicators import FeatureTable, OptionChain
from trading_agents.indicators.feature_table import daily_returns

COUNT = 600


def chains_of(bars, every=48):
    """A chain now and then, of the same two options with other open interest."""
    for index in range(0, len(bars), every):
        yield OptionChain(
            bars.time[index],
            float(bars.close[index]),
            strike=np.array([100.0, 100.0]),
            years=np.array([0.1, 0.1]),
            is_call=np.array([True, False]),
            volatility=np.array([0.2, 0.25]),
            open_interest=np.array([1000.0 + index, 500.0]),
            volume=np.array([70.0, 20.0 + index]),
        )


def table(bars, chains=()):
    turbulent = np.linspace(0, 1, int(bars.days[-1]) + 1)
    return FeatureTable(bars, tuple(chains), turbulent)


def test_every_group_has_its_features():
    bars = walk(COUNT)
    features = table(bars, chains_of(bars)).features_at(COUNT - 1)
    assert {name: set(group) for name, group in features.items()} == {
        "hedge": {"net_gamma_exposure", "net_gamma_usd", "smart_flow_signal", "quoted_at"}
        | {"gamma_relative", "flow_relative"},
        "liquidity": {"amihud", "kyle_lambda", "poc", "value_area_low", "value_area_high", "close", "volume", "hour"},
        "sentiment": {"momentum", "volatility", "trend_strength"},
        "wyckoff": {"spring", "upthrust", "phase"},
        "markov": {"p_turbulent", "regime"},
    }
    numbers = [v for group in features.values() for v in group.values() if not isinstance(v, str)]
    assert all(type(value) in {float, bool, int} and np.isfinite(value) for value in numbers)
    assert features["liquidity"]["close"] == bars.close[-1]


@pytest.mark.parametrize("index", [300, 450, 599])
def test_later_bars_change_no_earlier_feature(index):
    bars = walk(COUNT)
    other = changed_from(bars, index)
    before, after = table(bars, chains_of(bars)), table(other, chains_of(other))
    for t in [*range(0, index, 23), index - 1]:
        assert before.features_at(t) == after.features_at(t)
    assert before.features_at(index) != after.features_at(index)


def test_groups_without_data_are_absent():
    bars = walk(COUNT)
    without_volume = table(replace(bars, volume=None))
    assert set(without_volume.features_at(599)) == {"sentiment", "wyckoff", "markov"}
    assert set(without_volume.features_at(30)) == {"markov"}
    assert set(without_volume.features_at(0)) == set()


def test_an_option_chain_is_used_from_the_bar_at_its_time():
    bars = walk(COUNT)
    feature_table = table(bars, list(chains_of(bars))[1:])
    assert "hedge" not in feature_table.features_at(47)
    assert (
        feature_table.features_at(48)["hedge"]
        == feature_table.features_at(95)["hedge"]
        != feature_table.features_at(96)["hedge"]
    )


def test_the_regime_is_that_of_the_day_before():
    bars = walk(COUNT)
    feature_table = table(bars)
    assert "markov" not in feature_table.features_at(23)
    assert feature_table.features_at(24)["markov"] == {"p_turbulent": 0.0, "regime": "calm"}
    assert feature_table.features_at(599)["markov"]["regime"] == "turbulent"


def test_probabilities_are_fitted_by_default():
    bars = walk(5200, bars_per_day=7)
    feature_table = FeatureTable(bars).features_at(5199)
    assert 0 <= feature_table["markov"]["p_turbulent"] <= 1
    assert "markov" not in FeatureTable(bars).features_at(500 * 7)
    assert len(daily_returns(bars)) == bars.days[-1]


def test_invalid_input_is_refused():
    bars = walk(COUNT)
    with pytest.raises(ValueError, match="walk has 250; features need more than 250"):
        FeatureTable(bars.first(250))
    with pytest.raises(ValueError, match="chains: are not in order of time"):
        table(bars, reversed(list(chains_of(bars))))
    with pytest.raises(ValueError, match=r"daily_turbulence has the shape \(3,\), expected \(25,\)"):
        FeatureTable(bars, (), np.zeros(3))
    with pytest.raises(IndexError, match="bar 600 is not between 0 and 599"):
        table(bars).features_at(600)
