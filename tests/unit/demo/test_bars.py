import numpy as np
import pytest
from bokeh_sampledata import stocks

from trading_agents.bars import BarsError as BarFileError
from trading_agents.bars import PriceBars, align
from trading_agents.demo.bars import BarsOptions, bars_to_replay, sample_bars
from trading_agents.demo.errors import BarsError


def series(days, prices=None):
    column = np.array(prices or [10.0] * len(days))
    time = np.array([f"2026-01-{day:02d}" for day in days], dtype="datetime64[s]")
    return PriceBars("bars", time, column, column, column, column)


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
    bars = align({"B": series([1, 3, 4]), "A": series([1, 2, 3], [5.0, 6.0, 7.0])})
    assert bars.symbols == ("A", "B")
    assert bars.labels == ("2026-01-01", "2026-01-03")
    assert bars.close.tolist() == [[5.0, 10.0], [7.0, 10.0]]
    assert bars.volume.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_symbols_without_a_common_time_are_refused():
    with pytest.raises(BarFileError, match="A, B have no time in common"):
        align({"A": series([1]), "B": series([2])})


def test_a_file_is_replayed_with_its_symbols(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("ticker,date,o,h,l,c,v\nB,2026-01-02,1,1,1,1,5\nA,2026-01-02,2,2,2,2,6\n")
    bars, summary = bars_to_replay(BarsOptions(path))
    assert (bars.symbols, bars.close.tolist(), bars.volume.tolist()) == (("A", "B"), [[2.0, 1.0]], [[6.0, 5.0]])
    assert summary.startswith("bars.csv: CSV, 2 bars of A, B")
    one, _ = bars_to_replay(BarsOptions(path, symbol="B"))
    assert one.symbols == ("B",)


def test_a_file_that_cannot_be_used_is_an_error_of_the_demo(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("date,open\n2026-01-02,1\n")
    with pytest.raises(BarsError, match=r"bars.csv has no column 'open'"):
        bars_to_replay(BarsOptions(path))
