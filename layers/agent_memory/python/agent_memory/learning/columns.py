"""Features as columns of booleans: which decisions have which fact."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.evidence import key_of
from agent_memory.learning.tables import BoolArray, CodeArray, Facts, FloatArray, IntArray

__all__ = ["BoolArray", "Columns", "FloatArray", "IntArray", "columns_of", "recurring"]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """`rows[i, j]` says whether decision j has the feature `names[i]`. Names are sorted."""

    names: tuple[str, ...]
    rows: BoolArray


def columns_of(facts: Facts, *, min_occurrences: int, max_distinct_values: int, max_columns: int) -> Columns:
    """Turn the facts of many decisions into columns worth counting; outcomes play no part in the choice.

    Left out are: features that fewer than `min_occurrences` decisions have or lack; keys whose values look
    unique (more than `max_distinct_values` distinct values for each value a decision holds, so that a list of
    three sources may come from three times as many); columns equal to another one. Of more than `max_columns`
    those stay that split the decisions most evenly.

    Returns:
        Columns of shape (features, decisions), one byte a cell.
    """
    counts = np.bincount(facts.codes, minlength=len(facts.vocabulary)).astype(np.int64)
    evenness = np.minimum(counts, facts.decisions - counts)
    kept = np.flatnonzero((evenness >= min_occurrences) & ~_looks_unique(facts, max_distinct_values))
    if len(kept) > max_columns:
        # A stable sort over sorted names: ties never depend on the order of the decisions.
        kept = np.sort(kept[np.argsort(-evenness[kept], kind="stable")[:max_columns]])
    return _without_equal_columns(_columns(facts, kept))


def recurring(facts: Facts, *, min_occurrences: int, max_distinct_values: int, prefixes: tuple[str, ...]) -> Columns:
    """Columns of the facts with one of these prefixes that come back, however common: see `columns_of`."""
    counts = np.bincount(facts.codes, minlength=len(facts.vocabulary))
    worth = (counts >= min_occurrences) & ~_looks_unique(facts, max_distinct_values)
    named = np.fromiter((name.startswith(prefixes) for name in facts.vocabulary), np.bool_, len(facts.vocabulary))
    return _columns(facts, np.flatnonzero(worth & named))


def _columns(facts: Facts, kept: IntArray) -> Columns:
    position = np.full(len(facts.vocabulary), -1, dtype=np.int32)
    position[kept] = np.arange(len(kept))
    column = position[facts.codes]
    is_kept = column >= 0
    rows = np.zeros((len(kept), facts.decisions), dtype=np.bool_)
    rows[column[is_kept], facts.row[is_kept]] = True
    return Columns(tuple(facts.vocabulary[index] for index in kept), rows)


def _looks_unique(facts: Facts, limit: int) -> BoolArray:
    """Say for each feature whether its key has too many distinct values."""
    keys = [key_of(feature) for feature in facts.vocabulary]
    distinct = Counter(keys)
    unique_keys = set()
    for key in (key for key, values in distinct.items() if values > limit):
        of_key = np.fromiter((other == key for other in keys), dtype=np.bool_, count=len(keys))
        cells = facts.row[of_key[facts.codes]]
        if distinct[key] > limit * _values_a_decision(cells):
            unique_keys.add(key)
    return np.fromiter((key in unique_keys for key in keys), dtype=np.bool_, count=len(keys))


def _values_a_decision(cells: CodeArray) -> float:
    """How many values of a key the decisions that have any hold on average, from the decision of each value."""
    return len(cells) / int(np.count_nonzero(np.bincount(cells)))


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
