"""Option chains are read from the shapes that vendors write, alike to the bit, or refused by name."""

import gzip
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.unit.trading_agents.option_samples import SHAPES, as_text, contract, daily_file, quotes
from trading_agents.bars import BarsError
from trading_agents.indicators.option_chain import dealer_flow, gamma_balance
from trading_agents.options import read_option_chains

DATA = Path(__file__).parents[5] / "shared/data"


def read(tmp_path, text, name="options.csv", **settings):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_option_chains(path, **settings)


def chains_of(file):
    return next(iter(file.series.values())).chains


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_chains(tmp_path, shape):
    rows = list(quotes(calls=lambda day: 1000 + 10 * day))
    expected = chains_of(read(tmp_path, daily_file(rows)))
    found = read(tmp_path, SHAPES[shape](rows), "other.csv")
    assert len(expected) == len(chains_of(found)) == 8
    for one, other in zip(expected, chains_of(found), strict=True):
        assert (one.time, one.spot) == (other.time, other.spot)
        for column in ("strike", "years", "is_call", "open_interest", "volume"):
            np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
        np.testing.assert_allclose(one.volatility, other.volatility, rtol=1e-12)
    assert list(found.series) == ["TEST"]
    assert "TEST (8)" in found.summary


def test_compressed_and_parquet_files_give_the_same(tmp_path):
    import duckdb

    rows = list(quotes())
    text = daily_file(rows)
    expected = chains_of(read(tmp_path, text))
    parquet = tmp_path / "options.parquet"
    duckdb.read_csv(str(tmp_path / "options.csv")).write_parquet(str(parquet))
    for found in (read(tmp_path, gzip.compress(text.encode()), "o.csv.gz"), read_option_chains(parquet)):
        assert [gamma_balance(one) for one in chains_of(found)] == [gamma_balance(one) for one in expected]
        assert [dealer_flow(one) for one in chains_of(found)] == [dealer_flow(one) for one in expected]


def test_a_chain_with_a_date_only_is_of_the_end_of_that_day(tmp_path):
    file = read(tmp_path, daily_file(quotes()))
    assert chains_of(file)[0].time == np.datetime64("2024-03-08T23:59:59")
    assert "quoted at the end of a day" in file.summary


def test_quotes_with_a_time_of_day_are_converted_to_utc(tmp_path):
    rows = [
        (f"{day} 10:30:00", "TEST", spot, expiry, strike, side, interest, volume, iv)
        for day, spot, expiry, strike, side, iv, interest, volume in quotes()
    ]
    text = as_text(
        "quote_datetime,underlying_symbol,underlying_price,expiration,strike,option_type,open_interest,volume,iv", rows
    )
    assert chains_of(read(tmp_path, text))[0].time == np.datetime64("2024-03-08T10:30:00")
    found = chains_of(read(tmp_path, text, time_zone="America/New_York"))
    assert [one.time for one in found][::7] == [
        np.datetime64("2024-03-08T15:30:00"),
        np.datetime64("2024-03-15T14:30:00"),  # clocks were put forward on the 10th
    ]


def test_a_file_of_several_underlyings_needs_a_symbol(tmp_path):
    rows = list(quotes())
    text = daily_file(rows) + daily_file(rows).replace("TEST", "OTHER").partition("\n")[2]
    file = read(tmp_path, text)
    assert sorted(file.series) == ["OTHER", "TEST"]
    assert len(file.one("OTHER").chains) == 8
    with pytest.raises(BarsError, match="has options on OTHER, TEST: choose one with --symbol"):
        file.one()
    with pytest.raises(BarsError, match="has no options on 'SPY': it has those on OTHER, TEST"):
        file.one("SPY")


def test_what_is_missing_is_nothing_and_what_repeats_counts_once(tmp_path):
    header = "quotedate,underlying_last,optionroot,volume,openinterest,impliedvol"
    call, put = contract("SPXW", date(2024, 4, 19), "C", 95), contract("SPX", date(2024, 4, 19), "P", 105)
    rows = [("2024-03-08", 100, call, "", 10, 0.2), ("2024-03-08", 100, put, 5, "nan", -1)]
    file = read(tmp_path, as_text(header, [*rows, rows[0]]))
    (chain,) = file.one().chains
    assert chain.volume.tolist() == [0, 5]
    assert chain.open_interest.tolist() == [10, 0]
    assert chain.usable.tolist() == [True, False]
    assert "1 repeated rows left out" in file.summary
    assert list(file.series) == ["SPX"]


def test_a_chain_of_other_prices_than_its_strikes_is_left_out_and_named(tmp_path):
    file = read(tmp_path, daily_file(quotes(spot=lambda day: 14.3 if day == 3 else 100.0)))
    assert len(file.one().chains) == 7
    assert "the chain of 2024-03-11 left out: its underlying's price is not between its strikes" in file.summary


LINES = daily_file(quotes(1)).splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no header of option chains"),
        ("time,open,high,low,close\n2024-01-01,1,1,1,1\n", "has no header of option chains"),
        (LINES[0] + "\n", "there is nothing below its header"),
        ("\n".join(LINES).replace("open_interest", "x"), "has no column for open interest of options"),
        ("\n".join(LINES).replace("spot", "x"), "has no column for spot of options"),
        ("\n".join([*LINES, "1,2,3"]), "line 12: 3 cells, but the header has 9"),
        ("\n".join([*LINES, LINES[-1] + ",7"]), "line 12: 10 cells, but the header has 9"),
        ("\n".join([*LINES, LINES[-1].replace("110.0", "x")]), "line 12: column 'strike': 'x' is not a number above 0"),
        ("\n".join([*LINES, LINES[-1].replace(",P,", ",Z,")]), "line 12: column 'right': 'Z' is neither call nor put"),
        ("\n".join([*LINES, LINES[-1].replace("20240308", "never")]), "line 12: column 'date': 'never'"),
        ("\n".join(line.replace("20240308", "03/08/2024") for line in LINES), "can be day/month or month/day"),
        (
            "contractSymbol,quote_date,spot,volume,openInterest,iv\nSPY,2024-03-08,100,1,1,0.2\n",
            "line 2: column 'contractSymbol': 'SPY' is not a contract such as SPXW190426C00800000",
        ),
        ("\n".join(LINES).replace(",100.0,2", ",500.0,2"), "no option chain with its underlying's price between"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, text, message):
    with pytest.raises(BarsError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reading_needs_no_statistics():
    code = "import trading_agents.options, sys; assert 'statsmodels' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("spx_options_2019-04-25_2019-06-19.parquet", {"SPX": 34}),
        ("aapl_goog_options_2014_2015.csv.gz", {"AAPL": 11, "GOOG": 6}),
    ],
)
def test_real_chains_are_read(name, counts):
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in this environment")
    file = read_option_chains(DATA / name)
    assert {symbol: len(one.chains) for symbol, one in file.series.items()} == counts
    assert file.summary.isprintable()
