"""The same counting as a plain loop over dictionaries: slow, and easy to believe."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations


def plain_counts(
    rows: Sequence[Sequence[bool]], success: Sequence[bool], *, max_features: int, min_occurrences: int
) -> dict[tuple[int, ...], tuple[int, int]]:
    """Map each combination of columns to (occurrences, successes)."""
    occurrences: Counter[tuple[int, ...]] = Counter()
    successes: Counter[tuple[int, ...]] = Counter()
    for decision, won in enumerate(success):
        present = [column for column, row in enumerate(rows) if row[decision]]
        for size in range(1, max_features + 1):
            for members in combinations(present, size):
                occurrences[members] += 1
                successes[members] += won
    return {members: (count, successes[members]) for members, count in occurrences.items() if count >= min_occurrences}
