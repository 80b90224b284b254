"""`Bars`: bars of several symbols, aligned in time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from trading_agents.bars.errors import BarsError
from trading_agents.bars.price_bars import PriceBars
from trading_agents.core.arrays import FloatArray, TimeArray


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Open, high, low, close and volume, oldest bar first.

    Every array has the shape (bars, symbols). Prices and volumes are already adjusted for splits. `labels` are the
    times of the bars as their source writes them; only their order matters here.
    """

    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.labels), len(self.symbols))
        for name in ("open", "high", "low", "close", "volume"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has the shape {getattr(self, name).shape}, expected {shape}")

    def __len__(self) -> int:
        return len(self.labels)

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that differ if any symbol, time, price or volume differs."""
        digest = hashlib.sha256("\n".join((*self.symbols, "", *self.labels)).encode())
        for values in (self.open, self.high, self.low, self.close, self.volume):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:16]


def align(series: Mapping[str, PriceBars]) -> Bars:
    """Return the bars of several symbols at the times that all of them have; a symbol without volume has volume 0.

    Raises:
        BarsError: the symbols have no time in common.
    """
    time: TimeArray = reduce(np.intersect1d, (bars.time for bars in series.values()))
    if not len(time):
        raise BarsError(f"the symbols {', '.join(series)} have no time in common")
    symbols = tuple(sorted(series))
    common = [series[symbol].take(np.isin(series[symbol].time, time)) for symbol in symbols]
    unknown = np.zeros(len(time))
    are_days = bool((time == time.astype("datetime64[D]")).all())
    return Bars(
        symbols=symbols,
        labels=tuple(str(moment)[:10] if are_days else str(moment) for moment in time),
        open=np.column_stack([bars.open for bars in common]),
        high=np.column_stack([bars.high for bars in common]),
        low=np.column_stack([bars.low for bars in common]),
        close=np.column_stack([bars.close for bars in common]),
        volume=np.column_stack([unknown if bars.volume is None else bars.volume for bars in common]),
    )
