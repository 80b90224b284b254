"""Searches the train parts: which combinations differ from the rest by more than chance explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import BoolArray, FloatArray, IntArray
from agent_memory.learning.counting import CombinationCounts, count_combinations, remove_redundant
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.significance import (
    exact_p_values,
    false_discovery_q_values,
    rejection_limits,
    z_test_p_values,
)

# An approximate p-value that is up to ten times too large still gets the exact test wherever rejection is possible.
_SAFETY_FACTOR = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A combination that was found in the train part."""

    dataset: Dataset
    members: tuple[int, ...]
    p_value: float
    q_value: float
    is_better: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the combined features."""
        return self.dataset.feature_names(self.members)

    def matching(self) -> BoolArray:
        """Return which decisions match. Computed on every call, because thousands of these would fill the memory."""
        return self.dataset.matching(self.members)


@dataclass(frozen=True, slots=True, eq=False)
class Discovery:
    """The combinations found, and by decision type all that were tested."""

    found: tuple[Candidate, ...]
    tested: dict[str, CombinationCounts]


def discover(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Discovery:
    """Test every combination in the train parts and keep those within the false discovery rate."""
    tested = [_combinations(dataset, thresholds) for dataset in datasets]
    families = np.concatenate([counts.sizes for counts in tested] or [np.empty(0, np.int64)])
    limits = rejection_limits(families, thresholds.false_discovery_rate)
    ends = np.cumsum([len(counts) for counts in tested]).astype(int)
    slices = [slice(end - len(counts), end) for counts, end in zip(tested, ends, strict=True)]
    p_values = np.empty(len(families), dtype=np.float64)
    for dataset, counts, own in zip(datasets, tested, slices, strict=True):
        p_values[own] = _independent_p_values(dataset, counts, limits[own])

    # Correlated outcomes only make p-values larger and rejections fewer, and a p-value that is not rejected now does
    # not affect whether smaller ones are. So correcting those that are rejected now gives the same result as correcting
    # all of them.
    is_rejected = false_discovery_q_values(p_values, families) <= thresholds.false_discovery_rate
    for dataset, counts, own in zip(datasets, tested, slices, strict=True):
        p_values[own] = _correct_for_correlation(dataset, counts, p_values[own], is_rejected[own])
    q_values = false_discovery_q_values(p_values, families)

    found: list[Candidate] = []
    for dataset, counts, own in zip(datasets, tested, slices, strict=True):
        found.extend(_candidates(dataset, counts, p_values[own], q_values[own], thresholds))
    return Discovery(
        tuple(found), {dataset.decision_type: counts for dataset, counts in zip(datasets, tested, strict=True)}
    )


def _combinations(dataset: Dataset, thresholds: PatternThresholds) -> CombinationCounts:
    """Count the combinations of the train part that are worth testing; outcomes have no influence on the selection."""
    rows, success = dataset.matrix.rows[:, : dataset.train_size], dataset.success[: dataset.train_size]
    occurrences = np.count_nonzero(rows, axis=1)
    is_usable = np.minimum(occurrences, dataset.train_size - occurrences) >= thresholds.min_occurrences
    usable = np.flatnonzero(is_usable)
    counts = count_combinations(
        rows[usable],
        success,
        max_features=thresholds.max_features,
        min_occurrences=thresholds.min_occurrences,
    )
    counts = remove_redundant(counts, len(usable))
    # The padding -1 indexes the last entry, which is appended to map it to itself.
    original = np.append(usable, -1)
    return CombinationCounts(original[counts.members], counts.occurrences, counts.successes)


def _independent_p_values(dataset: Dataset, counts: CombinationCounts, limits: FloatArray) -> FloatArray:
    """Return p-values as if decisions were independent; exact wherever rejection is possible."""
    rest, rest_won = _rest(dataset, counts)
    p_values = z_test_p_values(counts.successes, counts.occurrences, rest_won, rest)
    is_close = p_values <= _SAFETY_FACTOR * limits
    p_values[is_close] = exact_p_values(
        counts.successes[is_close], counts.occurrences[is_close], rest_won[is_close], rest[is_close]
    )
    return p_values


def _correct_for_correlation(
    dataset: Dataset, counts: CombinationCounts, p_values: FloatArray, is_rejected: BoolArray
) -> FloatArray:
    """Return the p-values, those of rejected combinations computed again on effective sample sizes."""
    if not np.any(is_rejected) or all(blocks.correlation <= 0 for blocks in dataset.windows):
        return p_values
    sizes = [dataset.effective_train_sizes(dataset.matching(_members(row))) for row in counts.members[is_rejected]]
    matching, rest = np.floor(np.asarray(sizes)).T
    rest_count, rest_won = _rest(dataset, counts)
    rate, rest_rate = counts.successes / counts.occurrences, rest_won / rest_count
    corrected = p_values.copy()
    corrected[is_rejected] = np.maximum(
        p_values[is_rejected],
        exact_p_values(np.rint(rate[is_rejected] * matching), matching, np.rint(rest_rate[is_rejected] * rest), rest),
    )
    return corrected


def _candidates(
    dataset: Dataset,
    counts: CombinationCounts,
    p_values: FloatArray,
    q_values: FloatArray,
    thresholds: PatternThresholds,
) -> Iterator[Candidate]:
    """Yield the combinations that are rejected and differ by enough to matter."""
    rest, rest_won = _rest(dataset, counts)
    effects = counts.successes / counts.occurrences - rest_won / rest
    is_found = (q_values <= thresholds.false_discovery_rate) & (np.abs(effects) >= thresholds.min_effect)
    for index in np.flatnonzero(is_found):
        yield Candidate(
            dataset=dataset,
            members=_members(counts.members[index]),
            p_value=float(p_values[index]),
            q_value=float(q_values[index]),
            is_better=bool(effects[index] > 0),
        )


def _rest(dataset: Dataset, counts: CombinationCounts) -> tuple[IntArray, IntArray]:
    """Return how many decisions of the train part do not match each combination, and how many of them succeeded."""
    won = int(np.count_nonzero(dataset.success[: dataset.train_size]))
    return dataset.train_size - counts.occurrences, won - counts.successes


def _members(row: IntArray) -> tuple[int, ...]:
    return tuple(int(member) for member in row if member >= 0)
