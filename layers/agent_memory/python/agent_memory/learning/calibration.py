"""Calibration: whether stated probabilities agree with how often the events happened. Probabilities are 0 to 1."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agent_memory.learning.array_types import BoolArray, FloatArray
from agent_memory.learning.intervals import wilson_interval


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Forecasts with similar probabilities: between `low` and `high`.

    `mean_probability` is the mean of the forecasts, `frequency` the share of events that happened.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    frequency: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the frequency."""
        return wilson_interval(self.frequency, self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """The probability forecast for each event, and whether the event happened; shape (forecasts,) each."""

    probabilities: FloatArray
    happened: BoolArray

    @property
    def brier_score(self) -> float:
        """Mean squared difference of probability and event; Brier, Monthly Weather Review 78 (1950) 1-3."""
        return float(np.mean((self.probabilities - self.happened) ** 2))

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def base_rate_brier_score(self) -> float:
        """The Brier score of always forecasting the share of events that happened, which is known in hindsight only."""
        share = float(np.mean(self.happened))
        return share * (1 - share)

    def bins(self, edges: Sequence[float]) -> Iterator[CalibrationBin]:
        """The forecasts binned by probability, without empty bins: the points of a reliability diagram.

        `edges` are ascending; the last bin includes its upper edge. Murphy and Winkler, Applied Statistics 26 (1977)
        41-47.
        """
        for low, high in pairwise(edges):
            in_bin = (self.probabilities >= low) & ((self.probabilities < high) | (high == edges[-1]))
            if np.any(in_bin):
                mean, frequency = float(np.mean(self.probabilities[in_bin])), float(np.mean(self.happened[in_bin]))
                yield CalibrationBin(low, high, int(np.sum(in_bin)), mean, frequency)

    def calibration_error(self, edges: Sequence[float]) -> float:
        """Expected calibration error: mean |probability − frequency| over bins, weighted by their counts."""
        errors = (one.count * abs(one.mean_probability - one.frequency) for one in self.bins(edges))
        return sum(errors) / len(self)
