"""Features as columns of booleans: which decisions have which fact."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from agent_memory.learning.evidence import key_of

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """`rows[i, j]` says whether decision j has the feature `names[i]`. Names are sorted."""

    names: tuple[str, ...]
    rows: BoolArray


def columns_of(
    features: Sequence[tuple[str, ...]],
    *,
    min_occurrences: int,
    max_distinct_values: int,
    max_columns: int,
) -> Columns:
    """Turn the features of many decisions into columns worth counting; outcomes play no part in the choice.

    Left out are: features that fewer than `min_occurrences` decisions have or lack; keys whose values look
    unique (more than `max_distinct_values` distinct values for each value a decision holds, so that a list of
    three sources may come from three times as many); columns equal to another one. Of more than `max_columns`
    those stay that split the decisions most evenly.

    Returns:
        Columns of shape (features, decisions), one byte a cell.
    """
    flat = list(chain.from_iterable(features))
    vocabulary = sorted(set(flat))
    code = {feature: index for index, feature in enumerate(vocabulary)}
    codes = np.fromiter(map(code.__getitem__, flat), dtype=np.int64, count=len(flat))
    lengths = np.fromiter(map(len, features), dtype=np.int64, count=len(features))
    row = np.repeat(np.arange(len(features), dtype=np.int64), lengths)

    counts = np.bincount(codes, minlength=len(vocabulary)).astype(np.int64)
    evenness = np.minimum(counts, len(features) - counts)
    worth = evenness >= min_occurrences
    worth &= ~_looks_unique(vocabulary, codes, row, max_distinct_values)
    kept = np.flatnonzero(worth)
    if len(kept) > max_columns:
        # A stable sort over sorted names: ties never depend on the order of the decisions.
        kept = np.sort(kept[np.argsort(-evenness[kept], kind="stable")[:max_columns]])

    position = np.full(len(vocabulary), -1, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    column = position[codes]
    is_kept = column >= 0
    rows = np.zeros((len(kept), len(features)), dtype=np.bool_)
    rows[column[is_kept], row[is_kept]] = True
    return _without_equal_columns(Columns(tuple(vocabulary[index] for index in kept), rows))


def _looks_unique(vocabulary: Sequence[str], codes: IntArray, row: IntArray, limit: int) -> BoolArray:
    """Say for each feature whether its key has too many distinct values."""
    keys = [key_of(feature) for feature in vocabulary]
    distinct = Counter(keys)
    unique_keys = set()
    for key in (key for key, values in distinct.items() if values > limit):
        of_key = np.fromiter((other == key for other in keys), dtype=np.bool_, count=len(keys))
        cells = row[of_key[codes]]
        values_a_decision = len(cells) / len(np.unique(cells))
        if distinct[key] > limit * values_a_decision:
            unique_keys.add(key)
    return np.fromiter((key in unique_keys for key in keys), dtype=np.bool_, count=len(keys))


def _without_equal_columns(columns: Columns) -> Columns:
    """Keep one of the columns that hold for the same decisions: the shortest name, then the first."""
    packed = np.packbits(columns.rows, axis=1)
    first: dict[bytes, int] = {}
    for index in sorted(range(len(columns.names)), key=lambda i: (len(columns.names[i]), columns.names[i])):
        first.setdefault(packed[index].tobytes(), index)
    kept = sorted(first.values())
    if len(kept) == len(columns.names):
        return columns
    return Columns(tuple(columns.names[index] for index in kept), columns.rows[kept])
