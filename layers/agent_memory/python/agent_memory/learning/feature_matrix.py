"""Features as a dense boolean matrix: the ones that are worth counting, one row each."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import BoolArray, CodeArray, IntArray
from agent_memory.learning.evidence import key_of
from agent_memory.learning.sparse_features import SparseFeatures

CHOICE = frozenset({"chosen", "propensity", "joint_propensity"})
"""Names under which an agent that judges every option says which of them it followed, and with what probability. That
is a treatment, which goes with all that the agent chose it for, and no fact about the world: only its propensity could
tell what it is worth.
"""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMatrix:
    """`rows[i, j]` says whether decision j has the feature `names[i]`. Names are sorted."""

    names: tuple[str, ...]
    rows: BoolArray


def select_features(
    features: SparseFeatures, *, min_occurrences: int, max_distinct_values: int, max_columns: int
) -> FeatureMatrix:
    """Select the features that are worth counting. Outcomes have no influence on the selection.

    Excluded are the agent's own choice (`CHOICE`), features that fewer than `min_occurrences` decisions have or lack,
    features of keys that look like identifiers, and features that match the same decisions as another one. If more than
    `max_columns` remain, the ones that split the decisions most evenly are kept.

    A key looks like an identifier if it has more than `max_distinct_values` distinct values for each value that a
    decision holds, so that a list of three sources may draw from three times as many.

    Returns:
        A matrix of shape (features, decisions), one byte per cell.
    """
    counts = features.counts
    evenness = np.minimum(counts, features.decisions - counts)
    is_excluded = _is_identifier(features, max_distinct_values) | _is_choice(features)
    kept = np.flatnonzero((evenness >= min_occurrences) & ~is_excluded)
    if len(kept) > max_columns:
        # A stable sort over sorted names: ties never depend on the order of the decisions.
        kept = np.sort(kept[np.argsort(-evenness[kept], kind="stable")[:max_columns]])
    return _without_equal_rows(_matrix(features, kept))


def frequent_features(
    features: SparseFeatures, *, min_occurrences: int, max_distinct_values: int, prefixes: tuple[str, ...]
) -> FeatureMatrix:
    """Return the features with one of these prefixes that occur often enough; see `select_features`."""
    is_frequent = (features.counts >= min_occurrences) & ~_is_identifier(features, max_distinct_values)
    has_prefix = np.fromiter(
        (name.startswith(prefixes) for name in features.vocabulary), np.bool_, len(features.vocabulary)
    )
    return _matrix(features, np.flatnonzero(is_frequent & has_prefix))


def _matrix(features: SparseFeatures, kept: IntArray) -> FeatureMatrix:
    rows = np.zeros((len(kept), features.decisions), dtype=np.bool_)
    for row, code in zip(rows, kept, strict=True):
        row[features.of(int(code))] = True
    return FeatureMatrix(tuple(features.vocabulary[index] for index in kept), rows)


def _is_choice(features: SparseFeatures) -> BoolArray:
    """Return for each feature whether it says that the agent chose what the decision is about."""
    keys = (key_of(feature) for feature in features.vocabulary)
    return np.fromiter((key.rpartition(".")[2] in CHOICE for key in keys), np.bool_, len(features.vocabulary))


def _is_identifier(features: SparseFeatures, limit: int) -> BoolArray:
    """Return for each feature whether its key has too many distinct values."""
    keys = [key_of(feature) for feature in features.vocabulary]
    distinct = Counter(keys)
    identifiers = set()
    for key in (key for key, values in distinct.items() if values > limit):
        has_key = np.fromiter((other == key for other in keys), dtype=np.bool_, count=len(keys))
        decisions = np.concatenate([features.of(int(code)) for code in np.flatnonzero(has_key)])
        if distinct[key] > limit * _mean_values_per_decision(decisions):
            identifiers.add(key)
    return np.fromiter((key in identifiers for key in keys), dtype=np.bool_, count=len(keys))


def _mean_values_per_decision(decisions: CodeArray) -> float:
    """Mean number of values of a key, over the decisions that have any; `decisions` has one entry per value."""
    return len(decisions) / int(np.count_nonzero(np.bincount(decisions)))


def _without_equal_rows(matrix: FeatureMatrix) -> FeatureMatrix:
    """Keep one of the features that match the same decisions: the shortest name, then the first."""
    packed = np.packbits(matrix.rows, axis=1)
    first: dict[bytes, int] = {}
    for index in sorted(range(len(matrix.names)), key=lambda i: (len(matrix.names[i]), matrix.names[i])):
        first.setdefault(packed[index].tobytes(), index)
    kept = sorted(first.values())
    if len(kept) == len(matrix.names):
        return matrix
    return FeatureMatrix(tuple(matrix.names[index] for index in kept), matrix.rows[kept])
