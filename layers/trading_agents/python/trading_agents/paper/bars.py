"""`PaperBar`: one completed bar."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from agent_memory import InvalidInput
from trading_agents.bars import PRICES, PriceBars

SPREADS = ("spread_open", "spread_close")


@dataclass(frozen=True, slots=True)
class PaperBar:
    """A completed bar.

    Attributes:
        time: start of the bar, with a UTC offset; converted to UTC.
        open: first price. All prices are above 0, and open and close are between low and high.
        high: highest price.
        low: lowest price.
        close: last price.
        volume: units traded, 0 or more, or None if unknown.
        features: groups of features that do not come from prices, such as `{"hedge": {"net_gamma_exposure": …}}`.
        spread_open: ask minus bid at the open, 0 or more, or None; prices are then the mid of both.
        spread_close: ask minus bid at the close, or None; both spreads are given, or neither.

    Raises:
        InvalidInput: an attribute is invalid; names it.
    """

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None
    features: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    spread_open: float | None = None
    spread_close: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.time, datetime) or self.time.tzinfo is None:
            raise InvalidInput("time", f"{self.time!r:.60} is not a datetime with a UTC offset")
        object.__setattr__(self, "time", self.time.astimezone(UTC))
        for name in PRICES:
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidInput(name, f"{getattr(self, name)!r:.40} is not a number above 0")
        for name in ("open", "close"):
            if not self.low <= getattr(self, name) <= self.high:
                raise InvalidInput(name, f"{getattr(self, name)} is not between low {self.low} and high {self.high}")
        for name in ("volume", *SPREADS):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise InvalidInput(name, f"{value!r:.40} is not a number of 0 or more")
        if (self.spread_open is None) != (self.spread_close is None):
            raise InvalidInput("spread_open", "is given without spread_close, or the other way round; give both")

    def to_row(self) -> list[Any]:
        """Return time in seconds since the epoch, prices, volume, and spreads if known, for `bar_from_row`."""
        row = [self.time.timestamp(), *(getattr(self, name) for name in PRICES), self.volume]
        return row if self.spread_open is None else [*row, self.spread_open, self.spread_close]


def bar_from_row(row: Sequence[Any], features: Mapping[str, Mapping[str, Any]] | None = None) -> PaperBar:
    """Return the bar of a row, by default without features."""
    at, opened, high, low, close, volume, *spreads = row
    return PaperBar(datetime.fromtimestamp(at, UTC), opened, high, low, close, volume, features or {}, *spreads)


def paper_bars(bars: PriceBars, *, since: datetime | None = None) -> Iterator[tuple[int, PaperBar]]:
    """Yield the index and the bar of each row from a time on."""
    first = 0 if since is None else int(np.searchsorted(bars.time, np.datetime64(int(since.timestamp()), "s")))
    columns = {name: getattr(bars, name) for name in (*PRICES, "volume", *SPREADS)}
    for row in range(first, len(bars)):
        values = {name: None if column is None else float(column[row]) for name, column in columns.items()}
        time = datetime.fromtimestamp(int(bars.time[row].astype(np.int64)), UTC)
        yield row, PaperBar(time, **values)  # type: ignore[arg-type]  # only volume and spreads can be None


def to_price_bars(bars: Sequence[PaperBar]) -> PriceBars:
    """Return bars as columns, with volume if every bar has one."""
    columns = {name: np.array([getattr(bar, name) for bar in bars], dtype=np.float64) for name in PRICES}
    volumes = [bar.volume for bar in bars]
    volume = None if None in volumes else np.array(volumes, dtype=np.float64)
    time = np.array([int(bar.time.timestamp()) for bar in bars], dtype="datetime64[s]")
    return PriceBars("paper", time, **columns, volume=volume)
