"""Every shape of a file is read right or refused by name."""

import gzip
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.trading_agents.bars.file_shapes import (
    DAILY,
    HEADER,
    HOURLY,
    READ,
    REFUSED,
    Bar,
    at,
    epoch,
    iso,
    parquet,
    split,
    table,
    vendor_row,
)
from tests.unit.trading_agents.bars.page import page
from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.bars import BarsError, read_bars, read_price_bars

NAMES = ("open", "high", "low", "close", "volume")


@pytest.fixture
def read(tmp_path):
    def read(content, name="bars.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_price_bars(path, **options)

    return read


def columns(bars):
    volume = [] if bars.volume is None else bars.volume.tolist()
    return [bars.time.astype("int64").tolist(), *(getattr(bars, name).tolist() for name in NAMES[:4]), volume]


def expected(bars, *, volume=True):
    rows = [[int(bar.time.timestamp()) for bar in bars], *([getattr(bar, n) for bar in bars] for n in NAMES[:4])]
    return [*rows, [float(bar.volume) for bar in bars] if volume else []]


@pytest.mark.parametrize("shape", READ, ids=lambda shape: shape.name)
def test_a_shape_is_read_to_the_bit(tmp_path, shape):
    path = tmp_path / shape.file
    path.write_bytes(shape.content)
    file = read_bars(path, **shape.options)
    bars = file.one(shape.options.get("symbol")).bars
    assert columns(bars) == expected(shape.bars, volume=shape.volume)
    assert shape.summary in file.summary
    assert "\n" not in file.summary


@pytest.mark.parametrize("shape", REFUSED, ids=lambda shape: shape.name)
def test_a_shape_is_refused_in_one_line_that_names_the_file(tmp_path, shape):
    path = tmp_path / shape.file
    path.write_bytes(shape.content)
    with pytest.raises(BarsError, match=re.escape(shape.refused)) as error:
        read_bars(path, **shape.options).one(shape.options.get("symbol"))
    assert "\n" not in str(error.value)
    assert shape.file in str(error.value) or "--" in str(error.value)


def test_there_are_enough_shapes():
    names = [shape.name for shape in (*READ, *REFUSED)]
    assert len(set(names)) == len(names) > 100


def test_bid_and_ask_become_mid_prices_and_spreads(read):
    header = [f"{side}{price}" for side in ("Bid", "Ask") for price in ("Open", "High", "Low", "Close")]
    content = table(
        header=["date", *header],
        row=lambda bar, time: (time, *(p - 0.25 for p in bar.prices), *(p + 0.25 for p in bar.prices)),
    )
    bars = read(content)
    assert bars.close == pytest.approx([bar.close for bar in HOURLY])
    assert (bars.spread_open.tolist(), bars.spread_close.tolist()) == ([0.5] * 40, [0.5] * 40)


def test_dividends_change_prices_but_not_volumes(read):
    header = "Date,Open,High,Low,Close,Volume,adj_factor"
    rows = "2024-01-02,100,102,99,101,1000,0.98\n2024-01-03,100,102,99,101,1000,1\n"
    bars = read(f"{header}\n{rows}")
    assert (bars.close.tolist(), bars.volume.tolist()) == ([101 * 0.98, 101], [1000, 1000])


def test_a_crash_is_a_move_if_the_person_says_so(read):
    assert len(read(table(split(DAILY, 2)), splits="none")) == 40


@pytest.mark.parametrize("ratio", [1.35, 1.2, 0.8])
def test_large_moves_are_not_splits(read, ratio):
    assert len(read(table(split(DAILY, ratio)))) == 40


def test_a_price_that_is_wrong_for_one_bar_is_not_a_split(read):
    bars = list(HOURLY)
    bars[20] = replace(bars[20], **{name: getattr(bars[20], name) / 2 for name in NAMES[:4]})
    assert len(read(table(bars))) == 40


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BarsError, match=r"cannot read .*nowhere\.csv: No such file"):
        read_price_bars(tmp_path / "nowhere.csv")


def _frame(bars):
    index = pd.DatetimeIndex([bar.time for bar in bars], name="Date")
    return pd.DataFrame({n.capitalize(): [getattr(bar, n) for bar in bars] for n in NAMES}, index=index)


PRICE = st.floats(0.01, 1e6)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE, st.integers(0, 10**12)), min_size=1, max_size=8), st.randoms())
def test_any_prices_are_the_same_through_every_format(read, rows, chance):
    bars = []
    for bar, (a, b, c, d, volume) in zip(HOURLY, rows, strict=False):
        low, opened, close, high = sorted((a, b, c, d))
        bars.append(replace(bar, open=opened, high=high, low=low, close=close, volume=volume))
    shuffled = bars[:]
    chance.shuffle(shuffled)
    text = io.StringIO()
    _frame(shuffled).to_csv(text)
    for content, name in (
        (table(bars), "a.csv"),
        (gzip.compress(table(bars[::-1])), "b.csv.gz"),
        (table(shuffled, time=lambda t: str(int(t.timestamp() * 1000))), "c.csv"),
        (text.getvalue(), "d.csv"),
        (parquet(bars), "e.parquet"),
    ):
        assert columns(read(content, name, splits="none")) == expected(bars)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.text(alphabet='0123456789-:,.naif\n" ').map(lambda text: "timestamp,open,high,low,close,volume\n" + text),
        st.lists(st.sampled_from(table().decode().replace("\n", ",").split(",")), min_size=5, max_size=60).map(
            ",".join
        ),
    )
)
def test_any_other_content_is_refused_in_one_line(read, text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        read(data)
    except BarsError as error:
        assert "bars.csv" in str(error)
        assert "\n" not in str(error)


def test_a_growing_file_is_read_up_to_its_last_line_break(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes(table()[:-4])
    assert len(read_bars(path, is_growing=True).one().bars) == 39


def test_local_times_are_converted_for_each_symbol(read):
    fall = at(HOURLY, HOURLY[0].time.replace(year=2023, month=11, day=4, hour=12))
    local = pd.DatetimeIndex([bar.time for bar in fall]).tz_convert("America/New_York").tz_localize(None)
    lines = ["symbol,date,open,high,low,close"]
    lines += [
        f"{symbol},{time},{','.join(map(str, bar.prices))}"
        for bar, time in zip(fall, local, strict=True)
        for symbol in ("A", "B")
    ]
    bars = read("\n".join(lines), symbol="B", time_zone="America/New_York")
    assert bars.time.tolist() == [np.datetime64(iso(bar.time)[:-1], "s").item() for bar in fall]


def test_a_backtest_is_the_same_to_the_bit_through_every_format(read):
    walked = walk(900)
    times = [datetime.fromtimestamp(int(moment), UTC) for moment in walked.time.astype("int64")]
    rows = zip(times, *(getattr(walked, name).tolist() for name in NAMES), strict=True)
    bars = [Bar(*row) for row in rows]
    vendor = ["Open time", "Open", "High", "Low", "Close", "Volume", "Close time", "Ignore"]
    klines = table(bars, header=vendor, time=epoch(1_000), row=vendor_row("time", "o", "h", "l", "c", "v", "1", "0"))
    raw = [
        replace(bar, **{name: getattr(bar, name) * 4 for name in NAMES[:4]}, volume=bar.volume / 4) if n < 400 else bar
        for n, bar in enumerate(bars)
    ]
    factors = dict.fromkeys(times[:400], 0.25) | dict.fromkeys(times[400:], 1.0)
    with_factor = table(
        raw, header=[*HEADER, "adj_factor"], row=lambda bar, time: (time, *bar.prices, bar.volume, factors[bar.time])
    )
    contents = {
        "a.csv": table(bars),
        "a.csv.gz": gzip.compress(table(bars)),
        "a.parquet": parquet(bars),
        "reversed.csv": table(bars[::-1]),
        "ms.csv": table(bars, time=epoch(1_000)),
        "s.csv": table(bars, time=epoch(1)),
        "klines.csv": klines,
        "semicolons.csv": table(bars, delimiter=";", decimal=","),
        "raw.csv": with_factor,
    }
    expected_trades = simulate_trades(walked)
    for name, content in contents.items():
        trades = simulate_trades(read(content, name))
        for column in ("signal_bar", "exit_bar", "direction", "gross", "cost", "atr_fraction"):
            assert getattr(trades, column).tolist() == getattr(expected_trades, column).tolist(), name


def test_the_page_is_written_from_the_code():
    text = (Path(__file__).parents[4] / "docs" / "bars.md").read_text(encoding="utf-8")
    assert text == page(), "write it again with `make bars-page`"
