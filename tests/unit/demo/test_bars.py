import numpy as np
import pytest
from bokeh_sampledata import stocks

from demo.bars import Bar, aligned, sample_bars
from demo.errors import BarsError
from tests.unit.demo.replay_fakes import at


def bar(day, price=10.0, **changes):
    text = f"2026-01-{day:02d}"
    return Bar(
        **{**dict.fromkeys(("open", "high", "low", "close", "volume"), price), "label": text, "at": at(text), **changes}
    )


def test_the_sample_has_three_symbols_of_thirteen_years():
    bars = sample_bars()
    assert bars.symbols == ("AAPL", "IBM", "MSFT")
    assert (len(bars), bars.labels[0], bars.labels[-1]) == (3270, "2000-03-01", "2013-03-01")
    assert bars.close.shape == (3270, 3)


@pytest.mark.parametrize(
    ("symbol", "day", "ratio"), [("AAPL", "2000-06-21", 2), ("AAPL", "2005-02-28", 2), ("MSFT", "2003-02-18", 2)]
)
def test_a_split_is_not_a_price_move(symbol, day, ratio):
    bars, raw = sample_bars(), getattr(stocks, symbol)
    t, s = bars.labels.index(day), bars.symbols.index(symbol)
    assert raw["close"][t - 1] / raw["close"][t] > 0.9 * ratio
    assert abs(np.log(bars.close[t, s] / bars.close[t - 1, s])) < 0.12
    assert abs(np.log(bars.open[t, s] / bars.close[t - 1, s])) < 0.12


def test_adjustment_preserves_the_shape_of_a_bar_and_the_turnover():
    bars, raw = sample_bars(), stocks.AAPL
    for name in ("open", "high", "low"):
        np.testing.assert_allclose(
            getattr(bars, name)[:, 0] / bars.close[:, 0], np.array(raw[name]) / np.array(raw["close"])
        )
    np.testing.assert_allclose(bars.close[:, 0], raw["adj_close"])
    np.testing.assert_allclose(bars.close[:, 0] * bars.volume[:, 0], np.array(raw["close"]) * np.array(raw["volume"]))


def test_only_times_that_all_symbols_have_are_kept_in_order():
    bars = aligned({"B": [bar(3), bar(1), bar(4)], "A": [bar(1, 5.0), bar(2, 6.0), bar(3, 7.0)]})
    assert bars.symbols == ("A", "B")
    assert bars.labels == ("2026-01-01", "2026-01-03")
    assert bars.close.tolist() == [[5.0, 10.0], [7.0, 10.0]]


def test_symbols_without_a_common_time_are_refused():
    with pytest.raises(BarsError, match="A, B have no time in common"):
        aligned({"A": [bar(1)], "B": [bar(2)]})
