"""Calibration of stated confidence, on synthetic effects of which it is known whether they last."""

from math import inf

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.calibration import Forecasts
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.persistence import probability_of_lasting

_WINDOW_DAYS = 90
_MATCHING_PER_DAY = (2, 4, 8, 16)
_SIZES = (0.08, 0.2)
_BASE_RATES = (0.4, 0.7)
PROBABILITY_BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
"""Edges of the bins of stated confidence."""


def synthetic_forecasts(seed: int, count: int, *, mean_days: float) -> Forecasts:
    """State the confidence that effects last at the end of 90 days of evidence, as the nightly job does.

    Each effect holds on the first day and ends once, at an exponential time. Its size is uniform in 8 to 20 points, the
    success rate of the other decisions in 40 to 70 %, and known.

    Args:
        seed: of the random numbers.
        count: of effects.
        mean_days: how long effects last on average; infinity if they do not end.
    """
    generator = np.random.default_rng(seed)
    confidence, lasts = np.empty(count), np.empty(count, dtype=np.bool_)
    for n in range(count):
        ends_day = generator.exponential(mean_days) if mean_days < inf else inf
        confidence[n], lasts[n] = _state_confidence(generator, ends_day), ends_day >= _WINDOW_DAYS
    return Forecasts(confidence, lasts)


def _state_confidence(generator: np.random.Generator, ends_day: float) -> float:
    days = np.repeat(np.arange(_WINDOW_DAYS), generator.choice(_MATCHING_PER_DAY))
    base, size = generator.uniform(*_BASE_RATES), generator.uniform(*_SIZES)
    return probability_of_lasting(
        days * DAY_MS,
        generator.random(len(days)) < base + size * (days < ends_day),
        np.full(len(days), base),
        is_better=True,
        weight=1.0,
        now_ms=_WINDOW_DAYS * DAY_MS,
        mean_duration_ms=PatternThresholds().mean_duration_ms,
    )
