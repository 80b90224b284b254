"""The counting of combinations as a plain loop over dictionaries: slow, and easy to believe."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

Combination = tuple[str, ...]
Facts = dict[str, bool]


def count_in_dictionaries(
    decisions: Iterable[tuple[Facts, bool]], wanted: frozenset[str], *, max_features: int, min_occurrences: int
) -> dict[Combination, tuple[int, int]]:
    """Map each combination of wanted facts to how many decisions have it and how many of those succeeded.

    Args:
        decisions: the facts of each, true where they hold, and whether it succeeded.
        wanted: facts that are counted.
        max_features: facts combined at most.
        min_occurrences: rarer combinations are left out.
    """
    occurrences: Counter[Combination] = Counter()
    successes: Counter[Combination] = Counter()
    for facts, won in decisions:
        present = sorted(name for name, holds in facts.items() if holds and name in wanted)
        for size in range(1, max_features + 1):
            for combination in combinations(present, size):
                occurrences[combination] += 1
                successes[combination] += won
    return {one: (count, successes[one]) for one, count in occurrences.items() if count >= min_occurrences}


def plain_counts(
    rows: Sequence[Sequence[bool]], success: Sequence[bool], *, max_features: int, min_occurrences: int
) -> dict[tuple[int, ...], tuple[int, int]]:
    """The same for columns of booleans: map ascending column numbers to (occurrences, successes)."""
    occurrences: Counter[tuple[int, ...]] = Counter()
    successes: Counter[tuple[int, ...]] = Counter()
    for decision, won in enumerate(success):
        present = [column for column, row in enumerate(rows) if row[decision]]
        for size in range(1, max_features + 1):
            for members in combinations(present, size):
                occurrences[members] += 1
                successes[members] += won
    return {members: (count, successes[members]) for members, count in occurrences.items() if count >= min_occurrences}
