"""The evidence of one decision type, split by time: patterns are searched in the older part and confirmed in the newer.

train: the older decisions                              holdout: the newer decisions
|------------------------------------------------------|---------------------------|
discovery counts and tests combinations here            identification confirms here
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import BoolArray, ByteArray, IntArray
from agent_memory.learning.comparison import Comparison, compare, half_life_weights
from agent_memory.learning.design_effect import TimeBlocks, effective_sample_sizes, time_blocks
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.feature_matrix import FeatureMatrix, select_features
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.significance import exact_p_values


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """All decisions of one type, oldest first; the first `train_size` of them are the train part.

    Attributes:
        table: the evidence.
        matrix: the features that are worth counting.
        windows: the decisions in blocks of time, for each correlation window.
        train_windows: the same for the train part alone.
        train_size: number of decisions in the train part.
        train_success_bits: which decisions of the train part succeeded, packed to bits.
    """

    table: EvidenceTable
    matrix: FeatureMatrix
    windows: tuple[TimeBlocks, ...]
    train_windows: tuple[TimeBlocks, ...]
    train_size: int
    train_success_bits: ByteArray

    @property
    def decision_type(self) -> str:
        """The type of the decisions."""
        return self.table.decision_type

    @property
    def success(self) -> BoolArray:
        """Which decisions succeeded; shape (decisions,)."""
        return self.table.success

    @property
    def times_ms(self) -> IntArray:
        """When each decision was made, in milliseconds since 1970."""
        return self.table.times_ms

    @property
    def holdout_begins_ms(self) -> int:
        """The time of the first decision of the holdout. Raises IndexError for an empty holdout."""
        return int(self.times_ms[self.train_size])

    def matching(self, members: Sequence[int]) -> BoolArray:
        """Return which decisions have all these features, given as row numbers of `matrix`."""
        first, *others = members
        matching: BoolArray = self.matrix.rows[first].copy()
        for member in others:
            matching &= self.matrix.rows[member]
        return matching

    def feature_names(self, members: Sequence[int]) -> tuple[str, ...]:
        """Return the names of features, given as row numbers of `matrix`."""
        return tuple(self.matrix.names[member] for member in members)

    def effective_train_sizes(self, matching: BoolArray) -> tuple[float, float]:
        """Return the effective sample sizes of the matching decisions and of the rest in the train part."""
        return effective_sample_sizes(matching[: self.train_size], self.train_windows)

    def compare_holdout(self, matching: BoolArray) -> Comparison:
        """Compare matching decisions with the rest in the holdout."""
        return self._compare(matching, slice(self.train_size, None))

    def compare_all(self, matching: BoolArray) -> Comparison:
        """Compare matching decisions with the rest over the whole period."""
        return self._compare(matching, slice(None))

    def compare_recent(self, matching: BoolArray, *, from_ms: int, half_life_ms: int) -> Comparison:
        """Compare matching decisions with the rest from a time on, with weights that halve every half-life of age.

        The comparison ends with the last matching decision: later decisions of the rest say nothing about a combination
        that has not occurred again.
        """
        first = int(np.searchsorted(self.times_ms, from_ms))
        positions = np.flatnonzero(matching)
        which = slice(first, int(positions[-1]) + 1 if len(positions) else first)
        times = self.times_ms[which]
        weights = half_life_weights((times[-1:] - times).astype(np.float64), half_life_ms)
        windows = [blocks.select(which) for blocks in self.windows]
        return compare(matching[which], self.success[which], windows, weights)

    def compare_before(self, matching: BoolArray, *, until_ms: int, half_life_ms: int) -> Comparison:
        """Compare matching decisions with the rest up to a time, with a smaller effective size the older they are.

        A decision's weight is halved for every half-life before the last matching one, as in `compare_recent`.
        """
        end = int(np.searchsorted(self.times_ms, until_ms))
        times = self.times_ms[matching]
        before = times[: int(np.count_nonzero(matching[:end]))]
        weights = half_life_weights((times[-1:] - before).astype(np.float64), half_life_ms)
        return self._compare(matching, slice(None, end)).discounted(float(np.mean(weights)) if len(weights) else 0.0)

    def differs_within(self, matching: BoolArray, general: ByteArray, level: float) -> bool:
        """Whether matching decisions differ from the rest of those that match a more general combination.

        This is a two-sided exact test in the train part. Correlated outcomes only make its p-value larger, so they are
        accounted for only if the test rejects without them.

        Args:
            matching: shape (decisions,); all of them match the general combination too.
            general: which decisions of the train part match that, packed to bits because hundreds of these are kept.
            level: of the test.
        """
        inside = np.packbits(matching[: self.train_size])
        count, general_count = _count_ones(inside), _count_ones(general)
        won = _count_ones(inside & self.train_success_bits)
        general_won = _count_ones(general & self.train_success_bits)
        if exact_p_values(won, count, general_won - won, general_count - count)[0] > level:
            return False
        which = np.flatnonzero(np.unpackbits(general, count=self.train_size).view(np.bool_))
        return self._compare(matching, which).p_value() <= level

    def _compare(self, matching: BoolArray, which: slice | IntArray) -> Comparison:
        windows = [blocks.select(which) for blocks in self.windows]
        return compare(matching[which], self.success[which], windows)


def build_dataset(table: EvidenceTable, thresholds: PatternThresholds) -> Dataset:
    """Split one type's evidence by time, and select the features to count."""
    windows = tuple(time_blocks(table.times_ms, table.success, width) for width in thresholds.correlation_windows_ms)
    matrix = select_features(
        table.features,
        min_occurrences=thresholds.min_occurrences,
        max_distinct_values=thresholds.max_distinct_values,
        max_columns=thresholds.max_columns,
    )
    train_size = _train_size(windows[0].labels, thresholds.holdout_fraction)
    return Dataset(
        table=table,
        matrix=matrix,
        windows=windows,
        train_windows=tuple(blocks.select(slice(None, train_size)) for blocks in windows),
        train_size=train_size,
        train_success_bits=np.packbits(table.success[:train_size]),
    )


def _train_size(labels: IntArray, holdout_fraction: float) -> int:
    """Return where the holdout begins; decisions of one block of the shortest window are not separated."""
    target = round(len(labels) * (1 - holdout_fraction))
    if target >= len(labels):
        return len(labels)
    return int(np.searchsorted(labels, labels[target]))


def _count_ones(bits: ByteArray) -> int:
    return int(np.bitwise_count(bits).sum())
