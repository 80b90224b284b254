"""`PriceBars`: bars of one instrument as columns."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from trading_agents.bars.column_names import PRICES
from trading_agents.core.arrays import BoolArray, FloatArray, IntArray, TimeArray

_NEARLY_ALL = 0.99
_LONG_GAP = np.timedelta64(2, "h")


@dataclass(frozen=True, slots=True, eq=False)
class PriceBars:
    """Bars of one instrument, oldest first; every column has the shape (bars,).

    Attributes:
        name: of the file or the instrument, for messages and reports.
        time: start of each bar (datetime64[s], UTC unless the file uses another zone throughout).
        open: first price of the bar, in quote currency; mid prices if the file has bid and ask.
        high: highest price.
        low: lowest price.
        close: last price.
        volume: units traded in the bar, or None.
        spread_open: ask minus bid at the open, in quote currency, or None.
        spread_close: ask minus bid at the close, or None.
    """

    name: str
    time: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray | None = None
    spread_open: FloatArray | None = None
    spread_close: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in (*PRICES, "volume", "spread_open", "spread_close"):
            column = getattr(self, name)
            if column is not None and column.shape != self.time.shape:
                raise ValueError(f"{name} has the shape {column.shape}, expected {self.time.shape}")

    def __len__(self) -> int:
        return len(self.time)

    @property
    def days(self) -> IntArray:
        """Index of each bar's calendar day, starting at 0; days without bars are not counted."""
        return np.unique(self.time.astype("datetime64[D]"), return_inverse=True)[1].astype(np.int64)

    @property
    def bars_per_day(self) -> float:
        """Median number of bars per day, which depends on the trading hours of the instrument."""
        return float(np.median(np.bincount(self.days)))

    @property
    def after_long_gap(self) -> BoolArray:
        """Whether a bar starts more than two hours after the one before, as overnight or over a weekend."""
        return np.concatenate([[False], np.diff(self.time) > _LONG_GAP])

    @property
    def hides_gaps(self) -> bool:
        """Whether opens after long gaps repeat the close before, so that the first price after the gap is missing."""
        after = np.flatnonzero(self.after_long_gap)
        repeated = np.isclose(self.open[after], self.close[after - 1], rtol=1e-9)
        return len(after) > 0 and bool(repeated.mean() > _NEARLY_ALL)

    def first(self, count: int) -> "PriceBars":
        """Return the first `count` bars."""
        return self.take(slice(count))

    def take(self, which: Any) -> "PriceBars":
        """Return some of the bars: a slice, indices in order of time, or a mask."""
        columns = [(field.name, getattr(self, field.name)) for field in fields(self) if field.name != "name"]
        taken: dict[str, Any] = {name: None if column is None else column[which] for name, column in columns}
        return replace(self, **taken)
