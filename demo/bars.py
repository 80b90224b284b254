"""Bars to replay: of several symbols, aligned in time; and the sample of the demo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from demo.errors import BarsError
from trading_agents import Bars
from trading_agents.core.arrays import FloatArray

SAMPLE_SYMBOLS = ("AAPL", "IBM", "MSFT")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of one symbol. A price times `factor` is adjusted for splits and dividends."""

    label: str
    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    factor: float = 1.0


def sample_bars() -> Bars:
    """Return daily bars of AAPL, IBM and MSFT, 2000-03-01 to 2013-03-01, 3,270 each, from `bokeh_sampledata`.

    The source has prices as traded, so that a split halves them overnight. They are multiplied by adj_close / close,
    and volumes divided by it, so that splits and dividends are not price moves.
    """
    from bokeh_sampledata import stocks  # noqa: PLC0415  # reads a megabyte when imported

    return aligned({symbol: _sample_series(getattr(stocks, symbol)) for symbol in SAMPLE_SYMBOLS})


def aligned(series: Mapping[str, Sequence[Bar]]) -> Bars:
    """Return the adjusted bars of several symbols at the times that all of them have, oldest first.

    Raises:
        BarsError: the symbols have no time in common.
    """
    by_time = {symbol: {bar.at: bar for bar in bars} for symbol, bars in series.items()}
    common = sorted(set.intersection(*(set(bars) for bars in by_time.values())))
    if not common:
        raise BarsError(f"the symbols {', '.join(series)} have no time in common")
    symbols = tuple(sorted(series))
    rows = [[by_time[symbol][at] for symbol in symbols] for at in common]
    factors = _column(rows, "factor")
    return Bars(
        symbols=symbols,
        labels=tuple(row[0].label for row in rows),
        open=_column(rows, "open") * factors,
        high=_column(rows, "high") * factors,
        low=_column(rows, "low") * factors,
        close=_column(rows, "close") * factors,
        volume=_column(rows, "volume") / factors,
    )


def _column(rows: Sequence[Sequence[Bar]], name: str) -> FloatArray:
    return np.array([[getattr(bar, name) for bar in row] for row in rows], dtype=np.float64)


def _sample_series(stock: Mapping[str, Sequence[str | float]]) -> list[Bar]:
    columns = (stock[name] for name in ("date", "open", "high", "low", "close", "volume", "adj_close"))
    return [
        _sample_bar(str(date), [float(number) for number in numbers]) for date, *numbers in zip(*columns, strict=True)
    ]


def _sample_bar(date: str, numbers: Sequence[float]) -> Bar:
    opened, high, low, close, volume, adjusted = numbers
    return Bar(date, datetime.fromisoformat(date), opened, high, low, close, volume, factor=adjusted / close)
