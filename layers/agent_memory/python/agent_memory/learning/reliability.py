"""Whether stated chances can be taken at their word: forecasts beside what came of them. Chances are 0 to 1."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agent_memory.learning.columns import BoolArray, FloatArray
from agent_memory.learning.intervals import wilson_interval


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts of about the same chance.

    `low` and `high` bound what was stated, `stated` is its mean, `came_true` the share that did, `interval` the
    latter's 95 % Wilson interval.
    """

    low: float
    high: float
    count: int
    stated: float
    came_true: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the share that came true."""
        return wilson_interval(self.came_true, self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """The chance that was stated of each event, and whether it came about; shape (forecasts,) each."""

    stated: FloatArray
    came_true: BoolArray

    @property
    def brier(self) -> float:
        """Mean squared difference of statement and event; Brier, Monthly Weather Review 78 (1950) 1-3."""
        return float(np.mean((self.stated - self.came_true) ** 2))

    @property
    def brier_of_base_rate(self) -> float:
        """The same for one who knows how many come true in all, and states that share every time."""
        share = float(np.mean(self.came_true))
        return share * (1 - share)

    def bins(self, edges: Sequence[float]) -> Iterator[Bin]:
        """The forecasts by what was stated; bins without any are left out.

        `edges` ascend, and the last one belongs to its bin. These are the rows of a reliability diagram: Murphy,
        Winkler, Applied Statistics 26 (1977) 41-47.
        """
        for low, high in pairwise(edges):
            here = (self.stated >= low) & ((self.stated < high) | (high == edges[-1]))
            if np.any(here):
                stated, came_true = float(np.mean(self.stated[here])), float(np.mean(self.came_true[here]))
                yield Bin(low, high, int(np.sum(here)), stated, came_true)

    def calibration_error(self, edges: Sequence[float]) -> float:
        """Mean distance of what was stated from what came true, bin by bin, weighted by their sizes."""
        distances = (one.count * abs(one.stated - one.came_true) for one in self.bins(edges))
        return sum(distances) / len(self.stated)
