"""`PaperBar`: one bar as it arrives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from agent_memory.core.errors import InvalidInput
from trading_agents.bars import PriceBars

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class PaperBar:
    """A bar that is over.

    Attributes:
        time: when it began, with an offset; kept as UTC.
        open: first price, above 0, as are the others; low and high enclose open and close.
        high: highest price.
        low: lowest price.
        close: last price.
        volume: units traded, 0 or more, or None where that is not known.
        features: groups of readings beside those of prices, as `{"hedge": {"net_gamma_exposure": …}}`.

    Raises:
        InvalidInput: names the attribute.
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
            raise InvalidInput("time", f"{self.time!r:.60} is not a datetime with an offset")
        object.__setattr__(self, "time", self.time.astimezone(UTC))
        for name in PRICES:
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidInput(name, f"{getattr(self, name)!r:.40} is not a number above 0")
        for name in ("open", "close"):
            if not self.low <= getattr(self, name) <= self.high:
                raise InvalidInput(name, f"{getattr(self, name)} lies outside low {self.low} to high {self.high}")
        if self.volume is not None and not 0 <= self.volume < math.inf:
            raise InvalidInput("volume", f"{self.volume!r:.40} is not a number of 0 or more")

    def to_row(self) -> list[Any]:
        """Time in seconds since the epoch, prices and volume: what later bars need of it."""
        return [self.time.timestamp(), *(getattr(self, name) for name in PRICES), self.volume]


def bar_of(row: Sequence[Any]) -> PaperBar:
    """The bar of such a row, without further features."""
    at, *numbers = row
    return PaperBar(datetime.fromtimestamp(at, UTC), *numbers)


def price_bars(bars: Sequence[PaperBar]) -> PriceBars:
    """Bars as columns; without volume unless every bar has one."""
    columns = {name: np.array([getattr(bar, name) for bar in bars], dtype=np.float64) for name in PRICES}
    volumes = [bar.volume for bar in bars]
    volume = None if None in volumes else np.array(volumes, dtype=np.float64)
    time = np.array([int(bar.time.timestamp()) for bar in bars], dtype="datetime64[s]")
    return PriceBars("paper", time, **columns, volume=volume)
