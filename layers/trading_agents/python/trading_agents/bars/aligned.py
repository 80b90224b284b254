"""`Bars`: bars of several symbols, aligned in time."""

import hashlib
from dataclasses import dataclass

import numpy as np

from trading_agents.core.arrays import FloatArray


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
