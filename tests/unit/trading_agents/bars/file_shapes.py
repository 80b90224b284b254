"""Files of bars in the shapes that people have them: the same forty bars, written as vendors and libraries write them.

No vendor's data: the prices are a random walk.
"""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

HEADER = ("timestamp", "open", "high", "low", "close", "volume")
COUNT = 40
START = datetime(2024, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bar:
    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int

    @property
    def prices(self) -> tuple[float, float, float, float]:
        return self.open, self.high, self.low, self.close


def _walk() -> list[Bar]:
    chance = np.random.default_rng(5)
    bars, close = [], 100.0
    for n in range(COUNT):
        opened = round(close * (1 + chance.normal(0, 0.001)), 2)
        close = round(opened * (1 + chance.normal(0, 0.004)), 2)
        high = round(max(opened, close) + abs(chance.normal(0, 0.2)), 2)
        low = round(min(opened, close) - abs(chance.normal(0, 0.2)), 2)
        bars.append(Bar(START + n * HOUR, opened, high, low, close, int(chance.integers(100, 9_000))))
    return bars


HOURLY = _walk()
DAILY = [replace(bar, time=datetime(2024, 1, 2, tzinfo=UTC) + n * timedelta(days=1)) for n, bar in enumerate(HOURLY)]


@dataclass(frozen=True)
class Shape:
    """A file: `bars` are what it holds, or `refused` is a part of the message."""

    name: str
    content: bytes
    bars: Sequence[Bar] = ()
    refused: str = ""
    file: str = "bars.csv"
    options: Mapping[str, Any] = field(default_factory=dict)
    volume: bool = True
    summary: str = ""


def cells(header: str) -> list[str]:
    return header.split(",")


def iso(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def epoch(unit: int) -> Callable[[datetime], str]:
    return lambda time: str(int(time.timestamp()) * unit)


def table(
    bars: Sequence[Bar] = HOURLY,
    *,
    header: Sequence[str] | None = HEADER,
    time: Callable[[datetime], str] = iso,
    row: Callable[[Bar, str], Sequence[object]] = lambda bar, time: (time, *bar.prices, bar.volume),
    delimiter: str = ",",
    decimal: str = ".",
    above: str = "",
    below: str = "",
    end: str = "\n",
) -> bytes:
    lines = [] if header is None else [delimiter.join(header)]
    for bar in bars:
        values = [
            str(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)
            for cell in row(bar, time(bar.time))
        ]
        lines.append(delimiter.join(values))
    return (above + end.join(lines) + end + below).encode()


def vendor_row(*names: str) -> Callable[[Bar, str], Sequence[object]]:
    """Rows of the named values; `0` and others are written as they stand."""

    def row(bar: Bar, time: str) -> Sequence[object]:
        values = {"time": time, "o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
        return [values.get(name, name) for name in names]

    return row


def quoted(bar: Bar, time: str) -> Sequence[object]:
    return [f'"{cell}"' for cell in (time, *bar.prices, bar.volume)]


def zipped(*members: str, **contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in {**dict.fromkeys(members, table()), **contents}.items():
            archive.writestr(member, content)
    return file.getvalue()


def parquet(
    bars: Sequence[Bar] = HOURLY, *, time: str = "TIMESTAMP", number: str = "DOUBLE", title: str = "{}"
) -> bytes:
    import tempfile

    import duckdb

    select = {
        "TIMESTAMP": "time::TIMESTAMP AS Date",
        "TIMESTAMPTZ": "time::TIMESTAMPTZ AS timestamp",
        "EPOCH": "epoch_ms(time::TIMESTAMP) AS open_time",
        "TEXT": 'time AS "__index_level_0__"',
        "DATE": "time::DATE AS date",
    }[time]
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "bars.parquet"
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE bars (time VARCHAR, o DOUBLE, h DOUBLE, l DOUBLE, c DOUBLE, v DOUBLE)")
        rows = [(f"{bar.time:%Y-%m-%d %H:%M:%S}", *bar.prices, bar.volume) for bar in bars]
        connection.executemany("INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?)", rows)
        names = ("Open", "High", "Low", "Close", "Volume")
        prices = (f'{name[0]}::{number} AS "{title.format(name)}"' for name in names)
        query = f"SELECT {', '.join(prices)}, {select} FROM bars"  # noqa: S608  # constants only
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def local(zone: str, form: str = "%Y-%m-%d %H:%M:%S") -> Callable[[datetime], str]:
    return lambda time: f"{time.astimezone(ZoneInfo(zone)):{form}}"


def stamp(form: str) -> Callable[[datetime], str]:
    return lambda time: time.strftime(form)


def at(bars: Sequence[Bar], start: datetime) -> list[Bar]:
    return [replace(bar, time=start + n * HOUR) for n, bar in enumerate(bars)]


def split(bars: Sequence[Bar], ratio: float, day: int = 20) -> list[Bar]:
    """Prices as traded: those before the split are `ratio` times as high, and volumes lower."""
    return [
        replace(bar, **{name: getattr(bar, name) * ratio for name in ("open", "high", "low", "close")})
        if n < day
        else bar
        for n, bar in enumerate(bars)
    ]


PRICES_ONLY = HEADER[:5]
_KLINES = [
    *("Open time", "Open", "High", "Low", "Close", "Volume", "Close time", "Quote asset volume", "Number of trades"),
    *("Taker buy base asset volume", "Taker buy quote asset volume", "Ignore"),
]
_KLINE_ROW = vendor_row("time", "o", "h", "l", "c", "v", "1", "2", "3", "4", "5", "0")
_DST = at(HOURLY, datetime(2023, 11, 4, 12, tzinfo=UTC))
_SPRING = at(HOURLY, datetime(2024, 3, 9, 12, tzinfo=UTC))
_NO_DAY_ABOVE_12 = [replace(bar, time=datetime(2024, 2, 1 + n, tzinfo=UTC)) for n, bar in enumerate(HOURLY[:11])]
_PAIR = [("AAPL", 1.0), ("MSFT", 2.0)]


def _two_symbols() -> bytes:
    lines = ["symbol," + ",".join(HEADER)]
    for bar in HOURLY:
        for symbol, factor in _PAIR:
            lines.append(",".join(map(str, (symbol, iso(bar.time), *(p * factor for p in bar.prices), bar.volume))))
    return ("\n".join(lines) + "\n").encode()


def _yfinance_wide() -> bytes:
    fields = ("Close", "High", "Low", "Open", "Volume")
    lines = [
        "Price," + ",".join(f"{name},{name}" for name in fields),
        "Ticker," + ",".join("AAPL,MSFT" for _ in fields),
        "Date" + "," * (2 * len(fields)),
    ]
    for bar in DAILY:
        values = [
            repr(getattr(bar, name.lower()) * (factor if name != "Volume" else 1))
            for name in fields
            for _, factor in _PAIR
        ]
        lines.append(f"{bar.time:%Y-%m-%d}," + ",".join(values))
    return "\n".join(lines).encode()


def _adjusted(column: str, ratio: float = 4.0, *, value: Callable[[Bar, bool], float]) -> bytes:
    """Raw prices with a column of adjustments; the split is at bar 20."""
    raw = split(DAILY, ratio)
    lines = [",".join((*HEADER, column))]
    for n, (bar, was) in enumerate(zip(DAILY, raw, strict=True)):
        volume = bar.volume / ratio if n < 20 else bar.volume
        lines.append(",".join(map(str, (f"{bar.time:%Y-%m-%d}", *was.prices, volume, value(bar, n < 20)))))
    return "\n".join(lines).encode()


def _with_line(text: bytes, number: int, line: str) -> bytes:
    lines = text.decode().splitlines()
    lines[number - 1] = line
    return "\n".join(lines).encode()


def _thousands(separator: str, mark: str) -> Callable[[Bar, str], Sequence[object]]:
    """Rows with prices such as 1.234,50."""

    def row(bar: Bar, time: str) -> Sequence[object]:
        texts = (f"{price:,.2f}".replace(",", " ").replace(".", mark).replace(" ", separator) for price in bar.prices)
        return (time, *texts, bar.volume)

    return row


_ABOVE_1000 = [
    replace(bar, **{name: round(getattr(bar, name) * 12.5, 2) for name in ("open", "high", "low", "close")})
    for bar in HOURLY
]


_WHOLE = [
    replace(bar, open=float(n), high=float(n + 9), low=float(n - 9), close=float(n + 1))
    for n, bar in enumerate(HOURLY, 12_000)
]


def ticks(since: int) -> Callable[[datetime], str]:
    """Times in ticks of 100 ns since 1 January of a year."""
    return lambda time: str((time - datetime(since, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10)


def integer_volumes(points: str) -> Callable[[Bar, str], Sequence[object]]:
    """Rows of whole numbers with this separator of thousands."""
    return lambda bar, time: (
        time,
        *(f"{int(price):,}".replace(",", points) for price in bar.prices),
        f"{bar.volume:,}".replace(",", points),
    )


READ = [
    Shape("ISO 8601 with Z", table(), HOURLY),
    Shape("ISO 8601 with an offset", table(time=lambda t: t.astimezone(ZoneInfo("Asia/Tokyo")).isoformat()), HOURLY),
    Shape(
        "ISO 8601 with a blank and microseconds",
        table(time=stamp("%Y-%m-%d %H:%M:%S.%f")),
        HOURLY,
        summary="UTC assumed",
    ),
    Shape("epoch seconds", table(time=epoch(1)), HOURLY, summary="epoch s"),
    Shape("epoch seconds with a fraction", table(time=lambda t: f"{t.timestamp():.1f}"), HOURLY),
    Shape("epoch milliseconds", table(time=epoch(1_000)), HOURLY, summary="epoch ms"),
    Shape("epoch microseconds, as Binance since 2025", table(time=epoch(1_000_000)), HOURLY, summary="epoch us"),
    Shape("epoch nanoseconds", table(time=epoch(1_000_000_000)), HOURLY, summary="epoch ns"),
    Shape(
        "epoch in milliseconds and microseconds, two years joined",
        table(time=lambda t: epoch(1_000 if t < START + 20 * HOUR else 1_000_000)(t)),
        HOURLY,
        summary="epoch ms and us",
    ),
    Shape(
        "Binance klines with a header",
        table(header=_KLINES, row=_KLINE_ROW, time=epoch(1_000)),
        HOURLY,
        summary="Binance klines",
    ),
    Shape(
        "Binance klines without a header",
        table(header=None, row=_KLINE_ROW, time=epoch(1_000)),
        HOURLY,
        summary="no header",
    ),
    Shape(
        "Alpaca bars",
        table(header=cells("t,o,h,l,c,v,n,vw"), row=vendor_row("time", "o", "h", "l", "c", "v", "7", "1.5")),
        HOURLY,
        summary="Alpaca bars",
    ),
    Shape(
        "Polygon aggregates",
        table(
            header=["ticker", "volume", "open", "close", "high", "low", "window_start", "transactions"],
            row=vendor_row("SPY", "v", "o", "c", "h", "l", "time", "3"),
            time=epoch(1_000_000_000),
        ),
        HOURLY,
        summary="hourly bars of SPY",
    ),
    Shape(
        "Databento OHLCV",
        table(
            header=cells("ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol"),
            row=vendor_row("time", "34", "2", "15144", "o", "h", "l", "c", "v", "SPY"),
            time=stamp("%Y-%m-%dT%H:%M:%S.000000000Z"),
        ),
        HOURLY,
    ),
    Shape(
        "Alpha Vantage",
        table(
            DAILY, header=["timestamp", "1. open", "2. high", "3. low", "4. close", "5. volume"], time=stamp("%Y-%m-%d")
        ),
        DAILY,
    ),
    Shape(
        "Yahoo Finance, one header",
        table(
            DAILY,
            header=["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"],
            row=vendor_row("time", "o", "h", "l", "c", "c", "v"),
            time=stamp("%Y-%m-%d"),
        ),
        DAILY,
        summary="Yahoo Finance",
    ),
    Shape(
        "yfinance, three lines of header",
        table(
            DAILY,
            header=["Price", "Close", "High", "Low", "Open", "Volume\nTicker,SPY,SPY,SPY,SPY,SPY\nDate,,,,,"],
            row=vendor_row("time", "c", "h", "l", "o", "v"),
            time=stamp("%Y-%m-%d"),
        ),
        DAILY,
        summary="of SPY",
    ),
    Shape("yfinance, two symbols", _yfinance_wide(), DAILY, options={"symbol": "AAPL"}),
    Shape(
        "pandas with an unnamed index", table(header=["", *HEADER[1:]], time=stamp("%Y-%m-%d %H:%M:%S+00:00")), HOURLY
    ),
    Shape(
        "pandas with row numbers beside the time",
        table(header=["", *HEADER], row=lambda bar, time: (7, time, *bar.prices, bar.volume)),
        HOURLY,
    ),
    Shape(
        "MetaTrader, tabs and angle brackets",
        table(
            header=["<DATE>", "<TIME>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<TICKVOL>", "<VOL>", "<SPREAD>"],
            row=vendor_row("time", "o", "h", "l", "c", "v", "0", "3"),
            time=stamp("%Y.%m.%d\t%H:%M:%S"),
            delimiter="\t",
        ),
        HOURLY,
        summary="MetaTrader",
    ),
    Shape("MetaTrader without a header", table(header=None, time=stamp("%Y.%m.%d,%H:%M")), HOURLY, summary="no header"),
    Shape(
        "Date and Time in two columns",
        table(header=["Date", "Time", *HEADER[1:]], time=stamp("%Y-%m-%d,%H:%M")),
        HOURLY,
    ),
    Shape(
        "Date and Time as digits, as Stooq",
        table(
            header=cells("<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"),
            row=vendor_row("SPY.US", "60", "time", "o", "h", "l", "c", "v", "0"),
            time=stamp("%Y%m%d,%H%M%S"),
        ),
        HOURLY,
        summary="Stooq",
    ),
    Shape("2024.01.10 00:00", table(time=stamp("%Y.%m.%d %H:%M")), HOURLY),
    Shape("2024/01/10 00:00", table(time=stamp("%Y/%m/%d %H:%M")), HOURLY),
    Shape("20240110 000000;, as HistData", table(header=None, time=stamp("%Y%m%d %H%M%S"), delimiter=";"), HOURLY),
    Shape("20240110", table(DAILY, time=stamp("%Y%m%d")), DAILY),
    Shape("2024011000, the hour behind the date", table(time=stamp("%Y%m%d%H")), HOURLY),
    Shape("20240110000000000, milliseconds behind the date", table(time=stamp("%Y%m%d%H%M%S000")), HOURLY),
    Shape("20240110000000000000, microseconds behind the date", table(time=stamp("%Y%m%d%H%M%S%f")), HOURLY),
    Shape(
        "20240110T000000Z-like with a header in capitals",
        table(header=[name.upper() for name in HEADER], time=stamp("%Y%m%d %H:%M:%S")),
        HOURLY,
    ),
    Shape("day/month/year", table(DAILY, time=stamp("%d/%m/%Y")), DAILY, summary="day/month/year"),
    Shape(
        "month/day/year with AM and PM",
        table(at(HOURLY, datetime(2024, 1, 20, tzinfo=UTC)), time=stamp("%m/%d/%Y %I:%M %p")),
        at(HOURLY, datetime(2024, 1, 20, tzinfo=UTC)),
        summary="month/day/year",
    ),
    Shape(
        "day.month.year, as Dukascopy",
        table(header=["Gmt time", *HEADER[1:]], time=stamp("%d.%m.%Y %H:%M:%S.000")),
        HOURLY,
        summary="Dukascopy",
    ),
    Shape(
        "day.month.year with GMT+0100",
        table(header=["Local time", *HEADER[1:]], time=local("Europe/Berlin", "%d.%m.%Y %H:%M:%S.000 GMT+0100")),
        HOURLY,
    ),
    Shape(
        "Jan 02, 2024 and volumes in K, as Investing.com",
        table(
            DAILY,
            header=['"Date"', '"Price"', '"Open"', '"High"', '"Low"', '"Vol."', '"Change %"'],
            row=lambda bar, time: (
                f'"{time}"',
                *(f'"{p}"' for p in (bar.close, bar.open, bar.high, bar.low)),
                f'"{bar.volume / 1000}K"',
                '"0.1%"',
            ),
            time=stamp("%b %d, %Y"),
        ),
        DAILY,
        summary="Investing.com",
    ),
    Shape(
        "$ and month/day/year, as Nasdaq.com",
        table(
            DAILY,
            header=["Date", "Close/Last", "Volume", "Open", "High", "Low"],
            row=lambda bar, time: (time, f"${bar.close}", bar.volume, f"${bar.open}", f"${bar.high}", f"${bar.low}"),
            time=stamp("%m/%d/%Y"),
        ),
        DAILY,
    ),
    Shape("02-Jan-2024", table(DAILY, time=stamp("%d-%b-%Y")), DAILY),
    Shape(
        "a time zone behind each time",
        table(time=local("America/New_York", "%Y%m%d %H:%M:%S US/Eastern")),
        HOURLY,
        summary="US/Eastern turned into UTC",
    ),
    Shape(
        "local times with --time-zone",
        table(time=local("America/New_York")),
        HOURLY,
        options={"time_zone": "America/New_York"},
    ),
    Shape(
        "local times over the hour that clocks show twice",
        table(_DST, time=local("America/New_York")),
        _DST,
        options={"time_zone": "America/New_York"},
    ),
    Shape(
        "local times, newest first, over the doubled hour",
        table(_DST[::-1], time=local("America/New_York")),
        _DST,
        options={"time_zone": "America/New_York"},
    ),
    Shape(
        "local times over the hour that clocks skip",
        table(_SPRING, time=local("Europe/Berlin")),
        _SPRING,
        options={"time_zone": "Europe/Berlin"},
    ),
    Shape("semicolons and decimal commas", table(delimiter=";", decimal=","), HOURLY),
    Shape("tabs", table(delimiter="\t"), HOURLY),
    Shape("vertical bars", table(delimiter="|"), HOURLY),
    Shape("blanks between the columns", table(delimiter="  "), HOURLY),
    Shape(
        "a line above the header, as CryptoDataDownload",
        table(
            header=cells("unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount"),
            row=lambda bar, time: (int(bar.time.timestamp()) * 1000, time, "BTCUSDT", *bar.prices, bar.volume, 1, 2),
            time=stamp("%Y-%m-%d %H:%M:%S"),
            above="https://www.example.com\n",
        ),
        HOURLY,
        summary="CryptoDataDownload",
    ),
    Shape(
        "comments and blank lines above the header",
        table(above="# bars\n# made by a script\n\n"),
        HOURLY,
        summary="2 lines above the header",
    ),
    Shape(
        "a line below the data, as Barchart",
        table(
            header=["Time", "Open", "High", "Low", "Last", "Change", "%Chg", "Volume"],
            row=vendor_row("time", "o", "h", "l", "c", "0", "0%", "v"),
            time=stamp("%Y-%m-%d %H:%M"),
            below='"Downloaded from a site as of today"\n',
        ),
        HOURLY,
        summary="a line below the data left out",
    ),
    Shape("every cell in quotes", table(row=quoted), HOURLY),
    Shape("a byte order mark and Windows line ends", b"\xef\xbb\xbf" + table(end="\r\n"), HOURLY),
    Shape("UTF-16, as MetaTrader saves it", table().decode().encode("utf-16"), HOURLY),
    Shape(
        "more columns, in another order",
        table(
            header=["note", "volume", "close", "low", "high", "open", "Time"],
            row=vendor_row("x", "v", "c", "l", "h", "o", "time"),
        ),
        HOURLY,
    ),
    Shape(
        "an empty column at the end of each line",
        table(header=[*HEADER, ""], row=vendor_row("time", "o", "h", "l", "c", "v", "")),
        HOURLY,
    ),
    Shape(
        "thousands with points and decimal commas, below three lines and a byte order mark",
        b"\xef\xbb\xbf" + table(_ABOVE_1000, row=_thousands(".", ","), delimiter=";", above="Kurse\nQuelle: Depot\n\n"),
        _ABOVE_1000,
        summary="2 lines above the header",
    ),
    Shape(
        "thousands with narrow blanks", table(_ABOVE_1000, row=_thousands("\u202f", ","), delimiter=";"), _ABOVE_1000
    ),
    Shape("thousands with apostrophes", table(_ABOVE_1000, row=_thousands("'", "."), delimiter=";"), _ABOVE_1000),
    Shape(
        "titles with blanks, between commas",
        table(header=cells(" Date Time , Open Price, High Price, Low Price, Close Price, Volume")),
        HOURLY,
    ),
    Shape(
        "two columns of one volume",
        table(header=[*HEADER, "Volume"], row=vendor_row("time", "o", "h", "l", "c", "v", "v")),
        HOURLY,
    ),
    Shape(
        "an unnamed index and empty columns at the end",
        table(header=["", *HEADER[1:], "", ""], row=vendor_row("time", "o", "h", "l", "c", "v", "", "")),
        HOURLY,
    ),
    Shape(
        "Bloomberg, with the security above",
        table(
            DAILY,
            header=cells("Dates,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME"),
            time=stamp("%m/%d/%Y"),
            above="Security,SPY US Equity\nPeriod,D\n,\n",
        ),
        DAILY,
        summary="Bloomberg",
    ),
    Shape(
        "Bitfinex candles",
        table(
            header=cells("MTS,OPEN,CLOSE,HIGH,LOW,VOLUME"),
            row=vendor_row("time", "o", "c", "h", "l", "v"),
            time=epoch(1_000),
        ),
        HOURLY,
        summary="epoch ms",
    ),
    Shape(
        "Kraken without a header, with the number of trades",
        table(header=None, row=vendor_row("time", "o", "h", "l", "c", "v", "12"), time=epoch(1)),
        HOURLY,
        summary="epoch s",
    ),
    Shape(
        "TradingView, with two columns of one plot",
        table(
            header=cells("time,open,high,low,close,Plot,Plot,Volume"),
            row=vendor_row("time", "o", "h", "l", "c", "1", "2", "v"),
            time=epoch(1),
        ),
        HOURLY,
    ),
    Shape(
        "days with 0 for the time",
        table(
            DAILY,
            header=["Date", "Time", *HEADER[1:]],
            row=lambda bar, time: (time, "0", *bar.prices, bar.volume),
            time=stamp("%Y%m%d"),
        ),
        DAILY,
    ),
    Shape("years of two digits, first", table(DAILY, time=stamp("%y-%m-%d")), DAILY, summary="year/month/day"),
    Shape("years of two digits between points, first", table(DAILY, time=stamp("%y.%m.%d")), DAILY),
    Shape("years of two digits between points, last", table(time=stamp("%d.%m.%y %H:%M")), HOURLY),
    Shape("years of two digits, last", table(DAILY, time=stamp("%m/%d/%y")), DAILY, summary="month/day/year"),
    Shape("am and pm in small letters", table(time=lambda t: f"{t:%Y-%m-%d %I:%M}{t:%p}".lower()), HOURLY),
    Shape(
        "offsets that change with the clocks",
        table(_SPRING, time=lambda t: t.astimezone(ZoneInfo("America/New_York")).isoformat()),
        _SPRING,
    ),
    Shape(
        "a zone in the title, as JForex",
        table(header=["Time (EET)", *HEADER[1:]], time=local("EET", "%Y.%m.%d %H:%M:%S")),
        HOURLY,
        summary="EET turned into UTC",
    ),
    Shape(
        "an abbreviation in the title with --time-zone",
        table(header=["Time (EST)", *HEADER[1:]], time=local("America/New_York")),
        HOURLY,
        options={"time_zone": "America/New_York"},
    ),
    Shape(
        "volumes with decimal commas beside prices without decimals",
        table(
            _WHOLE,
            row=lambda bar, time: (time, *map(int, bar.prices), f"{bar.volume / 1000:.3f}".replace(".", ",")),
            delimiter=";",
        ),
        [replace(bar, volume=bar.volume / 1000) for bar in _WHOLE],
    ),
    Shape(
        "contracts that follow each other",
        table(
            header=[*HEADER, "expiry"],
            row=lambda bar, time: (time, *bar.prices, bar.volume, "H" if bar.time < START + 20 * HOUR else "M"),
        ),
        HOURLY,
    ),
    Shape(
        "an offset in the title",
        table(header=["Date", "Time (UTC-3)", *HEADER[1:]], time=local("Etc/GMT+3", "%Y-%m-%d,%H:%M")),
        HOURLY,
    ),
    Shape(
        "Gmt time, as Dukascopy", table(header=["Gmt time", *HEADER[1:]], time=stamp("%d.%m.%Y %H:%M:%S.000")), HOURLY
    ),
    Shape(
        "no trades in any bar",
        table([replace(bar, volume=0) for bar in HOURLY]),
        [replace(b, volume=0) for b in HOURLY],
    ),
    Shape(
        "no volume",
        table(header=PRICES_ONLY, row=vendor_row("time", "o", "h", "l", "c")),
        HOURLY,
        volume=False,
        summary="no volume",
    ),
    Shape("newest first", table(HOURLY[::-1]), HOURLY, summary="newest first"),
    Shape("not in order of time", table(HOURLY[::2] + HOURLY[1::2]), HOURLY, summary="sorted"),
    Shape("bars that are repeated", table(HOURLY[:20] + HOURLY[18:]), HOURLY, summary="2 repeated bars left out"),
    Shape(
        "two files joined, with a header in the middle",
        table(HOURLY[:20]) + table(HOURLY[20:]),
        HOURLY,
        summary="1 repeated header line",
    ),
    Shape(
        "lines without prices, for times without a trade",
        table(HOURLY[:20]) + b"2024-01-10T20:30:00Z,NaN,NaN,NaN,NaN,0\n" + table(HOURLY[20:], header=None),
        HOURLY,
        summary="1 line without prices",
    ),
    Shape(
        "prices beyond high by rounding",
        table([replace(bar, high=max(bar.open, bar.close) * (1 - 1e-13)) for bar in HOURLY]),
        [replace(bar, high=max(bar.open, bar.close)) for bar in HOURLY],
    ),
    Shape("gzip", gzip.compress(table()), HOURLY, file="bars.csv.gz"),
    Shape("gzip without its ending", gzip.compress(table()), HOURLY),
    Shape("bzip2", bz2.compress(table()), HOURLY, file="bars.csv.bz2"),
    Shape("xz", lzma.compress(table()), HOURLY, file="bars.csv.xz"),
    Shape("a ZIP archive of one file", zipped("bars.csv"), HOURLY, file="bars.zip"),
    Shape("Parquet with timestamps", parquet(), HOURLY, file="bars.parquet"),
    Shape("Parquet with timestamps with time zone", parquet(time="TIMESTAMPTZ"), HOURLY, file="bars.parquet"),
    Shape("Parquet with epoch milliseconds", parquet(time="EPOCH"), HOURLY, file="bars.parquet"),
    Shape("Parquet with the index of pandas", parquet(time="TEXT"), HOURLY, file="bars.pq"),
    Shape("Parquet with decimals", parquet(number="DECIMAL(18, 4)"), HOURLY, file="bars.parquet"),
    Shape("Parquet with dates", parquet(DAILY, time="DATE"), DAILY, file="bars.parquet"),
    Shape(
        "Parquet with columns of two levels, as yfinance",
        parquet(title="('{}', 'SPY')"),
        HOURLY,
        file="bars.parquet",
        summary="of SPY",
    ),
    Shape("Parquet in a ZIP archive", zipped(**{"bars.parquet": parquet()}), HOURLY, file="bars.zip"),
    Shape("one of two symbols", _two_symbols(), HOURLY, options={"symbol": "AAPL"}, summary="of AAPL"),
    Shape(
        "raw prices with Adj Close",
        _adjusted("Adj Close", value=lambda bar, _before: bar.close),
        DAILY,
        summary="adjusted by 'Adj Close'",
    ),
    Shape(
        "raw prices with adj_factor",
        _adjusted("adj_factor", value=lambda _bar, before: 0.25 if before else 1.0),
        DAILY,
        summary="adjusted by 'adj_factor'",
    ),
    Shape(
        "raw prices with a cumulative split_factor",
        _adjusted("split_factor", value=lambda _bar, before: 0.25 if before else 1.0),
        DAILY,
        summary="adjusted by 'split_factor'",
    ),
    Shape(
        "raw prices with a split coefficient on its day",
        _adjusted("8. split coefficient", value=lambda bar, _before: 4.0 if bar is DAILY[20] else 1.0),
        DAILY,
        summary="split coefficient",
    ),
    Shape(
        "raw prices with --splits",
        _adjusted("note", value=lambda _bar, _before: 0),
        DAILY,
        options={"splits": f"{DAILY[20].time:%Y-%m-%d}=4:1"},
        summary="adjusted by --splits",
    ),
]

_BID_ASK = ["bid_open", "bid_high", "bid_low", "bid_close", "ask_open", "ask_high", "ask_low", "ask_close"]


def _quotes(ask: float) -> Callable[[Bar, str], Sequence[object]]:
    return lambda bar, time: (time, *(p - 0.25 for p in bar.prices), *(p + ask for p in bar.prices))


# Name of the shape, number and content of the line that is wrong, and a part of the message.
_WRONG_LINES = (
    (
        "times with and without an offset",
        5,
        "2024-01-10 03:00:00,100,101,99,100,1",
        "line 5: column 'timestamp': '2024-01-10 03:00:00' has no UTC offset",
    ),
    ("a date in words that is none", 4, "yesterday,100,101,99,100,1", "line 4: column 'timestamp': 'yesterday'"),
    ("a year out of range", 4, "0024-01-10,100,101,99,100,1", "line 4"),
    (
        "a price that is a word",
        7,
        "2024-01-10T05:00:00Z,100,n/a,99,100,1",
        "line 7: column 'high': 'n/a' is not a number above 0",
    ),
    ("a price of 0", 7, "2024-01-10T05:00:00Z,0,101,0,100,1", "line 7: column 'open': '0' is not a number above 0"),
    ("an infinite price", 7, "2024-01-10T05:00:00Z,100,inf,99,100,1", "line 7: column 'high': 'inf'"),
    ("an empty price", 7, "2024-01-10T05:00:00Z,100,101,,100,1", "line 7: column 'low': ''"),
    (
        "a close above the high",
        7,
        "2024-01-10T05:00:00Z,100,101,99,102,1",
        "line 7: column 'close': '102' is not between low 99.0 and high 101.0",
    ),
    (
        "a negative volume",
        7,
        "2024-01-10T05:00:00Z,100,101,99,100,-1",
        "line 7: column 'volume': '-1' is not a number of 0 or more",
    ),
    (
        "more cells than the header",
        7,
        "2024-01-10T05:00:00Z,100,101,99,100,1,2",
        "line 7: 7 cells, but the header has 6",
    ),
    ("thousands with commas, not quoted", 7, "2024-01-10T05:00:00Z,1,100,101,99,100,1", "line 7: 7 cells"),
    (
        "two bars of one time",
        8,
        "2024-01-10T05:00:00Z,100,101,99,100,1",
        "line 8: column 'timestamp': '2024-01-10T05:00:00Z' is in line 7 already",
    ),
)

# Name of the shape, content, and a part of the message.
_CONTENTS: Sequence[tuple[str, bytes, str]] = (
    (
        "row numbers as times",
        table(time=lambda t: str(int((t - START) / HOUR))),
        "line 2: column 'timestamp': '0' is neither a date nor an epoch",
    ),
    (
        "row numbers from 1000",
        table(time=lambda t: str(1000 + int((t - START) / HOUR))),
        "'1000' is neither a date nor an epoch",
    ),
    (
        "days of a spreadsheet",
        table(time=lambda t: str(45_301 + (t - START) / timedelta(days=1))),
        "looks like the number of a day in a spreadsheet",
    ),
    (
        "days and months that can be either",
        table(_NO_DAY_ABOVE_12, time=stamp("%d/%m/%Y")),
        "line 2: column 'timestamp': '01/02/2024' can be day/month or month/day",
    ),
    (
        "days in two places",
        _with_line(table(DAILY, time=stamp("%m/%d/%Y")), 3, "25/01/2024,100,101,99,100,1"),
        "has the day in another place",
    ),
    (
        "dates of two digits a part without separators",
        table(time=stamp("%y%m%d%H%M")),
        "line 2: column 'timestamp': '2401100000' can be an epoch time or a date without separators",
    ),
    (
        "dates and seconds of two digits a part without separators",
        table(time=stamp("%y%m%d%H%M%S")),
        "'240110000000' can be an epoch time or a date without separators",
    ),
    (
        "day, month, year and time without separators",
        table(time=stamp("%d%m%Y%H%M")),
        "'100120240000' can be an epoch time or a date without separators",
    ),
    (
        "month, day, year and hour without separators",
        table(time=stamp("%m%d%Y%H")),
        "'0110202400' can be an epoch time or a date without separators",
    ),
    (
        "times at which bars end",
        table(time=lambda t: str(int(t.timestamp()) * 1000 + 3_599_999)),
        "line 2: column 'timestamp': '1704848399999' is the end of a bar, as those of all lines",
    ),
    (
        "the volume behind the time, without a header",
        table(header=None, row=lambda bar, time: (time, bar.volume + 0.5, *bar.prices)),
        "is not the time of the day; add a line with the names of the columns",
    ),
    ("ticks of .NET", table(time=ticks(1)), "can be ns since 1970 or ticks of 100 ns since the year 1"),
    ("ticks of Windows", table(time=ticks(1601)), "can be ns since 1970 or ticks of 100 ns since 1601"),
    ("ticks of 100 ns since 1970", table(time=ticks(1970)), "is no epoch time in s, ms, us or ns"),
    (
        "microseconds since 1601",
        table(time=lambda t: ticks(1601)(t)[:-1]),
        "line 2: column 'timestamp': '13349318400000000' is no epoch time in s, ms, us or ns",
    ),
    *(
        (
            f"the time zone {zone} in the title",
            table(header=[f"Time ({zone})", *HEADER[1:]], time=stamp("%Y-%m-%d %H:%M")),
            f"column 'Time ({zone})': '2024-01-10 00:00' is in the time zone {zone} of the title; pass --time-zone",
        )
        for zone in ("ET", "PST", "EST", "Exchange")
    ),
    (
        "the close first, without a header",
        table(header=None, row=vendor_row("time", "c", "h", "l", "o", "v")),
        "has no header, and its columns do not look like time, open, high, low, close, volume in this order",
    ),
    (
        "the close first, newest first, without a header",
        table(HOURLY[::-1], header=None, row=vendor_row("time", "c", "h", "l", "o", "v")),
        "has no header, and its columns do not look like time, open, high, low, close, volume in this order",
    ),
    (
        "quotes with their sizes, without a header",
        table(header=None, row=lambda bar, time: (time, bar.open, bar.open + 0.01, 1, 2)),
        "has no header, and its columns do not look like time, open, high, low, close, volume in this order",
    ),
    (
        "12.345 between semicolons, in prices and volumes",
        table(_WHOLE, row=integer_volumes("."), delimiter=";"),
        "line 2: column 'open': '12.000' can be a decimal point or a separator of thousands",
    ),
    (
        "999 and 1.000 between semicolons",
        table(
            [replace(bar, open=bar.open - 11_010, high=1015.0, low=980.0, close=bar.close - 11_010) for bar in _WHOLE],
            row=integer_volumes("."),
            delimiter=";",
        ),
        "can be a decimal point or a separator of thousands",
    ),
    (
        "prices in 32nds",
        table(row=lambda _bar, time: (time, *["110'16"] * 4, 1)),
        "line 2: column 'open': \"110'16\" is not a number above 0",
    ),
    (
        "prices in 32nds and their quarters",
        table(row=lambda bar, time: (time, *[f"110'{(bar.time - START) // HOUR % 32:02}5"] * 4, 1)),
        "line 2: column 'open': \"110'005\" can be a price in 32nds or have a separator of thousands",
    ),
    ("blanks between other digits", table(row=lambda _bar, time: (time, *["110 16"] * 4, 1)), "'110 16' is not a"),
    (
        "bars of two intervals",
        table(header=[*HEADER, "interval"], row=vendor_row("time", "o", "h", "l", "c", "v", "1h"))
        + table(
            [replace(bar, time=bar.time + HOUR / 2) for bar in HOURLY[::4]],
            header=None,
            row=vendor_row("time", "o", "h", "l", "c", "v", "4h"),
        ),
        "line 42: column 'interval': '4h' is another series: the column has '1h', '4h' in turn",
    ),
    (
        "bars of two exchanges",
        table(
            header=["exchange", *HEADER],
            row=lambda bar, time: ("Kraken" if bar.time.hour % 2 else "Binance", time, *bar.prices, bar.volume),
        ),
        "line 3: column 'exchange': 'Kraken' is another series",
    ),
    (
        "the doubled hour without --time-zone",
        table(_DST, time=local("America/New_York")),
        "--time-zone if it is the hour that clocks show twice",
    ),
    (
        "high and low exchanged",
        table(header=["timestamp", "open", "low", "high", "close", "volume"]),
        "is not between low",
    ),
    (
        "a missing price column",
        table(header=["timestamp", "open", "high", "low", "final", "volume"]),
        "has no column 'close'; needed are",
    ),
    (
        "years of two digits that can be first or last",
        table(DAILY[:9], time=stamp("%y-%m-%d")),
        "can have the year first or last",
    ),
    ("weeks instead of dates", table(DAILY, time=stamp("%G-W%V-%u")), "is not a date or time"),
    ("an abbreviation of a zone", table(time=stamp("%Y%m%d %H:%M:%S EST")), "pass --time-zone, or write UTC offsets"),
    (
        "an epoch in scientific notation, as Excel shows it",
        table(time=lambda t: f"{t.timestamp() * 1000:.5E}"),
        "is in scientific notation, which drops digits of a time",
    ),
    (
        "days of a spreadsheet with decimal commas",
        table(time=lambda t: f"{45_301 + (t - START) / timedelta(days=1):.4f}".replace(".", ","), delimiter=";"),
        "looks like the number of a day in a spreadsheet",
    ),
    (
        "two columns of different volumes",
        table(header=[*HEADER, "Volume"], row=vendor_row("time", "o", "h", "l", "c", "v", "1")),
        "has two columns for volume: 'volume' and 'Volume'",
    ),
    (
        "an average price before the volume, without a header",
        table(header=None, row=vendor_row("time", "o", "h", "l", "c", "c", "v", "12"), time=epoch(1)),
        "column 6 can be a price or the volume",
    ),
    (
        "low and high first, without a header, as Coinbase",
        table(header=None, row=vendor_row("time", "l", "h", "o", "c", "v"), time=epoch(1)),
        "has no header, and line 1 is not time, open, high, low, close, volume",
    ),
    (
        "a line of units below the header",
        table([], header=[*HEADER]) + b",USD,USD,USD,USD,shares\n" + table(header=None),
        "line 2: column 'timestamp': '' is not a date",
    ),
    (
        "prices below 0",
        table([replace(b, low=b.low - 200, open=b.open - 200) for b in HOURLY]),
        "is not a number above 0",
    ),
    (
        "a line that is cut off",
        table(HOURLY[:20]) + b"2024-01-10T20:00:00Z,100,101\n" + table(HOURLY[21:], header=None),
        "line 22: column 'low': ''",
    ),
    (
        "hours without minutes beside the dates",
        table(
            header=["Date", "Time", *HEADER[1:]],
            row=lambda bar, time: (time, bar.time.hour, *bar.prices, bar.volume),
            time=stamp("%Y-%m-%d"),
        ),
        "line 2: column 'Time': '0' can be an hour or minutes after midnight",
    ),
    (
        "local times, as their title says",
        table(header=["Local time", *HEADER[1:]], time=stamp("%Y-%m-%d %H:%M")),
        "is a local time without UTC offset; pass --time-zone",
    ),
    (
        "underscores in numbers",
        table(row=lambda bar, time: (time, *bar.prices, f"{bar.volume:_}.5_0")),
        "column 'volume'",
    ),
    ("JSON lines", b'{"t": "2024-01-10", "o": 1}\n{"t": "2024-01-11", "o": 1}\n', "is JSON"),
    ("no time", table(header=cells("when,open,high,low,close,volume")), "has no column 'timestamp'"),
    (
        "two columns of one price",
        table(header=[*HEADER, "Open"], row=vendor_row("time", "o", "h", "l", "c", "v", "o")),
        "has two columns for open: 'open' and 'Open'",
    ),
    (
        "1,234 between tabs",
        table(
            [replace(bar, open=1_234, high=1_236, low=1_233, close=1_235) for bar in HOURLY],
            row=lambda bar, time: (time, *(f"{p:,}" for p in bar.prices), 5),
            delimiter="\t",
        ),
        "can be a decimal comma or a separator of thousands",
    ),
    ("two symbols and none chosen", _two_symbols(), "has bars of AAPL, MSFT: choose one with --symbol"),
    ("one side of the quotes", table(header=["timestamp", *_BID_ASK[:4], "volume"]), "has no column 'ask_open'"),
    ("asks below bids", table(header=["timestamp", *_BID_ASK], row=_quotes(-0.5)), "column 'ask_open'"),
    ("a split 4:1 in raw prices", table(split(DAILY, 4), time=stamp("%Y-%m-%d")), "is near 1/4 of the close before"),
    (
        "a split 2:1 in raw prices",
        table(split(DAILY, 2), time=stamp("%Y-%m-%d")),
        f"--splits {DAILY[20].time:%Y-%m-%d}=2",
    ),
    ("a split 10:1 in raw prices", table(split(DAILY, 10), time=stamp("%Y-%m-%d")), "line 22: column 'open'"),
    (
        "a reverse split in raw prices",
        table(split(DAILY, 0.1), time=stamp("%Y-%m-%d")),
        "is near 10 times of the close before",
    ),
    (
        "adjustments that contradict each other",
        _adjusted("Adj Close,adj_factor", value=lambda bar, before: f"{bar.close},{0.5 if before else 1.0}"),
        "contradicts the column 'adj_factor'",
    ),
    ("ticks instead of bars", b"timestamp,bid,ask\n2024-01-10T00:00:00Z,1,2\n", "has no column 'open'"),
    ("an empty file", b"", "has no bars: it is empty"),
    ("a header without bars", b"timestamp,open,high,low,close\n", "has no bars"),
    ("prose", b"Please find the bars attached.\nRegards\n", "has no column 'open'"),
    ("JSON", b'[{"t": 1, "o": 2}]', "is JSON: save it as CSV or Parquet"),
    ("an HTML page", b"<!DOCTYPE html><html>Too many requests</html>", "is an HTML or XML document"),
    ("another encoding", "timestamp,open,high,low,close,größe\n".encode("latin-1"), "is not a CSV file in UTF-8"),
)

# Name of the shape, content, name of the file, and a part of the message.
_FORMATS: Sequence[tuple[str, bytes, str, str]] = (
    ("an Excel workbook", zipped("[Content_Types].xml"), "bars.xlsx", "is an Excel workbook: save the sheet as CSV"),
    ("a ZIP archive of two files", zipped("a.csv", "b.csv"), "bars.zip", "has 2 files (a.csv, b.csv)"),
    ("an empty ZIP archive", zipped(), "bars.zip", "is an empty ZIP archive"),
    ("an archive in an archive", zipped(**{"a.zip": zipped("a.csv")}), "bars.zip", "is an archive in an archive"),
    ("compressed twice", gzip.compress(gzip.compress(table())), "bars.csv.gz", "is compressed twice"),
    ("an OpenDocument sheet", zipped("mimetype", "content.xml"), "bars.ods", "is an OpenDocument file"),
    ("arrays of NumPy", zipped("open.npy", "close.npy"), "bars.npz", "holds arrays of NumPy"),
    ("an Arrow stream", b"\xff\xff\xff\xff\x58\x01\0\0", "bars.arrow", "is an Arrow stream"),
    ("a pickle", b"\x80\x02ccopy_reg", "bars.pkl", "is a Python pickle"),
    ("Avro", b"Obj\x01\x04", "bars.avro", "is an Avro file"),
    ("LZ4", b"\x04\x22\x4d\x18\x64", "bars.csv.lz4", "is compressed with LZ4"),
    ("Zstandard", b"\x28\xb5\x2f\xfd\x00", "bars.csv.zst", "is compressed with Zstandard: decompress it first"),
    ("a Feather file", b"ARROW1\0\0", "bars.feather", "is a Feather file"),
    ("gzip that is cut off", gzip.compress(table())[:-12], "bars.csv.gz", "cannot read"),
    ("bzip2 that is cut off", bz2.compress(table())[:-12], "bars.csv.bz2", "cannot read"),
    ("bzip2 that has only begun", b"BZh", "bars.csv", "cannot read"),
    ("xz that is cut off", lzma.compress(table())[:-12], "bars.csv.xz", "cannot read"),
    ("a name that says gzip", table(), "bars.csv.gz", "it is not compressed with gzip"),
    ("Parquet that is cut off", parquet()[:-20], "bars.parquet", "cannot read"),
    ("Parquet without prices", b"PAR1", "bars.parquet", "cannot read"),
)

REFUSED = [
    *(Shape(name, _with_line(table(), place, line), refused=refused) for name, place, line, refused in _WRONG_LINES),
    *(Shape(name, content, refused=refused) for name, content, refused in _CONTENTS),
    *(Shape(name, content, refused=refused, file=file) for name, content, file, refused in _FORMATS),
    Shape(
        "a time that does not exist in the zone",
        table(at(HOURLY, datetime(2024, 3, 30, 12, tzinfo=UTC)), time=stamp("%Y-%m-%d %H:%M")),
        options={"time_zone": "Europe/Berlin"},
        refused="does not exist in Europe/Berlin",
    ),
    Shape(
        "the doubled hour in two files joined, the newer first",
        table(_DST[30:] + _DST[:30], time=local("America/New_York")),
        options={"time_zone": "America/New_York"},
        refused="'2023-11-05 01:00:00' exists twice in America/New_York",
    ),
    Shape(
        "a time that exists twice in the zone",
        table(
            [bar for n, bar in enumerate(at(HOURLY, datetime(2023, 11, 4, 12, tzinfo=UTC))) if bar.time.hour != 6],
            time=local("America/New_York"),
        ),
        options={"time_zone": "America/New_York"},
        refused="exists twice in America/New_York",
    ),
    Shape(
        "an unknown time zone",
        table(),
        options={"time_zone": "Mars/Olympus"},
        refused="--time-zone: 'Mars/Olympus' is not a time zone",
    ),
    Shape("a symbol that is not there", _two_symbols(), options={"symbol": "IBM"}, refused="has no bars of 'IBM'"),
    Shape(
        "--splits beside adjusted prices",
        _adjusted("Adj Close", value=lambda bar, _before: bar.close),
        options={"splits": "2024-01-22=4"},
        refused="leave out --splits",
    ),
    Shape("--splits that cannot be read", table(), options={"splits": "4:1"}, refused="is not written as 2020-08-31=4"),
]
