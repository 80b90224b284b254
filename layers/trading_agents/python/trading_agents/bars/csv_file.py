"""Bars of one instrument from a CSV file, with errors that name file, line and column."""

from pathlib import Path
from typing import Any

import numpy as np

from agent_memory.core.extras import needs_extra
from trading_agents.bars.price_bars import PRICES, PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray, TimeArray

_QUOTES = tuple(f"{side}_{price}" for side in ("bid", "ask") for price in PRICES)
TIME_NAMES = ("timestamp", "date", "datetime", "time")


class BarsError(ValueError):
    """A file of bars cannot be used; the message names the file, and the line and column where it can."""


def read_price_bars(path: Path) -> PriceBars:
    """Read a CSV file of bars in order of time; `.gz` files are decompressed.

    The header has a time (`timestamp`, `date`, `datetime` or `time`, ISO 8601; UTC if it has no offset) and either
    `open`, `high`, `low`, `close` or `bid_open` ... `ask_close`, in any order and case. Optional columns are `volume`
    (units, 0 or more) and `adj_factor`, which multiplies all prices. Other columns are ignored.

    Raises:
        BarsError: the file cannot be read, a column is missing, or a line is not a valid bar.
    """
    table = _Table(path)
    time = table.times()
    factor = table.numbers("adj_factor", above_zero=True) if "adj_factor" in table.columns else 1.0
    volume = table.numbers("volume", above_zero=False) if "volume" in table.columns else None
    spreads: dict[str, FloatArray] = {}
    if set(_QUOTES) <= table.columns.keys():
        quotes = {column: table.numbers(column, above_zero=True) for column in _QUOTES}
        prices = {price: (quotes[f"bid_{price}"] + quotes[f"ask_{price}"]) / 2 for price in PRICES}
        for when in ("open", "close"):
            spreads[f"spread_{when}"] = quotes[f"ask_{when}"] - quotes[f"bid_{when}"]
            table.check(spreads[f"spread_{when}"] >= 0, f"ask_{when}", f"is below bid_{when}")
    else:
        prices = {price: table.numbers(price, above_zero=True) for price in PRICES}
    for column in ("open", "close"):
        inside = (prices["low"] <= prices[column]) & (prices[column] <= prices["high"])
        table.check(inside, column if column in table.columns else f"bid_{column}", "is not between low and high")
    return PriceBars(path.name, time, **{name: v * factor for name, v in prices.items()}, volume=volume, **spreads)


class _Table:
    """The cells of a file as text by lower-case column name, and the line number of each row."""

    def __init__(self, path: Path) -> None:
        with needs_extra("trading"):
            import pandas as pd  # noqa: PLC0415  # 0.3 s, and only files need it

        self.name = path.name
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig")
        except OSError as error:
            raise BarsError(f"cannot read {path}: {error.strerror or error}") from error
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, EOFError) as error:
            raise BarsError(f"{path.name} is not a CSV file in UTF-8: {str(error).strip()}") from error
        frame = frame[(frame != "").any(axis=1)]
        if frame.empty:
            raise BarsError(f"{path.name} has no bars")
        self._line_numbers = frame.index.to_numpy() + 2
        self.columns: dict[str, Any] = {str(title).strip().lower(): frame[title] for title in frame.columns}
        self._check_header()

    def _check_header(self) -> None:
        if not set(TIME_NAMES) & self.columns.keys():
            raise BarsError(f"{self.name} has no column 'timestamp'")
        has_quotes = any(column in self.columns for column in _QUOTES) and "open" not in self.columns
        for column in _QUOTES if has_quotes else PRICES:
            if column not in self.columns:
                raise BarsError(f"{self.name} has no column {column!r}")

    def numbers(self, column: str, *, above_zero: bool) -> FloatArray:
        """Return a column of finite numbers above 0, or of 0 or more."""
        import pandas as pd  # noqa: PLC0415

        values = pd.to_numeric(self.columns[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        valid = np.isfinite(values) & ((values > 0) if above_zero else (values >= 0))
        self.check(valid, column, f"is not a number {'above 0' if above_zero else 'of 0 or more'}")
        return np.asarray(values)

    def times(self) -> TimeArray:
        """Return the column of times, which must be strictly ascending."""
        import pandas as pd  # noqa: PLC0415

        column = next(name for name in TIME_NAMES if name in self.columns)
        times = pd.to_datetime(self.columns[column], utc=True, format="ISO8601", errors="coerce")
        self.check(times.notna().to_numpy(), column, "is not a date or time in ISO 8601")
        time: TimeArray = times.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
        is_later = np.concatenate([[True], np.diff(time) > np.timedelta64(0, "s")])
        self.check(is_later, column, "is not later than the line before")
        return time

    def check(self, valid: BoolArray, column: str, problem: str) -> None:
        """Raise `BarsError` for the first line that is not valid."""
        if not valid.all():
            row = int(np.argmin(valid))
            cell, line = self.columns[column].iloc[row], self._line_numbers[row]
            raise BarsError(f"{self.name}, line {line}: column {column!r}: {cell!r:.40} {problem}")
