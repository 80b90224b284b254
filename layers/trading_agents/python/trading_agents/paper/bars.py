"""`PaperBar`: one completed bar."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from agent_memory import InvalidInput
from trading_agents.bars import PriceBars

PRICES = ("open", "high", "low", "close")


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
        if self.volume is not None and not 0 <= self.volume < math.inf:
            raise InvalidInput("volume", f"{self.volume!r:.40} is not a number of 0 or more")

    def to_row(self) -> list[Any]:
        """Return time in seconds since the epoch, prices and volume, for `bar_from_row`."""
        return [self.time.timestamp(), *(getattr(self, name) for name in PRICES), self.volume]


def bar_from_row(row: Sequence[Any]) -> PaperBar:
    """Return the bar of a row, without features."""
    at, *numbers = row
    return PaperBar(datetime.fromtimestamp(at, UTC), *numbers)


def to_price_bars(bars: Sequence[PaperBar]) -> PriceBars:
    """Return bars as columns, with volume if every bar has one."""
    columns = {name: np.array([getattr(bar, name) for bar in bars], dtype=np.float64) for name in PRICES}
    volumes = [bar.volume for bar in bars]
    volume = None if None in volumes else np.array(volumes, dtype=np.float64)
    time = np.array([int(bar.time.timestamp()) for bar in bars], dtype="datetime64[s]")
    return PriceBars("paper", time, **columns, volume=volume)
