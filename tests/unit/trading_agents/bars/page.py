"""Write docs/bars.md, the page of what files of bars can look like, from the reader and the files that test it."""

import sys
import tempfile
from pathlib import Path

from tests.unit.trading_agents.bars.file_shapes import READ, REFUSED, Shape
from trading_agents.bars import BarsError, read_bars
from trading_agents.bars.column_names import NAMES, VENDORS

TEXT = """# Files of bars

<!-- Written by `make bars-page` from the reader and its tests; do not edit. -->

`agent-memory backtest`, `agent-memory paper`, `agent-memory demo` and `trading_agents.bars.read_bars` read the same
files by the same rules. One line says what was read and assumed. What cannot be read is refused by one line with the
file, the line, the column and what to do; nothing is guessed that changes a number.

- **Formats**: CSV in UTF-8 (or UTF-16 with a byte order mark), separated by commas, semicolons, tabs, vertical bars or
  blanks, plain or compressed (gzip, bzip2, xz, ZIP with one file); Parquet (through DuckDB).
- **Columns** are found by name, in any order, case and punctuation; `1. open`, `<OPEN>` and `Open (USD)` are `open`.
  Without a header the order is time, open, high, low, close, volume; prices in another order are refused. Other
  columns are ignored, except those of an interval, an exchange, an expiry or a strike that changes to and fro.
- **Times** are in ISO 8601, an epoch in seconds, milliseconds, microseconds or nanoseconds, compact (`20240131`,
  `2024013109`), or day and month in an order that the file itself shows. Times without UTC offset are in `--time-zone`,
  by default UTC; where a title names a zone by its abbreviation, `Time (ET)`, the option is needed. The time of a bar
  is its start.
- **Order**: any; bars are sorted, and exact repetitions left out. Two different bars of one time are refused.
- **Prices** are above 0; open and close may lie beyond low and high by rounding (1e-9).
- **Splits**: `Adj Close`, `adj_factor` or `split_factor` adjust all prices, and volumes by the part that is a split.
  A jump near 1/2, 1/3, 1/4, 1/10 and the like that lasts is refused: pass adjusted prices, `--splits 2020-08-31=4`, or
  `--splits none` if it is a move of the price.
- **Bid and ask** (`bid_open` ... `ask_close`) become the mid and the spread, from which costs are taken.
- **Several symbols**: `--symbol` chooses one; the demo takes all at the times that they share.

## Names of columns

| column | names, without spaces and punctuation |
| --- | --- |
{names}

Recognized by their header: {vendors}.

## What is read

Each of these files is made by a script and read in a test to the same numbers, to the bit.

| file | options | what the line says |
| --- | --- | --- |
{read}

## What is refused

| file | options | message |
| --- | --- | --- |
{refused}
"""


def page() -> str:
    """Return the page."""
    names = "\n".join(
        f"| {meaning} | {', '.join(f'`{name}`' for name in names if name)} |" for meaning, names in NAMES.items()
    )
    vendors = ", ".join(sorted({name for name, _ in VENDORS}))
    with tempfile.TemporaryDirectory() as folder:
        read = "\n".join(_row(shape, Path(folder)) for shape in READ)
        refused = "\n".join(_row(shape, Path(folder)) for shape in REFUSED)
    return TEXT.format(names=names, vendors=vendors, read=read, refused=refused)


def _row(shape: Shape, folder: Path) -> str:
    path = folder / shape.file
    path.write_bytes(shape.content)
    try:
        file = read_bars(path, **shape.options)
        file.one(shape.options.get("symbol"))
        said = file.summary
    except BarsError as error:
        said = str(error).replace(f"{folder}/", "")
    options = " ".join(f"`--{name.replace('_', '-')} {value}`" for name, value in shape.options.items())
    return f"| {shape.name.replace('|', '&#124;')} | {options} | {said.replace('|', '&#124;').replace('<', '&lt;')} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
