"""The rows that estimates are fitted to: which option each decision chose, in which context, with which weight."""

from collections.abc import Iterator, Sequence

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.core.option_limits import MAX_OPTIONS
from agent_memory.learning.array_types import BoolArray, FloatArray, IntArray
from agent_memory.learning.estimates import MAX_EFFECTS, MAX_FEATURES, ResultRows
from agent_memory.learning.evidence import SELECTED_SOURCES, SOURCE, key_of, value_of
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.feature_matrix import frequent_features
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.sparse_features import SparseFeatures

MAX_KEYS = 8
_CONTEXT, _MARKET = "context.", "context.market."


def result_rows(
    table: EvidenceTable, choice: str, thresholds: PatternThresholds, end_ms: int, results: FloatArray | None = None
) -> ResultRows | None:
    """The rows of one choice in one decision type; None if no decision names it.

    A decision that chose several options, as `reasoning.selected` does, has a row for each, which share its weight; of
    decisions that share one outcome (`cluster_codes`), those that chose the same option share the weight of one. Facts
    are those of the context that are worth counting, of at most `MAX_KEYS` keys, those of the market first.

    Args:
        table: the evidence.
        choice: the path, as `reasoning.source`.
        thresholds: which facts are worth counting.
        end_ms: the time at which a decision would have the age 0.
        results: of the decisions, NaN for none; by default their success.
    """
    options, rows, option_codes = _options(table.features, SOURCE if choice == SELECTED_SOURCES else choice)
    values = table.success.astype(np.float64) if results is None else results
    has_result = np.isfinite(values[rows])
    rows, option_codes = rows[has_result], option_codes[has_result]
    if not len(rows):
        return None
    facts, fact_codes = _facts(table.features, thresholds, len(options))
    return ResultRows(
        options=options,
        facts=facts,
        option_codes=option_codes,
        fact_codes=fact_codes[rows],
        shares=_shares(table, rows, option_codes),
        ages=(end_ms - table.times_ms[rows]) / DAY_MS,
        results=values[rows],
        days=table.times_ms[rows] // DAY_MS,
    )


def _options(features: SparseFeatures, key: str) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """The values of a key, the most frequent ones; and the decisions that have them, with the value of each."""
    prefix = f"{key}="
    codes = [code for code, name in enumerate(features.vocabulary) if name.startswith(prefix) and value_of(name)]
    frequent = sorted(sorted(codes, key=lambda code: (-int(features.counts[code]), code))[:MAX_OPTIONS])
    rows = [features.of(code).astype(np.int64) for code in frequent]
    option_codes = [np.full(len(one), option, dtype=np.int64) for option, one in enumerate(rows)]
    nothing = np.empty(0, dtype=np.int64)
    return (
        tuple(value_of(features.vocabulary[code]) for code in frequent),
        np.concatenate([nothing, *rows]),
        np.concatenate([nothing, *option_codes]),
    )


def _shares(table: EvidenceTable, rows: IntArray, option_codes: IntArray) -> FloatArray:
    """The weight of each row before its age counts."""
    shares = 1 / np.bincount(rows)[rows]
    clusters = table.cluster_codes[rows].astype(np.int64)
    groups = np.where(clusters >= 0, clusters, np.max(clusters) + 1 + rows) * MAX_OPTIONS + option_codes
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(shares / counts[group], dtype=np.float64)


def _facts(
    features: SparseFeatures, thresholds: PatternThresholds, options: int
) -> tuple[tuple[tuple[str, ...], ...], IntArray]:
    """The facts of the context by key, and which of them each decision has; shape (decisions, keys)."""
    facts: list[tuple[str, ...]] = []
    columns: list[IntArray] = []
    count = 0
    for names, matching in _by_key(features, thresholds):
        count += len(names)
        has_room = count < MAX_FEATURES and 1 + count + options * (1 + count) <= MAX_EFFECTS
        if len(facts) == MAX_KEYS or not has_room:
            break
        facts.append(names)
        columns.append(np.where(matching.any(axis=0), np.argmax(matching, axis=0), -1).astype(np.int64))
    if not columns:
        return (), np.empty((features.decisions, 0), dtype=np.int64)
    return tuple(facts), np.column_stack(columns)


def _by_key(features: SparseFeatures, thresholds: PatternThresholds) -> Iterator[tuple[tuple[str, ...], BoolArray]]:
    """Yield the facts of each key and the decisions that have them; the keys of the market and the most even first.

    Left out are keys with one value, and those of which a decision has several.
    """
    matrix = frequent_features(
        features,
        min_occurrences=min(thresholds.min_occurrences, max(1, features.decisions // 20)),
        max_distinct_values=thresholds.max_distinct_values,
        prefixes=(_CONTEXT,),
    )
    keys: dict[str, list[int]] = {}
    for index, name in enumerate(matrix.names):
        keys.setdefault(key_of(name), []).append(index)
    usable = {key: rows for key, rows in keys.items() if _distinguishes(matrix.rows[rows])}
    for key in sorted(usable, key=lambda key: (not key.startswith(_MARKET), -_evenness(matrix.rows[usable[key]]), key)):
        yield tuple(matrix.names[index] for index in usable[key]), matrix.rows[usable[key]]


def _distinguishes(matching: BoolArray) -> bool:
    """Whether decisions differ in these values of a key, and each has at most one."""
    counts = np.count_nonzero(matching, axis=1)
    return bool(np.all(np.sum(matching, axis=0) <= 1)) and bool(np.max(counts) < matching.shape[1])


def _evenness(matching: BoolArray) -> float:
    """The entropy of the values of a key, rounded, so that equal ones are equal."""
    shares: Sequence[float] = np.count_nonzero(matching, axis=1) / matching.shape[1]
    return round(float(-np.sum(shares * np.log(shares))), 6)
