"""Bars to replay: those of a file, or the sample of the demo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trading_agents import Bars
from trading_agents.bars import BarsError as BarFileError
from trading_agents.bars import PriceBars, align, read_bars
from trading_agents.demo.errors import BarsError

SAMPLE_SYMBOLS = ("AAPL", "IBM", "MSFT")
_ONLY_SYMBOL = "ASSET"


@dataclass(frozen=True, slots=True)
class BarsOptions:
    """Which bars to replay: of a file, or without one the sample. See `trading_agents.bars.read_bars`."""

    file: Path | None = None
    symbol: str | None = None
    time_zone: str | None = None
    splits: str | None = None


def bars_to_replay(options: BarsOptions) -> tuple[Bars, str]:
    """Return the bars, and one line about the file; none for the sample.

    Raises:
        BarsError: the file cannot be used; names the file, and the line and the column where there are such.
    """
    if options.file is None:
        return sample_bars(), ""
    try:
        file = read_bars(options.file, symbol=options.symbol, time_zone=options.time_zone, splits=options.splits)
        return align(
            {name or options.symbol or _ONLY_SYMBOL: one.bars for name, one in file.series.items()}
        ), file.summary
    except BarFileError as error:
        raise BarsError(str(error)) from error


def sample_bars() -> Bars:
    """Return daily bars of AAPL, IBM and MSFT, 2000-03-01 to 2013-03-01, 3,270 each, from `bokeh_sampledata`.

    The source has prices as traded, so that a split halves them overnight. They are multiplied by adj_close / close,
    and volumes divided by it, so that splits and dividends are not price moves.
    """
    from bokeh_sampledata import stocks  # noqa: PLC0415  # reads a megabyte when imported

    return align({symbol: _sample_series(symbol, getattr(stocks, symbol)) for symbol in SAMPLE_SYMBOLS})


def _sample_series(symbol: str, stock: Mapping[str, Sequence[str | float]]) -> PriceBars:
    time = np.array([str(date) for date in stock["date"]], dtype="datetime64[s]")
    columns = {name: np.array(stock[name], dtype=np.float64) for name in ("open", "high", "low", "close", "volume")}
    factor = np.array(stock["adj_close"], dtype=np.float64) / columns["close"]
    volume = columns.pop("volume") / factor
    return PriceBars(symbol, time, **{name: column * factor for name, column in columns.items()}, volume=volume)
