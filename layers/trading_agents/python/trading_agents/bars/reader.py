"""`read_bars`: the one reader of files of bars, for the backtest, paper trading, the demo and one's own code."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from trading_agents.bars import splits as split_rules
from trading_agents.bars.column_names import APART, PRICES, QUOTES, compact, find_columns, has_prices, vendor
from trading_agents.bars.errors import BarsError, NoBarsError
from trading_agents.bars.numbers import DecimalMark, decimal_mark, is_missing, numbers
from trading_agents.bars.price_bars import PriceBars
from trading_agents.bars.splits import Split, parse_splits
from trading_agents.bars.table import Table, read_table
from trading_agents.bars.times import is_time_of_day, read_times, to_utc
from trading_agents.core.arrays import BoolArray, FloatArray, IntArray, TimeArray

OnRepeat = Literal["refuse", "last"]

_TOLERANCE = 1e-9
_ENOUGH_BARS, _WIDEST_BARS = 10, 2.0
_MINUTE, _LAST_SECOND = np.timedelta64(60, "s"), np.timedelta64(59, "s")
_FACTOR_TOLERANCE = 0.01
_SPACINGS = {
    60: "1-minute", 120: "2-minute", 180: "3-minute", 300: "5-minute", 600: "10-minute", 900: "15-minute",
    1800: "30-minute", 3600: "hourly", 7200: "2-hour", 14400: "4-hour", 21600: "6-hour", 28800: "8-hour",
    43200: "12-hour", 86400: "daily", 604800: "weekly",
}  # fmt: skip
_MONTH = (28 * 86_400, 31 * 86_400)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The bars of one symbol in a file.

    Attributes:
        bars: oldest first.
        places: line number of each bar in the file.
    """

    bars: PriceBars
    places: IntArray


@dataclass(frozen=True, slots=True)
class Now:
    """By when a bar has to be over.

        start of the bar ── its duration ──▶ end ≤ `at`, and for the newest bar of the file: end ≤ `written_at`

    A newest bar that was written before its end is the state of a candle that was still open.

    Attributes:
        at: the time, in seconds since the epoch.
        bar_seconds: duration of a bar, at least; bars last until the next at the closest distance in the file.
        written_at: when the file was last written, in seconds since the epoch.
    """

    at: float
    bar_seconds: float
    written_at: float

    def is_over(self, time: Any) -> BoolArray:
        """Return whether each bar is over. `time`: starts of bars, datetime64[us], in any order."""
        if not len(time):
            return np.ones(0, dtype=np.bool_)
        end = time.astype(np.int64) / 1e6 + self.seconds(time)
        return np.asarray(end <= np.where(time == time.max(), min(self.at, self.written_at), self.at))

    def seconds(self, time: Any) -> float:
        """Return the duration of a bar in seconds."""
        distances = np.diff(np.unique(time)).astype(np.int64) / 1e6
        closest = float(distances.min()) if len(distances) else 0.0
        return max(self.bar_seconds, float(_MONTH[1]) if _MONTH[0] <= closest <= _MONTH[1] else closest)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A bar that is not over: where it stands, and when it begins and ends, in seconds since the epoch."""

    where: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True, eq=False)
class BarFile:
    """What was read from a file.

    Attributes:
        name: of the file.
        series: by symbol; the symbol is empty if the file names none.
        summary: one line about what was read, assumed and left out.
        unfinished: the bars that were left out because they are not over.
    """

    name: str
    series: dict[str, Series]
    summary: str
    unfinished: tuple["Unfinished", ...] = ()

    def one(self, symbol: str | None = None) -> Series:
        """Return the bars of a symbol, which may be omitted if the file has only one.

        Raises:
            BarsError: the file does not have this symbol, or has several and none was asked for.
        """
        names = sorted(self.series)
        if symbol is not None and symbol in self.series:
            return self.series[symbol]
        if len(names) == 1 and (symbol is None or not names[0]):
            return self.series[names[0]]
        shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")  # noqa: PLR2004
        if symbol is None:
            raise BarsError(f"{self.name} has bars of {shown}: choose one with --symbol")
        raise BarsError(f"{self.name} has no bars of {symbol!r}: it has {shown}")


def read_bars(
    path: Path,
    *,
    symbol: str | None = None,
    time_zone: str | None = None,
    splits: str | None = None,
    on_repeat: OnRepeat = "refuse",
    now: Now | None = None,
    is_growing: bool = False,
) -> BarFile:
    """Read a file of bars: CSV in the shapes of `docs/bars.md`, compressed or not, or Parquet.

    Args:
        path: of the file.
        symbol: read only this one of a file with several.
        time_zone: IANA name of the zone of times without UTC offset; by default UTC.
        splits: `2020-08-31=4` for splits that the prices are not adjusted for; `none` if jumps are price moves.
        on_repeat: what to do with two different bars of the same time: refuse the file, or take the later line.
        now: leave out bars that are not over by then, before their prices are looked at.
        is_growing: whether another process writes to it: a last line without a line break is not read then.

    Raises:
        BarsError: the file cannot be used; names the file, the line, the column and what to do.
    """
    check_time_zone(time_zone)
    known_splits = parse_splits(splits)
    table = read_table(path, is_growing=is_growing)
    parts = _by_symbol(table, symbol)
    reader = _Reader(path.name, time_zone, known_splits, on_repeat, now)
    series = {name: reader.series(name, *part) for name, part in parts.items()}
    series = {name: one for name, one in series.items() if len(one.bars)}
    if not series and now is None:
        raise NoBarsError(f"{path.name} has no bars")
    return BarFile(path.name, series, reader.summary(table, series), tuple(reader.unfinished))


def read_price_bars(
    path: Path, *, symbol: str | None = None, time_zone: str | None = None, splits: str | None = None
) -> PriceBars:
    """Read the bars of one instrument; see `read_bars`. `BarsError` if the file has several and none is chosen."""
    return read_bars(path, symbol=symbol, time_zone=time_zone, splits=splits).one(symbol).bars


def check_time_zone(name: str | None) -> None:
    """Raise `BarsError` if a time zone does not exist."""
    try:
        if name is not None:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BarsError(f"--time-zone: {name!r:.40} is not a time zone such as America/New_York") from None


# --- symbols ------------------------------------------------------------------------------------


def _by_symbol(table: Table, symbol: str | None) -> dict[str, tuple[Table, dict[str, int]]]:
    """Return the rows of each symbol and the index of each column; the symbol is empty if the file has none."""
    if table.symbols:
        return _by_symbol_columns(table, symbol)
    found = find_columns(table.titles)
    columns = {meaning: _only(table, meaning, indices) for meaning, indices in found.items()}
    if "time" not in columns:
        raise BarsError(
            f"{table.name} has no column 'timestamp'; needed are timestamp, open, high, low, close; its columns are: "
            + ", ".join(title.strip()[:20] for title in table.titles[:12])
        )
    if "symbol" not in columns:
        return {"": (table, columns)}
    names = np.array([cell.strip() for cell in table.columns[columns["symbol"]]], dtype=object)
    wanted = sorted(set(names)) if symbol is None else [symbol]
    if not set(wanted) & set(names):
        shown = ", ".join(sorted(set(names))[:10])
        raise BarsError(f"{table.name} has no bars of {symbol!r}: it has {shown}")
    if len(set(names)) == 1:
        return {wanted[0]: (table, columns)}
    return {name: (table.take(names == name), columns) for name in wanted}


def _by_symbol_columns(table: Table, symbol: str | None) -> dict[str, tuple[Table, dict[str, int]]]:
    """Return the columns of each symbol of a file that has a column for each symbol and price."""
    symbols = list(dict.fromkeys(table.symbols[1:]))
    parts = {}
    for name in symbols if symbol is None else [symbol]:
        indices = [index for index, other in enumerate(table.symbols) if index and other == name]
        if not indices:
            raise BarsError(f"{table.name} has no bars of {symbol!r}: it has {', '.join(symbols[:10])}")
        found = find_columns([table.titles[index] for index in indices])
        columns = {meaning: indices[one[0]] for meaning, one in found.items() if meaning != "time"}
        if has_prices(columns):
            parts[name] = (table, {**columns, "time": 0})
    return parts


def _only(table: Table, meaning: str, indices: list[int]) -> int:
    """Return the index of the column of a meaning.

    Raises:
        BarsError: there are two columns of prices or times, or two others that differ.
    """
    first = indices[0]
    for other in indices[1:]:
        if meaning in {*PRICES, *QUOTES, "time"} or (table.columns[other] != table.columns[first]).any():
            titles = " and ".join(repr(table.titles[index].strip()) for index in (first, other))
            raise BarsError(f"{table.name} has two columns for {meaning}: {titles}; remove one")
    return first


# --- one symbol ---------------------------------------------------------------------------------


class _Reader:
    """Reads the rows of each symbol of a file, and remembers what to tell about them."""

    def __init__(
        self, name: str, time_zone: str | None, splits: tuple[Split, ...] | None, on_repeat: OnRepeat, now: Now | None
    ) -> None:
        self._name, self._time_zone, self._splits = name, time_zone, splits
        self._on_repeat, self._now = on_repeat, now
        self.unfinished: list[Unfinished] = []
        self._notes: dict[str, int] = {}
        self._zone = self._adjustment = self._times = ""

    def series(self, symbol: str, table: Table, columns: dict[str, int]) -> Series:
        """Return the bars of one symbol."""
        table = self._with_prices(table, columns)
        if not len(table):
            return Series(_empty(self._name), table.places)
        time = self._time(table, columns)
        _check_starts(table, columns["time"], time)
        if self._now is not None:
            table, time = self._finished(table, time, self._now)
            if not len(table):
                return Series(_empty(self._name), table.places)
        order = np.argsort(time, kind="stable")
        if len(time) > 1 and not (order == np.arange(len(time))).all():
            newest_first = bool((np.diff(time) <= np.timedelta64(0)).all())
            self._note("newest first" if newest_first else "not in order of time, sorted", 1)
        table, time = table.take(order), time[order]
        _check_one_series(table)
        bars = self._bars(symbol, table, columns, time)
        if not table.has_header:
            _check_order_of_prices(table, bars)
        return self._without_repeats(table, columns, bars)

    def _finished(self, table: Table, time: Any, now: Now) -> tuple[Table, Any]:
        """Leave out the bars that are not over."""
        is_over, seconds = now.is_over(time), now.seconds(time)
        for row in np.flatnonzero(~is_over):
            begins = float(time[row].astype(np.int64)) / 1e6
            self.unfinished.append(Unfinished(table.where(row), begins, begins + seconds))
        return table.take(is_over), time[is_over]

    def _note(self, words: str, count: int) -> None:
        if count:
            self._notes[words] = self._notes.get(words, 0) + count

    def _with_prices(self, table: Table, columns: dict[str, int]) -> Table:
        """Leave out rows without any price, which some vendors write for times without a trade."""
        quoted = set(QUOTES) <= columns.keys()
        missing = np.logical_and.reduce(
            [is_missing(table.columns[columns[name]]) for name in (QUOTES if quoted else PRICES)]
        )
        if not missing.any():
            return table
        self._note(f"{table.unit}s without prices left out", int(missing.sum()))
        return table.take(~missing)

    def _time(self, table: Table, columns: dict[str, int]) -> Any:
        """Return the times in UTC, datetime64[us]."""
        column, clock = columns["time"], columns.get("time_of_day")
        if clock == column:
            clock = None
        if clock is not None and not is_time_of_day(table.columns[clock]):
            if not table.has_header:
                raise table.error(0, clock, "is not the time of the day; add a line with the names of the columns")
            clock = None
        times = read_times(table, column, clock)
        self._times = times.description
        if times.are_utc:
            self._zone = "UTC"
            return times.values
        zone = times.zone or self._time_zone
        if zone is None and compact(table.titles[column]).startswith("local"):
            raise table.error(0, column, "is a local time without UTC offset; pass --time-zone")
        if zone is None and times.unclear_zone:
            raise table.error(0, column, f"is in the time zone {times.unclear_zone} of the title; pass --time-zone")
        if zone is None:
            self._zone = "UTC assumed"
            return times.values
        check_time_zone(zone)
        self._zone = f"{zone} turned into UTC"
        return to_utc(table, column, times.values, zone)

    def _bars(self, symbol: str, table: Table, columns: dict[str, int], time: Any) -> PriceBars:
        spreads: dict[str, FloatArray] = {}
        quoted = set(QUOTES) <= columns.keys()
        mark = decimal_mark(table, [columns[name] for name in (QUOTES if quoted else PRICES)], columns.get("volume"))
        if quoted:
            quotes = {name: numbers(table, columns[name], mark, above_zero=True) for name in QUOTES}
            prices = {price: (quotes[f"bid_{price}"] + quotes[f"ask_{price}"]) / 2 for price in PRICES}
            for when in ("open", "close"):
                spreads[f"spread_{when}"] = quotes[f"ask_{when}"] - quotes[f"bid_{when}"]
                problem = f"is below bid_{when}; are bid and ask swapped?"
                table.check(spreads[f"spread_{when}"] >= 0, columns[f"ask_{when}"], problem)
        else:
            prices = {price: numbers(table, columns[price], mark, above_zero=True) for price in PRICES}
        prices = _within_bounds(
            table, {name: columns.get(name, columns.get(f"bid_{name}", 0)) for name in PRICES}, prices
        )
        volume = self._volume(table, columns, mark)
        seconds: TimeArray = time.astype("datetime64[s]")
        bars = PriceBars(f"{self._name}", seconds, **prices, volume=volume, **spreads)
        return self._adjusted(symbol, table, columns, mark, bars)

    def _volume(self, table: Table, columns: dict[str, int], mark: DecimalMark) -> FloatArray | None:
        if "volume" not in columns:
            return None
        column = columns["volume"]
        cells = table.columns[column]
        if is_missing(cells).all():
            return None
        if not any(
            {".", ","} & set(cell) for name in PRICES if name in columns for cell in table.columns[columns[name]]
        ):
            mark = decimal_mark(table, [column])  # prices without decimals say nothing of those of volumes
        volume = numbers(table, column, mark, above_zero=False)
        ticks = columns.get("tick_volume")
        if not volume.any() and ticks is not None and ticks != column:
            return numbers(table, ticks, mark, above_zero=False)
        return volume

    # --- adjustment -----------------------------------------------------------------------------

    def _adjusted(
        self, symbol: str, table: Table, columns: dict[str, int], mark: DecimalMark, bars: PriceBars
    ) -> PriceBars:
        """Return the bars with prices adjusted by the file's columns or the given splits; refuse a split in prices."""
        factor, volume_factor, source = self._factors(table, columns, mark, bars)
        if self._splits:
            if source:
                raise BarsError(f"{self._name} has adjusted prices ({source}); leave out --splits")
            factor = volume_factor = split_rules.factors_of(self._splits, bars.time)
            source = "--splits"
        if factor is not None:
            bars = scaled(bars, factor)
        if volume_factor is not None and bars.volume is not None:
            bars = replace(bars, volume=bars.volume / volume_factor)
        if source:
            self._adjustment = f"adjusted by {source}"
        found = split_rules.find_split(bars.open, bars.close) if self._splits is None else None
        if found is not None:
            row, words = found
            day = str(bars.time[row].astype("datetime64[D]"))
            ratio = words.removeprefix("1/") if words.startswith("1/") else f"1:{words.split()[0]}"
            raise table.error(
                row,
                columns.get("open", columns.get("bid_open", 0)),
                f"is near {words} of the close before, as after a split{_of(symbol)}: pass adjusted "
                f"prices, --splits {day}={ratio}, or --splits none if it is a move of the price",
            )
        return bars

    def _factors(
        self, table: Table, columns: dict[str, int], mark: DecimalMark, bars: PriceBars
    ) -> tuple[FloatArray | None, FloatArray | None, str]:
        """Return the factors on prices and under volumes, and the column that they come from.

        Raises:
            BarsError: columns of adjustments contradict each other.
        """
        read: Callable[[str], FloatArray] = lambda name: numbers(table, columns[name], mark, above_zero=True)  # noqa: E731
        sources: dict[str, FloatArray] = {}
        if "adj_close" in columns:
            sources["adj_close"] = read("adj_close") / bars.close
        if "adj_factor" in columns:
            sources["adj_factor"] = read("adj_factor")
        splits = None
        if "split_factor" in columns:
            splits = read("split_factor")
            if split_rules.is_event_column(splits):
                splits = split_rules.cumulative(splits)
        if len(sources) > 1:
            ratio = sources["adj_close"] / sources["adj_factor"]
            agrees = np.abs(ratio / ratio[-1] - 1) < _FACTOR_TOLERANCE
            table.check(agrees, columns["adj_close"], "contradicts the column 'adj_factor'; remove the wrong one")
        if "adj_factor" in sources:
            factor = sources["adj_factor"]
            return (
                factor,
                split_rules.split_part(factor) if splits is None else splits,
                self._title(table, columns, "adj_factor"),
            )
        if "adj_close" in sources:
            factor = sources["adj_close"]
            return factor, split_rules.split_part(factor), self._title(table, columns, "adj_close")
        if splits is not None and (splits != 1).any():
            # Prices that do not jump where the factor does are adjusted already.
            if split_rules.find_split(bars.open, bars.close) is None:
                return None, None, ""
            return splits, splits, self._title(table, columns, "split_factor")
        return None, None, ""

    @staticmethod
    def _title(table: Table, columns: dict[str, int], name: str) -> str:
        return repr(table.titles[columns[name]].strip())

    # --- repeats and the summary ----------------------------------------------------------------

    def _without_repeats(self, table: Table, columns: dict[str, int], bars: PriceBars) -> Series:
        """Leave out repeated bars; two different bars of one time are refused, or the later line is taken."""
        same_time = np.diff(bars.time) == np.timedelta64(0, "s")
        if not same_time.any():
            return Series(bars, table.places)
        equal = np.ones(len(bars) - 1, dtype=np.bool_)
        for name in (*PRICES, "volume", "spread_open", "spread_close"):
            column = getattr(bars, name)
            if column is not None:
                equal &= column[1:] == column[:-1]
        differ = np.flatnonzero(same_time & ~equal)
        if len(differ) and self._on_repeat == "refuse":
            row = int(differ[0]) + 1
            raise table.error(
                row,
                columns["time"],
                f"is in {table.unit} {table.places[row - 1]} already, with other prices; remove one, or pass "
                "--time-zone if it is the hour that clocks show twice",
            )
        self._note("repeated bars left out", int(same_time.sum()))
        keep = np.concatenate([~same_time, [True]])
        return Series(bars.take(keep), table.places[keep])

    def summary(self, table: Table, series: dict[str, Series]) -> str:
        """Return one line about what was read: the source, the bars, the zone, volume, and what was left out."""
        title = vendor(table.titles) or ("Parquet" if table.unit == "row" else "CSV")
        counts = sum(len(one.bars) for one in series.values())
        longest = max((one.bars for one in series.values()), key=len, default=None)
        parts = [title]
        if longest is not None:
            spacing = spacing_name(longest.time)
            parts.append(
                f"{counts:,} {spacing + ' ' if spacing else ''}{'bar' if counts == 1 else 'bars'}{_of_symbols(series)}"
            )
            parts.append(
                f"{str(longest.time[0]).replace('T', ' ')[:16]} to {str(longest.time[-1]).replace('T', ' ')[:16]}"
            )
        parts.append(self._zone or "no times")
        if self._times:
            parts.append(self._times)
        if longest is not None and longest.spread_close is not None:
            parts.append("mid of bid and ask")
        if longest is not None and longest.volume is None:
            parts.append("no volume")
        if self._adjustment:
            parts.append(self._adjustment)
        parts += table.notes
        parts += [_counted(words, count) for words, count in self._notes.items()]
        return f"{self._name}: {', '.join(parts)}"


def scaled(bars: PriceBars, factor: FloatArray) -> PriceBars:
    """Return bars whose prices and spreads are multiplied by a factor of the shape (bars,)."""
    names = (*PRICES, "spread_open", "spread_close")
    columns = {name: getattr(bars, name) for name in names}
    changed: dict[str, Any] = {name: None if column is None else column * factor for name, column in columns.items()}
    return replace(bars, **changed)


def spacing_seconds(time: TimeArray) -> int | None:
    """Return the most common distance of two bars in seconds; None if there are fewer than two."""
    if len(time) <= 1:
        return None
    values, counts = np.unique(np.diff(time).astype("timedelta64[s]").astype(np.int64), return_counts=True)
    return int(values[np.argmax(counts)])


def spacing_name(time: TimeArray) -> str:
    """Return the most common distance of two bars in words, such as `hourly`; empty for a single bar."""
    seconds = spacing_seconds(time)
    if seconds is None:
        return ""
    if _MONTH[0] <= seconds <= _MONTH[1]:
        return "monthly"
    return _SPACINGS.get(seconds, f"{seconds}-second")


def _of_symbols(series: dict[str, Series]) -> str:
    names = [name for name in series if name]
    if not names:
        return ""
    return f" of {', '.join(names)}" if len(names) <= 5 else f" of {len(names)} symbols"  # noqa: PLR2004


def _counted(words: str, count: int) -> str:
    if words.startswith(("newest", "not in order")):
        return words
    return f"{count:,} {words}" if count != 1 else "1 " + re.sub(r"^(line|row|repeated bar|bar)s", r"\1", words)


def _of(symbol: str) -> str:
    return f" of {symbol}" if symbol else ""


def _within_bounds(table: Table, columns: dict[str, int], prices: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Return prices with open and close between low and high, which may differ by rounding."""
    low, high = prices["low"], prices["high"]
    for name in ("open", "close"):
        inside = (low * (1 - _TOLERANCE) <= prices[name]) & (prices[name] <= high * (1 + _TOLERANCE))
        if not inside.all():
            row = int(np.argmin(inside))
            bounds = f"low {float(low[row])!r} and high {float(high[row])!r}"
            raise table.error(
                row, columns[name], f"is not between {bounds}; correct the bar, or remove the {table.unit}"
            )
    least = np.minimum(np.minimum(prices["open"], prices["close"]), low)
    most = np.maximum(np.maximum(prices["open"], prices["close"]), high)
    return {**prices, "low": least, "high": most}


def _check_one_series(table: Table) -> None:
    """Raise `BarsError` if bars in order of time are of several series in turn, as of two intervals or exchanges.

    A column that changes and does not change back, as at the expiry of a future, is one series.
    """
    for index, title in enumerate(table.titles):
        if compact(title) not in APART:
            continue
        cells = np.array([cell.strip() for cell in table.columns[index]], dtype=object)
        changes = np.flatnonzero(cells[1:] != cells[:-1]) + 1
        values = sorted(set(cells))
        if len(changes) >= len(values):
            shown = ", ".join(repr(value) for value in values[:5])
            raise table.error(
                int(changes[0]), index, f"is another series: the column has {shown} in turn; keep one of them"
            )


def _check_starts(table: Table, column: int, time: Any) -> None:
    """Raise `BarsError` if all times are the last second of a minute, or a part of it: ends of bars."""
    if len(time) < _ENOUGH_BARS or np.median(np.diff(np.sort(time))) < _MINUTE:
        return
    seconds = time.astype("datetime64[s]")
    if (seconds - seconds.astype("datetime64[m]") == _LAST_SECOND).all():
        raise table.error(0, column, "is the end of a bar, as those of all lines; write the times at which bars begin")


def _check_order_of_prices(table: Table, bars: PriceBars) -> None:
    """Raise `BarsError` if prices without a header cannot be open, high, low and close in this order.

    That no price is outside of high and low holds with open and close exchanged as well, and for some quotes.
    """
    if len(bars) < _ENOUGH_BARS:
        return
    from_close_to_open = np.abs(np.log(bars.open[1:] / bars.close[:-1]))
    from_open_to_close = np.abs(np.log(bars.close[1:] / bars.open[:-1]))
    are_exchanged = np.median(from_close_to_open) > np.median(from_open_to_close)
    if are_exchanged or np.median(bars.high / bars.low) > _WIDEST_BARS:
        raise BarsError(
            f"{table.name} has no header, and its columns do not look like time, open, high, low, close, volume in "
            "this order; add a line with the names of the columns"
        )


def _empty(name: str) -> PriceBars:
    none = np.empty(0)
    return PriceBars(name, np.empty(0, dtype="datetime64[s]"), none, none, none, none)
