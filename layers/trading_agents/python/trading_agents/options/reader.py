"""The reader of option chains: from a file to the chains of each underlying.

A row is one option as quoted at one time. Chains that are quoted with a date only are those of the end of that day:
they have its last second, so that nothing of the day can use them.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trading_agents.bars.errors import BarsError
from trading_agents.bars.file_contents import PARQUET, decode, read_contents
from trading_agents.bars.numbers import DecimalMark, decimal_mark, is_missing, numbers
from trading_agents.bars.reader import check_time_zone
from trading_agents.bars.table import DELIMITERS, HEADER_LINES, Table, parquet_as_text
from trading_agents.bars.times import Times, read_times, to_utc
from trading_agents.core.arrays import BoolArray, FloatArray, IntArray
from trading_agents.indicators.option_chain import OptionChain
from trading_agents.options.column_names import find_columns, missing_columns

_CONTRACT = re.compile(r"(?:O:)?\s*([A-Z.^]{1,6}?)W?\s*(\d{6})([CP])(\d{8})")
"""A contract as the Options Clearing Corporation writes it: root, yymmdd, side, strike in thousandths."""

_SIDES = {"c": True, "call": True, "calls": True, "p": False, "put": False, "puts": False, "1": True, "-1": False}
_YEAR_DAYS = 365.0
_DAY_END = np.timedelta64(86_399, "s")
_PERCENT_FROM = 3.0
_FEW_COLUMNS = 4


@dataclass(frozen=True, slots=True, eq=False)
class ChainSeries:
    """The chains of one underlying in order of time.

    Attributes:
        symbol: of the underlying; empty if the file names none.
        chains: one for each time of a quote.
    """

    symbol: str
    chains: tuple[OptionChain, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ChainFile:
    """What was read from a file.

    Attributes:
        name: of the file.
        series: by symbol of the underlying.
        summary: one line about what was read and left out.
    """

    name: str
    series: Mapping[str, ChainSeries]
    summary: str

    def one(self, symbol: str | None = None) -> ChainSeries:
        """Return the chains of one underlying, which may be omitted if the file has only one.

        Raises:
            BarsError: the file has several and not this one, or none was asked for.
        """
        names = sorted(self.series)
        if symbol is not None and symbol in self.series:
            return self.series[symbol]
        if len(names) == 1 and (symbol is None or not names[0]):
            return self.series[names[0]]
        shown = ", ".join(names[:10])
        if symbol is None:
            raise BarsError(f"{self.name} has options on {shown}: choose one with --symbol")
        raise BarsError(f"{self.name} has no options on {symbol!r}: it has those on {shown}")


def read_option_chains(path: Path, *, time_zone: str | None = None) -> ChainFile:
    """Read a file of option chains: CSV, compressed or not, or Parquet, one row for each option and time of quotes.

    It needs the time of the quotes, the price of the underlying, expiry, strike, call or put, implied volatility, open
    interest and volume, under the names of `options.column_names`; the symbol of the contract may stand for some.

    Args:
        path: of the file.
        time_zone: IANA name of the zone of quotes with a time of the day and without UTC offset; by default UTC.

    Raises:
        BarsError: the file cannot be used; names the file, the line, the column and what to do.
    """
    check_time_zone(time_zone)
    table = _read_table(path)
    columns = find_columns(table.titles)
    if missing := missing_columns(columns):
        needed = ", ".join(name.replace("_", " ") for name in missing)
        shown = ", ".join(title.strip()[:20] for title in table.titles[:16])
        raise BarsError(f"{path.name} has no column for {needed} of options; its columns are: {shown}")
    return _Reader(table, columns, time_zone).file()


# --- the cells ----------------------------------------------------------------------------------


def _read_table(path: Path) -> Table:
    """Return the columns that are read, as text."""
    content = read_contents(path)
    if content.startswith(PARQUET):
        titles, columns = parquet_as_text(path, content, lambda known: _known_titles(known) or known)
        count = len(columns[0]) if columns else 0
        return Table(path.name, "row", titles, columns, np.arange(1, count + 1))
    lines = decode(path.name, content).splitlines()
    header = _header(lines)
    if header is None:
        raise BarsError(f"{path.name} has no header of option chains: strike, expiration, type, open interest, ...")
    line, delimiter, header_titles = header
    known = _known_titles(header_titles)
    indices = [header_titles.index(title) for title in known]
    below = _rows(path.name, [""] * (line + 1) + lines[line + 1 :], delimiter, len(header_titles))
    numbered = [(place, [cells[index] for index in indices]) for place, cells in below]
    rows, places = [cells for _, cells in numbered], [place for place, _ in numbered]
    if not rows:
        raise BarsError(f"{path.name} has no options: there is nothing below its header")
    cells = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    return Table(path.name, "line", tuple(known), cells, np.array(places), delimiter)


def _known_titles(titles: Sequence[str]) -> list[str]:
    """Return the titles of the columns that are read."""
    return [titles[index] for index in sorted(set(find_columns(titles).values()))]


def _header(lines: Sequence[str]) -> tuple[int, str, list[str]] | None:
    """Return number, delimiter and titles of the line with the most names of columns."""
    best: tuple[int, str, list[str]] | None = None
    most = _FEW_COLUMNS - 1
    for number, line in enumerate(lines[:HEADER_LINES]):
        for delimiter in DELIMITERS:
            titles = next(csv.reader([line], delimiter=delimiter), []) if line.strip() else []
            found = len(find_columns(titles))
            if found > most:
                best, most = (number, delimiter, [title.strip() for title in titles]), found
    return best


def _rows(name: str, lines: Sequence[str], delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the number from 1, and the cells, of each line that is not empty."""
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                raise BarsError(f"{name}, line {reader.line_num}: {len(cells)} cells, but the header has {width}")
            yield reader.line_num, cells
    except csv.Error as error:
        raise BarsError(f"{name} is not a CSV file: {error}") from error


# --- the chains ---------------------------------------------------------------------------------


class _Reader:
    """Reads the rows of a table, and remembers what to tell about them."""

    def __init__(self, table: Table, columns: Mapping[str, int], time_zone: str | None) -> None:
        self._columns, self._zone = dict(columns), time_zone or "UTC"
        self._notes: list[str] = []
        self._table = self._without_repeats(table)
        self._contracts = self._read_contracts()
        self._mark = decimal_mark(
            self._table, [self._columns[name] for name in ("spot", "strike") if name in self._columns]
        )

    def file(self) -> ChainFile:
        """Return the chains of every underlying."""
        quoted, is_day_end = self._quoted()
        expiry_days = self._expiry_days()
        is_call, strike = self._is_call(), self._strikes()
        spot = self._numbers("spot")
        volatility = self._volatility()
        open_interest, volume = self._numbers("open_interest", missing=0.0), self._numbers("volume", missing=0.0)
        # Options expire at the end of their day; one that expires on the day of its quote has no time left at its end.
        years = (expiry_days - quoted.astype("datetime64[D]")).astype(np.float64) / _YEAR_DAYS
        names = self._underlyings()
        series: dict[str, ChainSeries] = {}
        for symbol in sorted(set(names.tolist())):
            own = np.flatnonzero(names == symbol)
            chains = []
            for rows in _by_time(quoted, own):
                spots = spot[rows][spot[rows] > 0]
                if not len(spots) or not strike[rows].min() <= np.median(spots) <= strike[rows].max():
                    self._leave_out(quoted[rows[0]])
                    continue
                chains.append(
                    OptionChain(
                        time=quoted[rows[0]].astype("datetime64[s]"),
                        spot=float(np.median(spots)),
                        strike=strike[rows],
                        years=years[rows],
                        is_call=is_call[rows],
                        volatility=volatility[rows],
                        open_interest=open_interest[rows],
                        volume=volume[rows],
                    )
                )
            if chains:
                series[symbol] = ChainSeries(symbol, tuple(chains))
        if not series:
            raise BarsError(f"{self._table.name} has no option chain with its underlying's price between its strikes")
        return ChainFile(self._table.name, series, self._summary(series, is_day_end))

    def _without_repeats(self, table: Table) -> Table:
        """Leave out rows that repeat a contract at the same time of quotes word for word."""
        if "contract" not in self._columns:
            return table
        import pandas as pd  # noqa: PLC0415  # 0.3 s

        repeated = pd.DataFrame(dict(enumerate(table.columns))).duplicated().to_numpy()
        if not repeated.any():
            return table
        self._notes.append(f"{int(repeated.sum()):,} repeated rows left out")
        return table.take(~repeated)

    def _cells(self, meaning: str) -> Any:
        return self._table.columns[self._columns[meaning]]

    def _read_contracts(self) -> list[tuple[str, str, str, str]]:
        """Return root, expiry (yymmdd), side and strike in thousandths of each contract, where they are needed."""
        if "underlying" in self._columns and _CONTRACT.fullmatch(self._cells("underlying")[0].strip()):
            self._columns["contract"] = self._columns.pop("underlying")
        if "contract" not in self._columns:
            return []
        cells = self._cells("contract")
        found = {cell: _CONTRACT.fullmatch(cell.strip()) for cell in set(cells)}
        parsed = [found[cell] for cell in cells]
        is_valid = np.array([one is not None for one in parsed])
        needed = {"expiry", "side", "strike"} - self._columns.keys()
        if needed:
            self._table.check(is_valid, self._columns["contract"], "is not a contract such as SPXW190426C00800000")
        elif not is_valid.all():
            return []
        return [tuple(one.groups()) for one in parsed if one is not None]  # type: ignore[misc]  # four groups

    def _quoted(self) -> tuple[Any, bool]:
        """Return the time of each row's quotes (UTC, datetime64[s]), and whether they are ends of days."""
        column = self._columns["quoted"]
        cells = self._cells("quoted")
        if "time_of_day" in self._columns:
            cells = np.array([f"{a} {b}" for a, b in zip(cells, self._cells("time_of_day"), strict=True)], dtype=object)
        times, inverse, table = self._times(cells, column)
        values = times.values
        if (values == values.astype("datetime64[D]")).all() and not times.are_utc:
            return (values.astype("datetime64[D]").astype("datetime64[s]") + _DAY_END)[inverse], True
        if not times.are_utc:
            order = np.argsort(values, kind="stable")
            values = values.copy()
            values[order] = to_utc(table.take(order), column, values[order], times.zone or self._zone)
        return values.astype("datetime64[s]")[inverse], False

    def _times(self, cells: Any, column: int) -> tuple[Times, IntArray, Table]:
        """Read each different time once; also returns the table of those cells, and which of them each row has."""
        cells = np.array([re.sub(r"^(\d{8})\.0$", r"\1", cell.strip()) for cell in cells], dtype=object)
        distinct, first, inverse = np.unique(cells.astype(str), return_index=True, return_inverse=True)
        table = self._table.take(first)
        table.columns[column] = distinct.astype(object)
        return read_times(table, column), inverse, table

    def _expiry_days(self) -> Any:
        if "expiry" not in self._columns:
            return np.array([f"20{day[:2]}-{day[2:4]}-{day[4:]}" for _, day, _, _ in self._contracts], "datetime64[D]")
        times, inverse, _ = self._times(self._cells("expiry"), self._columns["expiry"])
        return times.values.astype("datetime64[D]")[inverse]

    def _is_call(self) -> BoolArray:
        if "side" not in self._columns:
            return np.array([side == "C" for _, _, side, _ in self._contracts])
        cells = self._cells("side")
        sides = {cell: _SIDES.get(cell.strip().lower().removesuffix(" option")) for cell in set(cells)}
        found = [sides[cell] for cell in cells]
        self._table.check(
            np.array([one is not None for one in found]), self._columns["side"], "is neither call nor put"
        )
        return np.array(found, dtype=np.bool_)

    def _strikes(self) -> FloatArray:
        if "strike" in self._columns:
            return self._numbers("strike", above_zero=True)
        return np.array([float(strike) / 1000 for *_, strike in self._contracts])

    def _volatility(self) -> FloatArray:
        values = self._numbers("volatility", missing=0.0)
        known = values[values > 0]
        if len(known) and np.median(known) > _PERCENT_FROM:
            self._notes.append("volatilities read as percent")
            values = values / 100
        self._without_volatility = float((values <= 0).mean())
        return values

    def _numbers(self, meaning: str, *, missing: float | None = None, above_zero: bool = False) -> FloatArray:
        """Return a column of numbers; `missing` stands for cells without a value, and for negative numbers."""
        column, table = self._columns[meaning], self._table
        cells = table.columns[column]
        if missing is None:
            return numbers(table, column, self._mark, above_zero=above_zero)
        is_blank = is_missing(cells) | np.fromiter(
            (cell.lstrip().startswith("-") for cell in cells), np.bool_, len(cells)
        )
        filled = Table(table.name, table.unit, table.titles, list(table.columns), table.places, table.delimiter)
        filled.columns[column] = np.where(is_blank, str(missing), cells)
        return numbers(filled, column, self._mark_of(meaning), above_zero=False)

    def _mark_of(self, meaning: str) -> DecimalMark:
        return self._mark if self._mark == "," else decimal_mark(self._table, [self._columns[meaning]])

    def _underlyings(self) -> Any:
        if "underlying" in self._columns:
            return np.array([cell.strip().upper() for cell in self._cells("underlying")])
        if self._contracts:
            return np.array([root for root, *_ in self._contracts])
        return np.full(len(self._table), "")

    def _leave_out(self, quoted: Any) -> None:
        self._notes.append(
            f"the chain of {quoted.astype('datetime64[D]')} left out: its underlying's price is not between its "
            "strikes (a split?)"
        )

    def _summary(self, series: Mapping[str, ChainSeries], is_day_end: bool) -> str:
        names = ", ".join(f"{name or 'one underlying'} ({len(one.chains)})" for name, one in series.items())
        times = [chain.time for one in series.values() for chain in one.chains]
        parts = [
            f"{self._table.name}: option chains of {names}",
            f"{len(self._table):,} options",
            f"{min(times).astype('datetime64[D]')} to {max(times).astype('datetime64[D]')}",
            "quoted at the end of a day" if is_day_end else "UTC",
            f"{100 * self._without_volatility:.1f}% without implied volatility not used",
            *self._notes,
        ]
        return ", ".join(parts)


def _by_time(quoted: Any, rows: IntArray) -> Iterator[IntArray]:
    """Yield the rows of each time of quotes, earliest first."""
    order = rows[np.argsort(quoted[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(quoted[order].astype(np.int64), prepend=-1))
    yield from np.split(order, starts[1:])
