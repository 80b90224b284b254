import csv
import gzip
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.csv_bars import csv_bars
from demo.errors import BarsError

HEADER = "timestamp,open,high,low,close,volume\n"
GOOD = HEADER + "2026-01-01,10,12,9,11,100\n2026-01-02,11,13,10,12,200\n"


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "my.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return csv_bars(path)

    return read


def test_bars_are_read(read):
    bars = read(GOOD)
    assert bars.symbols == ("ASSET",)
    assert bars.labels == ("2026-01-01", "2026-01-02")
    assert [getattr(bars, name).tolist() for name in ("open", "high", "low", "close", "volume")] == [
        [[10.0], [11.0]],
        [[12.0], [13.0]],
        [[9.0], [10.0]],
        [[11.0], [12.0]],
        [[100.0], [200.0]],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n\n",
        GOOD.replace("timestamp", " Date ").replace("open", "OPEN"),
        "2026-01-02,11,13,10,12,200\n2026-01-01,10,12,9,11,100\n".join([HEADER, ""]),
        "note," + GOOD.replace("\n2026", "\nx,2026"),
        GOOD.replace("2026-01-01", '"2026-01-01"'),
    ],
)
def test_variations_of_the_format_are_read(read, text):
    bars = read(text)
    assert bars.close.tolist() == [[11.0], [12.0]]
    assert bars.labels == ("2026-01-01", "2026-01-02")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:30:00+00:00"),
        ("2026-01-01 00:00", "2026-01-01 00:01"),
        ("1767225600", "1767229200"),
        ("1767225600000", "1767225600001"),
        ("1767225600.5", "1767225601"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T01:00:00Z"),
    ],
)
def test_any_spacing_and_time_format_is_read(read, first, second):
    rows = [f"{second},2,2,2,2,0\n", f"{first},1,1,1,1,0\n"]
    assert read(HEADER + "".join(rows)).close.tolist() == [[1.0], [2.0]]


def test_symbols_are_aligned_and_splits_are_adjusted(read):
    bars = read(
        "symbol,date,open,high,low,close,volume,adj close\n"
        "B,2026-01-01,8,8,8,8,10,4\nB,2026-01-02,4,4,4,4,20,4\n"
        "A,2026-01-01,1,1,1,1,1,1\nA,2026-01-02,1,1,1,1,1,1\n"
    )
    assert bars.symbols == ("A", "B")
    assert bars.close.tolist() == [[1.0, 4.0], [1.0, 4.0]]
    assert bars.volume.tolist() == [[1.0, 20.0], [1.0, 20.0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "my.csv has no column 'timestamp'; needed are timestamp, open, high, low, close, volume"),
        (GOOD.replace("close", "last"), "my.csv has no column 'close'; needed are"),
        (HEADER, "my.csv has no bars"),
        (GOOD.replace("13,", "high,"), "my.csv, line 3: column 'high': 'high' is not a number"),
        (HEADER + "2026-01-01,10,12\n", "my.csv, line 2: column 'low': '' is not a number"),
        (GOOD.replace(",10,12,9", ",-1,12,9"), "my.csv, line 2: column 'open': '-1' is not a number above 0"),
        (GOOD.replace("200", "-200"), "my.csv, line 3: column 'volume': '-200' is not a number of 0 or more"),
        (GOOD.replace("200", "nan"), "my.csv, line 3: column 'volume': 'nan' is not a number of 0 or more"),
        (GOOD.replace("13,10", "inf,10"), "my.csv, line 3: column 'high': 'inf' is not a number above 0"),
        (GOOD.replace("11,13", "14,13"), "my.csv, line 3: open 14 is not between low 10 and high 13"),
        (GOOD.replace(",12,200", ",9,200"), "my.csv, line 3: close 9 is not between low 10 and high 13"),
        (GOOD.replace("-01-02", "-13-02"), "my.csv, line 3: column 'timestamp': '2026-13-02' is not a date or time"),
        (GOOD.replace("2026-01-02", "1e30"), "my.csv, line 3: column 'timestamp': '1e30' is not a date or time"),
        (GOOD.replace("01-02", "01-01"), "my.csv, line 3: ASSET 2026-01-01 is in line 2 already"),
        (b"\xff\xfe\x00", "my.csv is not a CSV file in UTF-8"),
    ],
)
def test_invalid_files_and_lines_are_named(read, text, message):
    with pytest.raises(BarsError) as caught:
        read(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(BarsError, match=r"cannot read .*no\.csv: No such file"):
        csv_bars(tmp_path / "no.csv")


def test_a_compressed_file_is_read(tmp_path):
    path = tmp_path / "my.csv.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert csv_bars(path).close.tolist() == [[11.0], [12.0]]


@pytest.mark.parametrize("content", [GOOD.encode(), gzip.compress(GOOD.encode())[:-9]], ids=["not gzip", "truncated"])
def test_a_damaged_compressed_file_is_named(tmp_path, content):
    path = tmp_path / "my.csv.gz"
    path.write_bytes(content)
    with pytest.raises(BarsError, match=r"cannot read .*my\.csv\.gz: "):
        csv_bars(path)


PRICE = st.floats(0.01, 1e6)
ROWS = st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE, st.floats(0, 1e12)), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, seed=st.randoms())
def test_bars_are_read_in_order_of_time(read, rows, seed):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = []
    for n, (a, b, c, d, volume) in enumerate(rows):
        low, opened, close, high = sorted((a, b, c, d))
        lines.append([(start + timedelta(hours=n)).isoformat(), opened, high, low, close, volume])
    shuffled = lines[:]
    seed.shuffle(shuffled)
    text = io.StringIO()
    csv.writer(text).writerows([HEADER.strip().split(","), *shuffled])
    bars = read(text.getvalue())
    assert bars.labels == tuple(line[0] for line in lines)
    columns = zip(
        ("open", "high", "low", "close", "volume"), zip(*[line[1:] for line in lines], strict=True), strict=True
    )
    for name, values in columns:
        assert getattr(bars, name)[:, 0].tolist() == list(values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), st.binary(), st.text(alphabet='0123456789-:,.naif\n"').map(lambda t: HEADER + t)))
def test_any_other_content_is_a_bars_error(read, text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        read(data)
    except BarsError as error:
        assert "my.csv" in str(error)  # most texts are refused, not all
