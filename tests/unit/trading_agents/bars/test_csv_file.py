import gzip

import numpy as np
import pytest

from trading_agents.bars import BarsError, read_price_bars

PRICES = (
    "timestamp,open,high,low,close,volume\n2026-01-02 09:00:00,10,12,9,11,100\n2026-01-02 10:00:00,11,13,10,12,200\n"
)
QUOTES = (
    "timestamp,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close\n"
    "2026-01-02,1.00,1.20,0.90,1.10,1.02,1.22,0.92,1.14\n"
)


@pytest.fixture
def read(tmp_path):
    def read(content, name="my.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_price_bars(path)

    return read


@pytest.mark.parametrize(
    "content",
    [PRICES, "\ufeff" + PRICES, PRICES.replace("\n", "\r\n"), PRICES + "\n\n", PRICES.replace("open", " Open ", 1)],
)
def test_columns_are_read(read, content):
    bars = read(content)
    assert bars.time.tolist() == np.array(["2026-01-02T09:00:00", "2026-01-02T10:00:00"], "datetime64[s]").tolist()
    assert [bars.open.tolist(), bars.high.tolist(), bars.low.tolist()] == [[10, 11], [12, 13], [9, 10]]
    assert (bars.close.tolist(), bars.volume.tolist(), bars.spread_open) == ([11, 12], [100, 200], None)


def test_compressed_files_are_read(read):
    assert len(read(gzip.compress(PRICES.encode()), "my.csv.gz")) == 2


def test_quotes_become_mid_prices_and_spreads(read):
    bars = read(QUOTES)
    assert [bars.open[0], bars.high[0], bars.low[0], bars.close[0]] == pytest.approx([1.01, 1.21, 0.91, 1.12])
    assert (bars.spread_open[0], bars.spread_close[0]) == (pytest.approx(0.02), pytest.approx(0.04))


def test_an_adjustment_factor_multiplies_every_price(read):
    bars = read("timestamp,open,high,low,close,adj_factor\n2026-01-02,10,12,9,11,0.5\n")
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (5, 6, 4.5, 5.5)
    assert bars.volume is None


def test_offsets_are_turned_into_utc(read):
    bars = read("date,open,high,low,close\n2026-01-02T09:30:00-05:00,10,12,9,11\n")
    assert bars.time[0] == np.datetime64("2026-01-02T14:30:00")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            PRICES.replace("2026-01-02 10", "yesterday 10"),
            "my.csv, line 3: column 'timestamp': 'yesterday 10:00:00' is not",
        ),
        (PRICES.replace(",13,", ",x,"), "my.csv, line 3: column 'high': 'x' is not a number above 0"),
        (PRICES.replace(",13,", ",,"), "my.csv, line 3: column 'high': '' is not a number above 0"),
        (PRICES.replace(",13,", ",inf,"), "my.csv, line 3: column 'high': 'inf' is not a number above 0"),
        (PRICES.replace(",200", ",-1"), "my.csv, line 3: column 'volume': '-1' is not a number of 0 or more"),
        (PRICES.replace("11,13", "14,13"), "my.csv, line 3: column 'open': '14' is not between low and high"),
        (PRICES.replace(" 10:00", " 09:00"), "line 3: column 'timestamp': '2026-01-02 09:00:00' is not later than"),
        (PRICES.replace("100\n", "100\n\n").replace("200", "many"), "my.csv, line 4: column 'volume': 'many'"),
        (PRICES.replace("close", "last"), "my.csv has no column 'close'"),
        (PRICES.replace("timestamp", "moment"), "my.csv has no column 'timestamp'"),
        (QUOTES.replace("ask_low", "x"), "my.csv has no column 'ask_low'"),
        (QUOTES.replace("1.02,", "0.99,"), "line 2: column 'ask_open': '0.99' is below bid_open"),
        (PRICES.splitlines()[0], "my.csv has no bars"),
        ("", "my.csv is not a CSV file"),
        (PRICES + "1,2,3,4,5,6,7,8\n", "my.csv is not a CSV file"),
        (b"\xff\xfe\x00", "my.csv is not a CSV file"),
    ],
)
def test_invalid_files_and_lines_are_named(read, content, message):
    with pytest.raises(BarsError) as error:
        read(content)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_or_missing_file_is_named(read, tmp_path):
    with pytest.raises(BarsError, match=r"cannot read .*nowhere\.csv: No such file"):
        read_price_bars(tmp_path / "nowhere.csv")
    with pytest.raises(BarsError, match=r"my\.csv\.gz"):
        read(gzip.compress(PRICES.encode())[:-12], "my.csv.gz")
    with pytest.raises(BarsError, match=r"my\.csv\.gz"):
        read(PRICES, "my.csv.gz")
