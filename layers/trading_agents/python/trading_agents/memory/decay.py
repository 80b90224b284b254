"""How importance fades: `Fading` keeps the order of all items of one half-life, whatever the time.

score × 0.5^((now - t) / half-life) is ± 2^(key - now / half-life) with a key that does not depend on now: items of one
half-life and one sign keep their order for ever, and one number more or less is all that time changes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_GROWTH = -1_000.0
_KEY_SLACK = 1e-9
_RELATIVE_SLACK = 4e-15
NOTHING = 1e-290
"""Less than this is left: floating-point numbers run out of digits here, and keys no longer tell the order."""


@dataclass(frozen=True, slots=True)
class Fading:
    """Items of one half-life (seconds) and one sign of their score (zero counts as positive).

    `origin`, seconds since the epoch, keeps the keys small, and so exact.
    """

    half_life: float
    is_negative: bool
    origin: float

    def key(self, score: float, timestamp: float) -> float:
        """What an item is ordered by, ascending, at any time."""
        if score == 0:
            return -math.inf
        key = math.log2(abs(score)) + (timestamp - self.origin) / self.half_life
        return -key if self.is_negative else key

    def key_from(self, value: float, now: float) -> float:
        """No item below this key is worth `value` or more now; a little low, for rounding."""
        if not self.is_negative and value <= NOTHING:
            return -math.inf
        key, slack = self._key_of(value, now)
        return key - slack

    def key_up_to(self, value: float, now: float) -> float:
        """No item above this key is worth `value` or less now; a little high, for rounding."""
        if not self.is_negative:
            value = max(value, NOTHING)
        key, slack = self._key_of(value, now)
        return key + slack

    def about(self, keys: NDArray[np.float64], now: float) -> NDArray[np.float64]:
        """What is left of items' importance now, but for rounding; shape as `keys`."""
        now_key = (now - self.origin) / self.half_life
        with np.errstate(all="ignore"):
            faded: NDArray[np.float64] = -np.exp2(-keys - now_key) if self.is_negative else np.exp2(keys - now_key)
        return faded

    def rank(self, key: float, now: float) -> tuple[int, float]:
        """Orders items of any fading by what is left of them, down to differences too small for a number to show."""
        now_key = (now - self.origin) / self.half_life
        return (0, key + now_key) if self.is_negative else (1, key - now_key)

    def exactly(self, score: float, timestamp: float, now: float) -> float:
        """What is left of an item's importance now."""
        return score * decay(now - timestamp, self.half_life)

    def _key_of(self, value: float, now: float) -> tuple[float, float]:
        """The key of what is worth `value` now, and how far rounding may be off."""
        if self.is_negative and value >= 0:
            return math.inf, 0.0
        now_key = (now - self.origin) / self.half_life
        key = math.log2(abs(value)) + now_key
        slack = _KEY_SLACK + _RELATIVE_SLACK * (abs(key) + abs(now_key))
        return (-key if self.is_negative else key), slack


def decay(age: float, half_life: float) -> float:
    """0.5^(age / half-life), both in seconds: above 1 for what lies ahead."""
    return float(0.5 ** max(age / half_life, _MOST_GROWTH))
