"""The values of one measurement, and their exact mean and quantiles.

Sorted runs stay as they are, and are shared by all groups that have them: the value at a rank is found by bisection of
the runs, and nothing is merged.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from agent_memory.decisions.rollups import Values, no_values

_RUN = 1_000
"""From this length on, a run is kept; the values of shorter ones are sorted together."""


@dataclass(slots=True)
class Measurements:
    """The values of one measurement."""

    runs: list[Values] = field(default_factory=list)
    others: Values = field(default_factory=no_values)

    def add(self, ordered: Values) -> None:
        """Add values, which are sorted."""
        if len(ordered) >= _RUN:
            self.runs.append(ordered)
        else:
            self.others.extend(ordered)

    def as_dict(self) -> dict[str, float | int] | None:
        """Number, mean, median, 95th percentile, minimum and maximum of the values; None if there are none."""
        runs = [run for run in (*self.runs, sorted(self.others)) if run]
        if not runs:
            return None
        size = sum(map(len, runs))
        return {
            "count": size,
            "mean": math.fsum(chain.from_iterable(runs)) / size,
            "median": _median(runs, size),
            # The smallest value that 95 % of the values do not exceed.
            "p95": value_at(runs, -(-95 * size // 100) - 1),
            "min": min(run[0] for run in runs),
            "max": max(run[-1] for run in runs),
        }


def value_at(runs: Sequence[Sequence[float]], rank: int) -> float:
    """The value at a rank, from 0, of all values of sorted runs in order."""
    while len(runs) > 1:
        longest = max(runs, key=len)
        pivot = longest[len(longest) // 2]
        starts = [bisect_left(run, pivot) for run in runs]
        below = sum(starts)
        if rank < below:
            runs = [run[:start] for run, start in zip(runs, starts, strict=True) if start]
            continue
        ends = [bisect_right(run, pivot, start) for run, start in zip(runs, starts, strict=True)]
        if rank < sum(ends):
            return pivot
        rank -= sum(ends)
        runs = [run[end:] for run, end in zip(runs, ends, strict=True) if end < len(run)]
    return runs[0][rank]


def _median(runs: Sequence[Sequence[float]], size: int) -> float:
    middle = value_at(runs, size // 2)
    return middle if size % 2 else (value_at(runs, size // 2 - 1) + middle) / 2
