"""Exponential decay of importance, and an order of items that does not depend on the time.

score × 0.5^((now - t) / half-life) is ± 2^(key - now / half-life), with a key that does not depend on now. Items with
the same half-life and the same sign therefore keep their order for ever: time only shifts all of their keys by one
number.
"""

import math
from dataclasses import dataclass

import numpy as np

from trading_agents.core.arrays import FloatArray

_LARGEST_GROWTH = -1_000.0
_KEY_SLACK = 1e-9
_RELATIVE_SLACK = 4e-15
NEGLIGIBLE = 1e-290
"""Below this importance floating-point numbers lose digits, and keys no longer give the order."""


@dataclass(frozen=True, slots=True)
class DecayGroup:
    """Items with the same half-life (seconds) and the same sign of their score (zero counts as positive).

    `origin`, seconds since the epoch, keeps the keys small and therefore exact.
    """

    half_life: float
    is_negative: bool
    origin: float

    def key(self, score: float, timestamp: float) -> float:
        """Return the key by which an item is ordered, ascending, at any time."""
        if score == 0:
            return -math.inf
        key = math.log2(abs(score)) + (timestamp - self.origin) / self.half_life
        return -key if self.is_negative else key

    def lowest_key(self, importance: float, now: float) -> float:
        """Return a key below which no item has this importance or more now; slightly low, to allow for rounding."""
        if not self.is_negative and importance <= NEGLIGIBLE:
            return -math.inf
        key, slack = self._key_at(importance, now)
        return key - slack

    def highest_key(self, importance: float, now: float) -> float:
        """Return a key above which no item has this importance or less now; slightly high, to allow for rounding."""
        if not self.is_negative:
            importance = max(importance, NEGLIGIBLE)
        key, slack = self._key_at(importance, now)
        return key + slack

    def approximate_importance(self, keys: FloatArray, now: float) -> FloatArray:
        """Return the importance of items now, up to rounding; same shape as `keys`."""
        now_key = (now - self.origin) / self.half_life
        with np.errstate(all="ignore"):
            importance: FloatArray = -np.exp2(-keys - now_key) if self.is_negative else np.exp2(keys - now_key)
        return importance

    def exact_importance(self, score: float, timestamp: float, now: float) -> float:
        """Return the importance of an item now, computed as the formula says."""
        return score * decay_factor(now - timestamp, self.half_life)

    def rank(self, key: float, now: float) -> tuple[int, float]:
        """Return a sort key for items of any group by importance, finer than floating-point importance itself."""
        now_key = (now - self.origin) / self.half_life
        return (0, key + now_key) if self.is_negative else (1, key - now_key)

    def _key_at(self, importance: float, now: float) -> tuple[float, float]:
        """Return the key of an item with this importance now, and a bound on its rounding error."""
        if self.is_negative and importance >= 0:
            return math.inf, 0.0
        now_key = (now - self.origin) / self.half_life
        key = math.log2(abs(importance)) + now_key
        slack = _KEY_SLACK + _RELATIVE_SLACK * (abs(key) + abs(now_key))
        return (-key if self.is_negative else key), slack


def decay_factor(age: float, half_life: float) -> float:
    """Return 0.5^(age / half-life), both in seconds; above 1 for a timestamp in the future."""
    return float(0.5 ** max(age / half_life, _LARGEST_GROWTH))
