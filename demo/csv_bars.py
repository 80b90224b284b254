"""Bars of one or several symbols from a CSV file, with errors that name line and column."""

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from demo.bars import Bar, aligned
from demo.errors import BarsError
from trading_agents import Bars
from trading_agents.bars import PRICES, TIME_NAMES

_SYMBOL_NAMES = ("symbol", "ticker")
_ADJUSTED_NAMES = ("adj_close", "adj close")
_ONLY_SYMBOL = "ASSET"
# Epoch numbers above this are milliseconds: as seconds they would be beyond the year 5000.
_MILLISECONDS_FROM = 1e11


def csv_bars(path: Path) -> Bars:
    """Read bars of one or several symbols; `.gz` files are decompressed.

    The header has a time (`timestamp`, `date`, `datetime` or `time`: ISO 8601, or seconds or milliseconds since 1970),
    `open`, `high`, `low`, `close`, `volume`, and optionally `symbol` (or `ticker`) and `adj_close`, in any order and
    case; other columns are ignored. Lines can be in any order. Only the order of the bars matters, not their spacing.
    With `adj_close`, prices and volumes are adjusted for splits.

    Raises:
        BarsError: the file cannot be used; names the file, and the line and the column or the times.
    """
    series: dict[str, dict[datetime, tuple[int, Bar]]] = {}
    try:
        with _open(path) as file:
            for line, symbol, bar in _bars(path.name, csv.reader(file)):
                earlier = series.setdefault(symbol, {}).setdefault(bar.at, (line, bar))
                if earlier[0] != line:
                    raise BarsError(f"{path.name}, line {line}: {symbol} {bar.label} is in line {earlier[0]} already")
    except (OSError, EOFError, zlib.error) as error:
        raise BarsError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BarsError(f"{path.name} is not a CSV file in UTF-8: {error}") from error
    if not series:
        raise BarsError(f"{path.name} has no bars")
    return aligned({symbol: [bar for _, bar in bars.values()] for symbol, bars in series.items()})


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _bars(name: str, reader: "Iterator[list[str]]") -> Iterator[tuple[int, str, Bar]]:
    """Yield line number, symbol and bar of each line that is not empty."""
    columns = _find_columns(name, next(reader, []))
    for cells in reader:
        line: int = reader.line_num  # type: ignore[attr-defined]  # csv's reader type is private
        if any(cell.strip() for cell in cells):
            where = f"{name}, line {line}"
            row = {column: cells[index].strip() if index < len(cells) else "" for column, index in columns.items()}
            yield line, row.get("symbol") or _ONLY_SYMBOL, _bar(where, row)


def _find_columns(name: str, header: list[str]) -> dict[str, int]:
    """Return the index of each column that is read."""
    titles = {title.strip().lower(): index for index, title in reversed(list(enumerate(header)))}
    required = {"timestamp": TIME_NAMES, **{column: (column,) for column in (*PRICES, "volume")}}
    optional = {"symbol": _SYMBOL_NAMES, "adj_close": _ADJUSTED_NAMES}
    columns: dict[str, int] = {}
    for column, names in (required | optional).items():
        index = next((titles[title] for title in names if title in titles), None)
        if index is not None:
            columns[column] = index
        elif column in required:
            raise BarsError(f"{name} has no column {column!r}; needed are timestamp, open, high, low, close, volume")
    return columns


def _bar(where: str, row: Mapping[str, str]) -> Bar:
    prices = {column: _number(where, row, column, at_least=math.ulp(0.0)) for column in PRICES}
    for column in ("open", "close"):
        if not prices["low"] <= prices[column] <= prices["high"]:
            raise BarsError(f"{where}: {column} {row[column]} is not between low {row['low']} and high {row['high']}")
    factor = 1.0
    if "adj_close" in row:
        factor = _number(where, row, "adj_close", at_least=math.ulp(0.0)) / prices["close"]
    volume = _number(where, row, "volume", at_least=0.0)
    return Bar(row["timestamp"], _time(where, row["timestamp"]), **prices, volume=volume, factor=factor)


def _number(where: str, row: Mapping[str, str], column: str, *, at_least: float) -> float:
    try:
        number = float(row[column])
    except ValueError:
        raise BarsError(f"{where}: column {column!r}: {row[column]!r:.40} is not a number") from None
    if not math.isfinite(number) or number < at_least:
        kind = "a number of 0 or more" if at_least == 0 else "a number above 0"
        raise BarsError(f"{where}: column {column!r}: {row[column]!r:.40} is not {kind}")
    return number


def _time(where: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = _since_epoch(where, text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _since_epoch(where: str, text: str) -> datetime:
    try:
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if abs(number) > _MILLISECONDS_FROM else number, UTC)
    except (ValueError, OverflowError, OSError):
        raise BarsError(f"{where}: column 'timestamp': {text!r:.40} is not a date or time") from None
