"""`Table`: the cells of a file as text, with their places, from CSV in any common shape or from Parquet."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory.core.extras import needs_extra
from trading_agents.bars.column_names import NAMES, PRICES, QUOTES, compact, find_columns, has_prices
from trading_agents.bars.errors import BarsError, NoBarsError
from trading_agents.bars.file_contents import PARQUET, decode, read_contents
from trading_agents.core.arrays import BoolArray, IntArray

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
HEADER_LINES = 50
"""A header is looked for in this many lines; what stands above it is left out."""

_FEW_PRICES = 2
_HEADERLESS = ("time", *PRICES, "volume")
_HEADERLESS_DATE = ("date", "time", *PRICES, "volume")
_LIKE_A_PRICE, _ENOUGH_ROWS = (0.1, 1.1), 10
_PAIR = re.compile(r"\('([^']*)', '([^']*)'\)")
_TICKER_ROWS = {"ticker", "tickers", "symbol", "symbols", ""}
_NUMBER = re.compile(r"[-+]?[\d.,]*\d(e[-+]?\d+)?", re.IGNORECASE)
_ANY_DIGITS = re.compile(r"\d")


@dataclass(slots=True, eq=False)
class Table:
    """The cells of a file.

    Attributes:
        name: of the file.
        unit: what a row is called in messages: `line` of a text, `row` of a Parquet file.
        titles: of the columns, as written.
        columns: of text, each of the shape (rows,); missing cells are empty.
        places: line number of each row, from 1.
        delimiter: between cells; empty for Parquet.
        symbols: of each column, if the file has a column for each symbol and price.
        notes: what was left out or assumed, for the person who passed the file.
        has_header: whether the titles are the file's own, rather than those of the usual order.
    """

    name: str
    unit: str
    titles: tuple[str, ...]
    columns: list[Any]
    places: IntArray
    delimiter: str = ""
    symbols: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    has_header: bool = True

    def __len__(self) -> int:
        return len(self.places)

    def take(self, rows: Any) -> "Table":
        """Return a table of some rows: indices, or a mask."""
        return replace(self, columns=[column[rows] for column in self.columns], places=self.places[rows])

    def where(self, row: Any) -> str:
        """Return the file and the line of a row."""
        return f"{self.name}, {self.unit} {self.places[row]}"

    def error(self, row: int, column: int, problem: str) -> BarsError:
        """Return the error about one cell."""
        title, cell = self.titles[column].strip(), self.columns[column][row]
        return BarsError(f"{self.where(row)}: column {title!r}: {cell!r:.60} {problem}")

    def check(self, valid: BoolArray, column: int, problem: str) -> None:
        """Raise `BarsError` about the first row that is not valid."""
        if not valid.all():
            raise self.error(int(np.argmin(valid)), column, problem)


def read_table(path: Path, *, is_growing: bool = False) -> Table:
    """Read the cells of a file.

    Args:
        path: of the file.
        is_growing: whether another process writes to it: a last line without a line break is not read then.

    Raises:
        BarsError: the file cannot be read, has no header with prices, or a line has too many cells.
    """
    content = read_contents(path)
    if content.startswith(PARQUET):
        return _parquet_table(path, content)
    text = decode(path.name, content)
    if is_growing:
        text = text[: text.rfind("\n") + 1]
    return _csv_table(path.name, text)


# --- Parquet ------------------------------------------------------------------------------------


def _parquet_table(path: Path, content: bytes) -> Table:
    """Return a Parquet file as text."""
    titles, columns = parquet_as_text(path, content, list)
    titles, symbols = _split_pairs(titles)
    if symbols:  # the time first, as in a text with a row of symbols
        order = sorted(range(len(titles)), key=lambda index: symbols[index] != "")
        titles, symbols = (tuple(names[index] for index in order) for names in (titles, symbols))
        columns = [columns[index] for index in order]
    found = find_columns(titles)
    if not has_prices(found):
        raise BarsError(_missing_columns(path.name, titles, found))
    places = np.arange(1, (len(columns[0]) if columns else 0) + 1)
    return Table(path.name, "row", titles, columns, places, symbols=symbols)


def _split_pairs(titles: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return titles and symbols of columns such as `('Close', 'AAPL')`, as pandas writes those of two levels.

    The symbols are empty if the columns are not of that kind.
    """
    matches = [_PAIR.fullmatch(title) for title in titles]
    if sum(match is None for match in matches) != 1:
        return titles, ()
    pairs = [match.groups() if match else (title, "") for match, title in zip(matches, titles, strict=True)]
    if not has_prices(find_columns([first for first, _ in pairs])):
        pairs = [(second, first) if second else (first, "") for first, second in pairs]
    names, symbols = zip(*pairs, strict=True)
    return names, symbols


def parquet_as_text(
    path: Path, content: bytes, wanted: Callable[[Sequence[str]], Sequence[str]]
) -> tuple[tuple[str, ...], list[Any]]:
    """Return the titles and the columns of a Parquet file as text; doubles become the shortest that is the same number.

    Args:
        path: of the file, for messages.
        content: its bytes.
        wanted: chooses the columns to read by the titles of all.

    Raises:
        BarsError: the file cannot be read.
    """
    with needs_extra("archive"):
        import duckdb  # noqa: PLC0415  # only these files need it
    import tempfile  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
        file.write(content)
        file.flush()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            known = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [file.name]).fetchall()
            titles = tuple(wanted([str(name) for name, *_ in known]))
            if not titles:
                return (), []
            cells = ", ".join('"' + title.replace('"', '""') + '"::VARCHAR' for title in titles)
            result = connection.execute(f"SELECT {cells} FROM read_parquet(?)", [file.name])  # noqa: S608  # quoted
            columns = list(result.fetchnumpy().values())
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].replace(file.name, path.name)
            raise BarsError(f"cannot read {path}: {reason}") from error
    return titles, [np.ma.filled(np.ma.asarray(column, dtype=object), "") for column in columns]


# --- CSV ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Header:
    """A header line: its number, its delimiter and its cells."""

    line: int
    delimiter: str
    titles: tuple[str, ...]

    @property
    def score(self) -> int:
        """The number of columns that are understood; prices count twice."""
        found = find_columns(self.titles)
        return len(found) + len(found.keys() & {*PRICES, *QUOTES})


def _csv_table(name: str, text: str) -> Table:
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise NoBarsError(f"{name} has no bars: it is empty")
    header = _find_header(name, lines)
    if header is None:
        return _table_without_header(name, lines)
    symbols, first = _ticker_rows(lines, header)
    if not has_prices(find_columns(header.titles)):
        raise BarsError(_missing_columns(name, header.titles, find_columns(header.titles)))
    table = _table(name, lines, header, first)
    table.symbols = symbols
    preamble = sum(bool(line.strip()) for line in lines[: header.line])
    if preamble and not symbols:
        table.notes.append(f"{_lines(preamble)} above the header left out")
    return table


def _find_header(name: str, lines: Sequence[str]) -> _Header | None:
    """Return the line that has the most names of columns, or None if none has two names of prices."""
    best: _Header | None = None
    for number, line in enumerate(lines[:HEADER_LINES]):
        if not line.strip():
            continue
        for delimiter in DELIMITERS:
            titles = tuple(_cells(name, number, line, delimiter))
            found = find_columns(titles)
            prices = found.keys() & {*PRICES, *QUOTES}
            header = _Header(number, delimiter, titles)
            # `Open price, High price` between commas is not a header between blanks.
            is_split_title = delimiter == " " and best is not None and best.line == number
            if len(prices) >= _FEW_PRICES and not is_split_title and (best is None or header.score > best.score):
                best = header
    return best


def _cells(name: str, number: int, line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise BarsError(f"{name}, line {number + 1} is not CSV: {error}") from error


def _ticker_rows(lines: Sequence[str], header: _Header) -> tuple[tuple[str, ...], int]:
    """Return the symbol of each column if there is a row of symbols beside the header, and the first line of data.

    yfinance writes three lines: `Price,Close,Open,...`, `Ticker,AAPL,AAPL,...`, `Date,,,...`; others begin with the
    symbols.
    """
    first = header.line + 1
    for number in (header.line + 1, header.line - 1):
        if not 0 <= number < len(lines):
            continue
        cells = [cell.strip() for cell in _cells("", number, lines[number], header.delimiter)]
        is_row = len(cells) == len(header.titles) and compact(cells[0]) in _TICKER_ROWS
        are_words = len(cells) > 1 and all(cell and not _NUMBER.fullmatch(cell) for cell in cells[1:])
        if is_row and are_words and _each_has_prices(cells, header.titles):
            first = max(first, number + 1)
            if first < len(lines):
                below = _cells("", first, lines[first], header.delimiter)
                has_index_name = below and compact(below[0]) in NAMES["time"]
                first += bool(has_index_name and not any(cell.strip() for cell in below[1:]))
            return tuple(cells), first
    return (), first


def _each_has_prices(symbols: Sequence[str], titles: Sequence[str]) -> bool:
    """Whether there are columns of all prices for each symbol, unlike in a row of units such as `USD` and `shares`."""
    return all(
        has_prices(find_columns([title for title, symbol in zip(titles, symbols, strict=True) if symbol == name]))
        for name in set(symbols[1:])
    )


def _table(name: str, lines: Sequence[str], header: _Header, first: int) -> Table:
    """Return the rows from a line on; cells beyond the header may only be empty."""
    width = len(header.titles)
    rows: list[list[str]] = []
    places: list[int] = []
    repeated = 0
    for place, cells in _rows(name, lines, first, header.delimiter):
        if len(cells) > width:
            if any(cell.strip() for cell in cells[width:]):
                raise BarsError(
                    f"{name}, line {place}: {len(cells)} cells, but the header has {width}; "
                    "quote cells that contain the delimiter"
                )
            del cells[width:]
        if tuple(cells) == header.titles:
            repeated += 1
            continue
        rows.append(cells + [""] * (width - len(cells)))
        places.append(place)
    notes = [f"{repeated} repeated header {'line' if repeated == 1 else 'lines'} left out"] if repeated else []
    if rows and len([cell for cell in rows[-1] if cell.strip()]) == 1 and not _ANY_DIGITS.match(rows[-1][0].strip()):
        del rows[-1], places[-1]
        notes.append("a line below the data left out")
    columns = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    if not rows:
        raise NoBarsError(f"{name} has no bars: there is nothing below its header")
    return Table(name, "line", header.titles, columns, np.array(places), header.delimiter, notes=notes)


def _rows(name: str, lines: Sequence[str], first: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of each line that is not empty."""
    if delimiter == " ":
        reader: Any = ((number, line.split()) for number, line in enumerate(lines[first:], first + 1))
    else:
        reader = _numbered(csv.reader(io.StringIO("\n".join(lines[first:])), delimiter=delimiter), first)
    try:
        for place, cells in reader:
            if any(cell.strip() for cell in cells):
                yield place, cells
    except csv.Error as error:
        raise BarsError(f"{name} is not a CSV file: {error}") from error


def _numbered(reader: Any, first: int) -> Iterator[tuple[int, list[str]]]:
    for cells in reader:
        yield first + reader.line_num, cells


def _table_without_header(name: str, lines: Sequence[str]) -> Table:
    """Return a table of time, open, high, low, close and volume by position.

    That the prices stand in this order shows in the prices: no open or close is above the high or below the low.
    """
    number, line = next((number, line) for number, line in enumerate(lines) if line.strip())
    for delimiter in DELIMITERS:
        cells = [cell.strip() for cell in _cells(name, number, line, delimiter)]
        for titles in (_HEADERLESS, _HEADERLESS_DATE):
            prices = cells[titles.index("open") : titles.index("open") + len(PRICES)]
            times = cells[: titles.index("open")]
            if len(prices) < len(PRICES) or not all(_NUMBER.fullmatch(cell) for cell in prices):
                continue
            if not all(_ANY_DIGITS.match(cell) for cell in times) or not _is_bar(prices):
                continue
            unread = tuple(f"column {n}" for n in range(len(titles) + 1, len(cells) + 1))
            header = _Header(-1, delimiter, (*titles, *unread)[: len(cells)])
            table = replace(_table(name, lines, header, 0), has_header=False)
            _check_volume(table)
            table.notes.append("no header: read as " + ", ".join(titles[: len(cells)]))
            return table
    cells = [cell.strip() for cell in _cells(name, number, line, ",")]
    if len(cells) > len(PRICES) and all(_NUMBER.fullmatch(cell) for cell in cells[1:]):
        raise BarsError(
            f"{name} has no header, and line {number + 1} is not time, open, high, low, close, volume in this order; "
            "add a line with the names of the columns"
        )
    raise BarsError(_missing_columns(name, cells, {}))


def _check_volume(table: Table) -> None:
    """Raise `BarsError` if the column read as volume is as high as the price throughout, with another one behind it.

    Some sources put the average price or the adjusted close between the close and the volume.
    """
    index = table.titles.index("close") + 1
    if len(table.titles) <= index + 1 or len(table) < _ENOUGH_ROWS:
        return
    try:
        column, close = (np.array(table.columns[n], dtype=np.float64) for n in (index, index - 1))
    except ValueError:  # refused where numbers are read, or with decimal commas
        return
    least, most = _LIKE_A_PRICE
    if ((least * close <= column) & (column <= most * close)).all():
        raise BarsError(
            f"{table.name} has no header, and column {index + 1} can be a price or the volume; "
            "add a line with the names of the columns"
        )


def _is_bar(prices: Sequence[str]) -> bool:
    try:
        opened, high, low, close = (float(price.replace(",", ".")) for price in prices)
    except ValueError:
        return False
    return low <= min(opened, close) and max(opened, close) <= high and low > 0


def _missing_columns(name: str, titles: Sequence[str], found: dict[str, list[int]]) -> str:
    quoted = [column for column in QUOTES if column in found]
    needed = QUOTES if quoted and "open" not in found else PRICES
    missing = next((column for column in needed if column not in found), "open")
    shown = ", ".join(title.strip()[:20] for title in titles[:12])
    return (
        f"{name} has no column {missing!r}; needed are timestamp, open, high, low, close, or bid_open to ask_close "
        f"instead of the prices; its columns are: {shown}"
    )


def _lines(count: int) -> str:
    return "a line" if count == 1 else f"{count} lines"
