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
_GROUPED = {mark: re.compile(rf"[-+]?\d{{1,3}}({re.escape(mark)}\d{{3}})+") for mark in ",."}
_SIGNS = str.maketrans("", "", "$€£¥'’ \u00a0\u202f")
_UNITS = {"k": "e3", "m": "e6", "b": "e9"}


def is_missing(cells: Any) -> BoolArray:
    """Return whether each cell says that there is no value."""
    return np.fromiter((cell.strip().lower() in MISSING for cell in cells), np.bool_, len(cells))


def decimal_mark(table: Table, columns: Sequence[int]) -> DecimalMark:
    """Return the decimal mark of some columns.

    Raises:
        BarsError: it can be either: `1,234` in every cell, with neither a point nor a semicolon beside it.
    """
    cells = [(row, column) for column in columns for row, cell in enumerate(table.columns[column]) if "," in cell]
    if not cells:
        return "."
    for row, column in cells:
        cell = table.columns[column][row].strip().translate(_SIGNS)
        if "." in cell:
            return "." if cell.rfind(".") > cell.rfind(",") else ","
        if not _GROUPED[","].fullmatch(cell):
            return ","
    if table.delimiter == "," or any("." in cell for column in columns for cell in table.columns[column]):
        return "."
    if table.delimiter == ";":
        return ","
    row, column = cells[0]
    raise table.error(row, column, "can be a decimal comma or a separator of thousands; write decimal points")


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
    return values


def _refused(cell: str) -> float:
    raise ValueError(cell)


def _number(cell: str, mark: DecimalMark) -> float:
    """Return the number of a cell, NaN if it is none."""
    text = cell.strip().translate(_SIGNS)
    separator = "," if mark == "." else "."
    whole = text.rstrip("KMBkmb").partition(mark)[0]
    if "_" in text or (separator in text and not _GROUPED[separator].fullmatch(whole)):
        return np.nan
    text = text.replace(separator, "").replace(mark, ".")
    unit = _UNITS.get(text[-1:].lower(), "")
    try:
        return float(text[:-1] + unit) if unit else float(text)
    except ValueError:
        return np.nan
