"""The highest of many numbers, without sorting them all."""

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from agent_memory.memory.optional_numpy import optional_numpy


def highest(numbers: Sequence[float], count: int, limit: float) -> Iterable[tuple[int, float]]:
    """The positions and values of the numbers above 0 and up to the limit: at least `count`, where there are as many.

    All that equal the least of them are among them; they are in no particular order.
    """
    np = optional_numpy()
    if np is None:
        least = min(nlargest(count, [one for one in numbers if one <= limit]), default=0.0)
        return [(position, one) for position, one in enumerate(numbers) if max(least, 0.0) <= one <= limit and one > 0]
    values: Any = np.asarray(numbers)
    positions = np.flatnonzero((values > 0) & (values <= limit))
    if count < len(positions):
        candidates = values[positions]
        least = np.partition(candidates, len(candidates) - count)[len(candidates) - count]
        positions = positions[candidates >= least]
    return zip(positions.tolist(), values[positions].tolist(), strict=True)
