"""Columns of numbers from text: decimal points and commas, thousands, currency signs, and K, M, B."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from trading_agents.bars.table import Table
from trading_agents.core.arrays import BoolArray, FloatArray

MISSING = frozenset({"", "nan", "null", "none", "na", "n/a", "-", "--", "nat", "<na>"})
"""Cells, in lower case, that say that there is no value."""

DecimalMark = Literal[".", ","]
_EITHER = "can be a decimal {} or a separator of thousands; write decimal points, and no separators"
_GROUPED = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+") for mark in ",."}
_POINTS_OR_SMALL = re.compile(r"0|[1-9]\d{0,2}(\.\d{3})*")
_CURRENCIES = str.maketrans("", "", "$€£¥")
_BLANKS = re.compile(r"(?<=\d)['’ \u00a0\u202f](?=\d{3}(?!\d))")
"""Apostrophes and blanks between thousands; in `110'16`, a bond's price in 32nds, it is none."""

_IN_32NDS, _ENOUGH_PRICES = re.compile(r"\d{2,3}'([0-2]\d|3[01])[0257]"), 10
_UNITS = {"k": "e3", "m": "e6", "b": "e9"}


def is_missing(cells: Any) -> BoolArray:
    """Return whether each cell says that there is no value."""
    return np.fromiter((cell.strip().lower() in MISSING for cell in cells), np.bool_, len(cells))


def decimal_mark(table: Table, columns: Sequence[int], volume: int | None = None) -> DecimalMark:
    """Return the decimal mark of some columns.

    Args:
        table: the cells.
        columns: of numbers that are written alike.
        volume: another column, which shows whether the file separates thousands.

    Raises:
        BarsError: it can be either: `1,234` in every cell, with neither a point nor a semicolon beside it, or
            `12.345` in prices and volumes between semicolons.
    """
    cells = [(row, column) for column in columns for row, cell in enumerate(table.columns[column]) if "," in cell]
    if not cells:
        _check_points(table, columns, volume)
        return "."
    for row, column in cells:
        cell = _without_signs(table.columns[column][row])
        if "." in cell:
            return "." if cell.rfind(".") > cell.rfind(",") else ","
        if not _GROUPED[","].fullmatch(cell):
            return ","
    if table.delimiter == "," or any("." in cell for column in columns for cell in table.columns[column]):
        return "."
    if table.delimiter == ";":
        return ","
    row, column = cells[0]
    raise table.error(row, column, _EITHER.format("comma"))


def _check_points(table: Table, columns: Sequence[int], volume: int | None) -> None:
    """Raise `BarsError` if points can separate thousands: where commas do not separate cells, and all numbers show it.

    They do in `999` beside `1.001`, and in prices like `12.345` beside volumes like `1.234`.
    """
    if table.delimiter not in {";", "\t"} or not all(_may_have_groups(table.columns[column]) for column in columns):
        return
    cells = [(row, column) for column in columns for row, cell in enumerate(table.columns[column]) if "." in cell]
    written = sum(int((~is_missing(table.columns[column])).sum()) for column in columns)
    are_mixed = 0 < len(cells) < written
    volumes = table.columns[volume] if volume is not None else ()
    if are_mixed or (cells and any("." in cell for cell in volumes) and _may_have_groups(volumes)):
        raise table.error(*cells[0], _EITHER.format("point"))


def _may_have_groups(cells: Sequence[str]) -> bool:
    """Whether every number is below 1000 without a mark, or has a point before every three digits."""
    return all(_POINTS_OR_SMALL.fullmatch(cell.strip()) or cell.strip().lower() in MISSING for cell in cells)


def numbers(table: Table, column: int, mark: DecimalMark, *, above_zero: bool) -> FloatArray:
    """Return a column of finite numbers above 0, or of 0 or more.

    Raises:
        BarsError: a cell is no such number.
    """
    cells = table.columns[column]
    is_plain = mark == "." and not any("_" in cell for cell in cells)  # which Python takes for a separator
    try:
        values = np.fromiter(map(float if is_plain else _refused, cells), np.float64, len(cells))
    except ValueError:
        values = np.fromiter((_number(cell, mark) for cell in cells), np.float64, len(cells))
    valid = np.isfinite(values) & ((values > 0) if above_zero else (values >= 0))
    kind = "a number above 0" if above_zero else "a number of 0 or more"
    table.check(valid, column, f"is not {kind}; correct the cell, or remove the {table.unit}")
    if above_zero and len(set(cells)) >= _ENOUGH_PRICES and all(_IN_32NDS.fullmatch(cell.strip()) for cell in cells):
        raise table.error(0, column, "can be a price in 32nds or have a separator of thousands; write decimal points")
    return values


def _without_signs(cell: str) -> str:
    """Return a number without the sign of its currency, and without apostrophes and blanks between thousands."""
    return _BLANKS.sub("", cell.translate(_CURRENCIES).strip())


def _refused(cell: str) -> float:
    raise ValueError(cell)


def _number(cell: str, mark: DecimalMark) -> float:
    """Return the number of a cell, NaN if it is none."""
    text = _without_signs(cell)
    separator = "," if mark == "." else "."
    integer_part = text.rstrip("KMBkmb").partition(mark)[0]
    if "_" in text or (separator in text and not _GROUPED[separator].fullmatch(integer_part)):
        return np.nan
    text = text.replace(separator, "").replace(mark, ".")
    unit = _UNITS.get(text[-1:].lower(), "")
    try:
        return float(text[:-1] + unit) if unit else float(text)
    except ValueError:
        return np.nan
