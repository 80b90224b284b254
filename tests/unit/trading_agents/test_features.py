import numpy as np
import pytest
from market_samples import changed_from, random_bars

from trading_agents import WARM_UP_BARS, Bars, features_of
from trading_agents.sources import SOURCES, USUAL_WINDOW, says_yes


@pytest.mark.parametrize("index", [WARM_UP_BARS + 1, 150, 199])
def test_a_later_bar_changes_no_earlier_row(index):
    bars = random_bars()
    before, after = features_of(bars), features_of(changed_from(bars, index))
    for t in range(WARM_UP_BARS, index):
        assert before.row(t) == after.row(t)
    assert before.row(index) != after.row(index)


def test_every_row_after_the_warm_up_is_complete():
    features = features_of(random_bars())
    for t in (WARM_UP_BARS, len(features) - 1):
        row = features.row(t)
        numbers = [*row.returns, *row.ranges, *row.median_move, *row.median_range]
        numbers += [rank for ranks in row.ranks.values() for rank in ranks]
        assert np.isfinite(numbers).all()
        assert all(0 <= rank <= 1 for ranks in row.ranks.values() for rank in ranks)


@pytest.mark.parametrize("index", [WARM_UP_BARS - 1, 200, -1])
def test_there_is_no_row_in_the_warm_up_or_behind_the_end(index):
    with pytest.raises(IndexError, match="not between 121 and 199"):
        features_of(random_bars()).row(index)


def test_what_happened_is_judged_by_the_thresholds_of_the_bar_before():
    bars = random_bars()
    features = features_of(bars)
    returns = np.diff(np.log(bars.close), axis=0)
    ranges = np.log(bars.high / bars.low)
    for t in range(WARM_UP_BARS, len(bars)):
        row = features.row(t)
        for s in range(3):
            usual_move = np.median(np.abs(returns[t - 1 - USUAL_WINDOW : t - 1, s]))
            usual_range = np.median(ranges[t - USUAL_WINDOW : t, s])
            assert row.happened["large_move"][s] == (abs(returns[t - 1, s]) > usual_move)
            assert row.happened["range_expansion"][s] == (ranges[t, s] > usual_range)
            assert row.happened["direction"][s] == (returns[t - 1, s] > 0)


def test_a_source_agreed_when_its_last_answer_came_true():
    features = features_of(random_bars())
    before, row = features.row(150), features.row(151)
    for source in SOURCES:
        answers = says_yes(np.array(before.ranks[source.name])).tolist()
        happened = row.happened[source.answers]
        assert row.agreed[source.name] == tuple(a is h for a, h in zip(answers, happened, strict=True))


def test_an_unchanged_price_has_no_direction_and_proves_no_source_right():
    bars = random_bars()
    close = bars.close.copy()
    close[150] = close[149]
    row = features_of(Bars(bars.symbols, bars.labels, bars.open, bars.high, bars.low, close, bars.volume)).row(150)
    assert row.happened["direction"] == (None, None, None)
    assert row.agreed["momentum"] == row.agreed["mean_reversion"] == (False, False, False)


def test_one_symbol_alone_is_enough():
    row = features_of(random_bars(symbols=("A",))).row(150)
    assert len(row.ranks["cross_market"]) == 1


def test_the_market_context_follows_the_prices():
    bars = random_bars()
    calm = np.linspace(0, 0.001, len(bars))[:, None]
    wild = np.zeros((len(bars), 1))
    wild[180:] = np.cumsum(np.where(np.arange(20) % 2, 0.02, -0.001))[:, None]
    close = 100 * np.exp(np.repeat(calm + wild, 3, axis=1))
    row = features_of(Bars(bars.symbols, bars.labels, close, close, close, close, bars.volume)).row(199)
    assert (row.volatility, row.trend) == ("high", "bullish")


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
