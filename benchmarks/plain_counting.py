"""Counts combinations of features in a plain loop: slow, but easy to verify."""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import TypeVar

Feature = TypeVar("Feature", int, str)


def count_in_loop(
    decisions: Iterable[tuple[Iterable[Feature], bool]], *, max_features: int, min_occurrences: int
) -> dict[tuple[Feature, ...], tuple[int, int]]:
    """Map each combination to how many decisions have it and how many of those succeeded.

    Args:
        decisions: the features of each decision, and whether it succeeded.
        max_features: largest number of features in a combination.
        min_occurrences: combinations that occur less often are left out.
    """
    occurrences: Counter[tuple[Feature, ...]] = Counter()
    successes: Counter[tuple[Feature, ...]] = Counter()
    for features, success in decisions:
        present = sorted(features)
        for size in range(1, max_features + 1):
            for combination in combinations(present, size):
                occurrences[combination] += 1
                successes[combination] += success
    return {one: (count, successes[one]) for one, count in occurrences.items() if count >= min_occurrences}
