"""Bars from a CSV file, with errors that name the line and the column."""

import csv
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from demo.bars import Bar, aligned
from demo.errors import BarsError
from trading_agents import Bars

_PRICES = ("open", "high", "low", "close")
_TIME_NAMES = ("timestamp", "date", "datetime", "time")
_SYMBOL_NAMES = ("symbol", "ticker")
_ADJUSTED_NAMES = ("adj_close", "adj close")
_ONLY_SYMBOL = "ASSET"
# Epoch numbers above this are milliseconds: as seconds they would lie beyond the year 5000.
_MILLISECONDS_FROM = 1e11


def csv_bars(path: Path) -> Bars:
    """Read bars of one or several symbols.

    The header names a time (`timestamp`, `date`, `datetime` or `time`: ISO 8601, or seconds or milliseconds since
    1970), `open`, `high`, `low`, `close`, `volume`, and where wanted `symbol` (or `ticker`) and `adj_close`, in any
    order and case; other columns are ignored. Lines may stand in any order. The spacing of the bars does not
    matter, their order does. With `adj_close`, prices and volumes are adjusted for splits by it.

    Raises:
        BarsError: names the file, and the line and the column or the times that cannot be used.
    """
    series: dict[str, dict[datetime, tuple[int, Bar]]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, symbol, bar in _bars(path.name, csv.reader(file)):
                earlier = series.setdefault(symbol, {}).setdefault(bar.at, (line, bar))
                if earlier[0] != line:
                    raise BarsError(
                        f"{path.name}, line {line}: {symbol} {bar.label} stands in line {earlier[0]} already"
                    )
    except OSError as error:
        raise BarsError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BarsError(f"{path.name} is not a CSV file in UTF-8: {error}") from error
    if not series:
        raise BarsError(f"{path.name} holds no bars")
    return aligned({symbol: [bar for _, bar in bars.values()] for symbol, bars in series.items()})


def _bars(name: str, reader: "Iterator[list[str]]") -> Iterator[tuple[int, str, Bar]]:
    """Line number, symbol and bar of each line that is not empty."""
    places = _places(name, next(reader, []))
    for cells in reader:
        line: int = reader.line_num  # type: ignore[attr-defined]  # csv's reader type is private
        if any(cell.strip() for cell in cells):
            where = f"{name}, line {line}"
            row = {column: cells[place].strip() if place < len(cells) else "" for column, place in places.items()}
            yield line, row.get("symbol") or _ONLY_SYMBOL, _bar(where, row)


def _places(name: str, header: list[str]) -> dict[str, int]:
    """Where each column stands that is read."""
    found = {title.strip().lower(): place for place, title in reversed(list(enumerate(header)))}
    wanted = {"timestamp": _TIME_NAMES, **{column: (column,) for column in (*_PRICES, "volume")}}
    optional = {"symbol": _SYMBOL_NAMES, "adj_close": _ADJUSTED_NAMES}
    places: dict[str, int] = {}
    for column, names in (wanted | optional).items():
        place = next((found[title] for title in names if title in found), None)
        if place is not None:
            places[column] = place
        elif column in wanted:
            raise BarsError(f"{name} has no column {column!r}; needed are timestamp, open, high, low, close, volume")
    return places


def _bar(where: str, row: Mapping[str, str]) -> Bar:
    prices = {column: _number(where, row, column, at_least=math.ulp(0.0)) for column in _PRICES}
    for column in ("open", "close"):
        if not prices["low"] <= prices[column] <= prices["high"]:
            raise BarsError(f"{where}: {column} {row[column]} lies outside low {row['low']} to high {row['high']}")
    factor = 1.0
    if "adj_close" in row:
        factor = _number(where, row, "adj_close", at_least=math.ulp(0.0)) / prices["close"]
    volume = _number(where, row, "volume", at_least=0.0)
    return Bar(row["timestamp"], _moment(where, row["timestamp"]), **prices, volume=volume, factor=factor)


def _number(where: str, row: Mapping[str, str], column: str, *, at_least: float) -> float:
    try:
        number = float(row[column])
    except ValueError:
        raise BarsError(f"{where}: column {column!r}: {row[column]!r:.40} is not a number") from None
    if not math.isfinite(number) or number < at_least:
        kind = "a number of 0 or more" if at_least == 0 else "a number above 0"
        raise BarsError(f"{where}: column {column!r}: {row[column]!r:.40} is not {kind}")
    return number


def _moment(where: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _since_epoch(where, text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _since_epoch(where: str, text: str) -> datetime:
    try:
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if abs(number) > _MILLISECONDS_FROM else number, UTC)
    except (ValueError, OverflowError, OSError):
        raise BarsError(f"{where}: column 'timestamp': {text!r:.40} is not a date or time") from None
