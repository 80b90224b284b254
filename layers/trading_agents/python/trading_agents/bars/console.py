"""Prices around a decision, for `agent-memory ui --bars`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory import InvalidInput
from trading_agents.bars.errors import BarsError
from trading_agents.bars.reader import BarFile, read_bars

_EACH_WAY = 60


class PricesOfFile:
    """The bars of a file: `agent_memory.cli.console.extensions.Prices`."""

    def __init__(self, file: BarFile) -> None:
        self._file = file

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._file.name

    def around(self, symbol: str | None, at: datetime, until: datetime | None) -> list[dict[str, Any]]:
        """Up to 60 bars before a time and 60 after it; none if the file does not reach that far."""
        try:
            bars = self._file.one(symbol).bars
        except BarsError:
            return []
        moment = _moment(at)
        if not len(bars) or moment < bars.time[0] or moment > bars.time[-1] + np.median(np.diff(bars.time)):
            return []
        middle = int(np.searchsorted(bars.time, moment, side="right"))
        end = len(bars) if until is None else int(np.searchsorted(bars.time, _moment(until)))
        shown = slice(max(0, middle - _EACH_WAY), min(end, middle + _EACH_WAY))
        times = np.datetime_as_string(bars.time[shown], unit="s")
        prices = [getattr(bars, name)[shown].tolist() for name in ("open", "high", "low", "close")]
        return [
            {"time": f"{time}Z", "open": opened, "high": high, "low": low, "close": close}
            for time, opened, high, low, close in zip(times.tolist(), *prices, strict=True)
        ]


def open_prices(path: Path) -> PricesOfFile:
    """The prices of a file of bars.

    Raises:
        InvalidInput: the file cannot be used; names the line and the column.
    """
    try:
        return PricesOfFile(read_bars(path))
    except (BarsError, OSError) as error:
        raise InvalidInput("bars", str(error)) from error


def _moment(at: datetime) -> Any:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "s")
