"""The older part of the record: which combinations differ from the rest by more than luck explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.clustering import Blocks, blocks_of, effective_sizes
from agent_memory.learning.columns import BoolArray, Columns, FloatArray, IntArray, columns_of
from agent_memory.learning.comparison import Comparison, compare, half_life_weights
from agent_memory.learning.counting import Counts, count_combinations, without_implied
from agent_memory.learning.model import PatternThresholds
from agent_memory.learning.statistics import (
    difference_p_values,
    exact_p_values,
    false_discovery_q_values,
    rejection_limits,
)
from agent_memory.learning.tables import ByteArray, EvidenceTable

# A quick p-value up to ten times too large still gets the exact test wherever rejection is possible.
_SAFETY = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """All decisions of one type, oldest first; the first `older` of them are searched, the rest confirm."""

    table: EvidenceTable
    columns: Columns
    scales: tuple[Blocks, ...]
    older_scales: tuple[Blocks, ...]
    older: int
    older_success_bits: ByteArray

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
        """When each was made, in milliseconds since 1970."""
        return self.table.times_ms

    def matching(self, members: Sequence[int]) -> BoolArray:
        """Say which decisions have all these columns."""
        first, *others = members
        held: BoolArray = self.columns.rows[first].copy()
        for member in others:
            held &= self.columns.rows[member]
        return held

    def features(self, members: Sequence[int]) -> tuple[str, ...]:
        """Return the names of these columns."""
        return tuple(self.columns.names[member] for member in members)

    def effective_older(self, matching: BoolArray) -> tuple[float, float]:
        """Return the effective sizes of the matching decisions and of the rest where patterns are searched."""
        return effective_sizes(matching[: self.older], self.older_scales)

    def compare_newer(self, matching: BoolArray) -> Comparison:
        """Compare matching decisions with the rest in the holdout."""
        return self._compare(matching, slice(self.older, None))

    def compare_all(self, matching: BoolArray) -> Comparison:
        """Compare matching decisions with the rest over the whole period."""
        return self._compare(matching, slice(None))

    def compare_recent(self, matching: BoolArray, *, from_ms: int, half_life_ms: int) -> Comparison:
        """Compare matching decisions with the rest from a time up to the last that matches, the newest counting most.

        What the rest did since says nothing about a pattern whose facts have not come up again.
        """
        first = int(np.searchsorted(self.times_ms, from_ms))
        places = np.flatnonzero(matching)
        which = slice(first, int(places[-1]) + 1 if len(places) else first)
        times = self.times_ms[which]
        weights = half_life_weights((times[-1:] - times).astype(np.float64), half_life_ms)
        return compare(matching[which], self.success[which], [blocks.only(which) for blocks in self.scales], weights)

    def compare_before(self, matching: BoolArray, *, from_ms: int, half_life_ms: int) -> Comparison:
        """Compare matching decisions with the rest up to a time, worth less the older they are.

        A decision counts half when it is a half-life older than the last that matches, as in `compare_recent`.
        """
        end = int(np.searchsorted(self.times_ms, from_ms))
        times = self.times_ms[matching]
        before = times[: int(np.count_nonzero(matching[:end]))]
        weights = half_life_weights((times[-1:] - before).astype(np.float64), half_life_ms)
        return self._compare(matching, slice(None, end)).faded(float(np.mean(weights)) if len(weights) else 0.0)

    def differs_within(self, matching: BoolArray, general: ByteArray, level: float) -> bool:
        """Whether matching decisions differ from the rest of those that match a more general combination.

        By a two-sided exact test in the older part. Shared luck only makes its p-value larger, so that it is worked out
        only where the test passes without.

        Args:
            matching: shape (decisions,); all of them match the general combination too.
            general: which decisions of the older part match that, packed to bits: hundreds of these are kept.
            level: of the test.
        """
        inside = np.packbits(matching[: self.older])
        ours, all_of_them = _ones(inside), _ones(general)
        won, all_won = _ones(inside & self.older_success_bits), _ones(general & self.older_success_bits)
        if exact_p_values(won, ours, all_won - won, all_of_them - ours)[0] > level:
            return False
        which = np.flatnonzero(np.unpackbits(general, count=self.older).view(np.bool_))
        return self._compare(matching, which).p_value() <= level

    def _compare(self, matching: BoolArray, which: slice | IntArray) -> Comparison:
        scales = [blocks.only(which) for blocks in self.scales]
        return compare(matching[which], self.success[which], scales)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A combination that was found in the older part."""

    record: Record
    members: tuple[int, ...]
    p_value: float
    q_value: float
    is_better: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the combined columns."""
        return self.record.features(self.members)

    def matching(self) -> BoolArray:
        """Say which decisions match. Worked out each time: kept, thousands of these would fill the memory."""
        return self.record.matching(self.members)


@dataclass(frozen=True, slots=True, eq=False)
class Discovery:
    """Combinations found, and those that were tried, by decision type."""

    found: tuple[Candidate, ...]
    tried: dict[str, Counts]


def record_of(table: EvidenceTable, thresholds: PatternThresholds) -> Record:
    """Split one type's evidence by time, and turn its facts into columns."""
    scales = tuple(blocks_of(table.times_ms, table.success, step) for step in thresholds.shared_luck_ms)
    columns = columns_of(
        table.facts,
        min_occurrences=thresholds.min_occurrences,
        max_distinct_values=thresholds.max_distinct_values,
        max_columns=thresholds.max_columns,
    )
    older = _older_count(scales[0].of, thresholds.holdout_fraction)
    return Record(
        table=table,
        columns=columns,
        scales=scales,
        older_scales=tuple(blocks.only(slice(None, older)) for blocks in scales),
        older=older,
        older_success_bits=np.packbits(table.success[:older]),
    )


def discover(records: Sequence[Record], thresholds: PatternThresholds) -> Discovery:
    """Test every combination in the older part and keep those within the false discovery rate."""
    tried = [_candidates(record, thresholds) for record in records]
    families = np.concatenate([counts.sizes for counts in tried] or [np.empty(0, np.int64)])
    limits = rejection_limits(families, thresholds.false_discovery_rate)
    ends = np.cumsum([len(counts) for counts in tried]).astype(int)
    own = [slice(end - len(counts), end) for counts, end in zip(tried, ends, strict=True)]
    p_values = np.empty(len(families), dtype=np.float64)
    for record, counts, place in zip(records, tried, own, strict=True):
        p_values[place] = _p_values(record, counts, limits[place])

    # Shared luck only makes p-values larger and rejections fewer, and a p-value that is not rejected now has no
    # say in the rejection of smaller ones. So working it out for those that pass without it changes no answer.
    passing = false_discovery_q_values(p_values, families) <= thresholds.false_discovery_rate
    for record, counts, place in zip(records, tried, own, strict=True):
        p_values[place] = _with_shared_luck(record, counts, p_values[place], passing[place])
    q_values = false_discovery_q_values(p_values, families)

    found: list[Candidate] = []
    for record, counts, place in zip(records, tried, own, strict=True):
        found.extend(_found(record, counts, p_values[place], q_values[place], thresholds))
    return Discovery(
        tuple(found), {record.decision_type: counts for record, counts in zip(records, tried, strict=True)}
    )


def _ones(bits: ByteArray) -> int:
    return int(np.bitwise_count(bits).sum())


def _older_count(moments: IntArray, holdout_fraction: float) -> int:
    """Return where the holdout begins; decisions of one shortest block stay together."""
    target = round(len(moments) * (1 - holdout_fraction))
    if target >= len(moments):
        return len(moments)
    return int(np.searchsorted(moments, moments[target]))


def _candidates(record: Record, thresholds: PatternThresholds) -> Counts:
    """Count the combinations of the older part that are worth testing; outcomes play no part in the choice."""
    rows, success = record.columns.rows[:, : record.older], record.success[: record.older]
    occurrences = np.count_nonzero(rows, axis=1)
    enough = np.minimum(occurrences, record.older - occurrences) >= thresholds.min_occurrences
    usable = np.flatnonzero(enough)
    counts = count_combinations(
        rows[usable],
        success,
        max_features=thresholds.max_features,
        min_occurrences=thresholds.min_occurrences,
    )
    counts = without_implied(counts, len(usable))
    # -1 stands for "no column"; appended last, it maps to itself.
    original = np.append(usable, -1)
    return Counts(original[counts.members], counts.occurrences, counts.successes)


def _p_values(record: Record, counts: Counts, limits: FloatArray) -> FloatArray:
    """Return p-values as if decisions were independent; exact wherever rejection is possible."""
    rest, rest_won = _rest(record, counts)
    p_values = difference_p_values(counts.successes, counts.occurrences, rest_won, rest)
    close = p_values <= _SAFETY * limits
    p_values[close] = exact_p_values(counts.successes[close], counts.occurrences[close], rest_won[close], rest[close])
    return p_values


def _with_shared_luck(record: Record, counts: Counts, p_values: FloatArray, passing: BoolArray) -> FloatArray:
    """Return the p-values with those that pass worked out again on effective sample sizes."""
    if not np.any(passing) or all(blocks.correlation <= 0 for blocks in record.scales):
        return p_values
    sizes = [record.effective_older(record.matching(_members(members))) for members in counts.members[passing]]
    ours, others = np.floor(np.asarray(sizes)).T
    rest, rest_won = _rest(record, counts)
    rate, rest_rate = counts.successes / counts.occurrences, rest_won / rest
    corrected = p_values.copy()
    corrected[passing] = np.maximum(
        p_values[passing],
        exact_p_values(np.rint(rate[passing] * ours), ours, np.rint(rest_rate[passing] * others), others),
    )
    return corrected


def _found(
    record: Record,
    counts: Counts,
    p_values: FloatArray,
    q_values: FloatArray,
    thresholds: PatternThresholds,
) -> Iterator[Candidate]:
    """Yield what passes and differs by enough to matter."""
    rest, rest_won = _rest(record, counts)
    effects = counts.successes / counts.occurrences - rest_won / rest
    passes = (q_values <= thresholds.false_discovery_rate) & (np.abs(effects) >= thresholds.min_effect)
    for index in np.flatnonzero(passes):
        members = _members(counts.members[index])
        yield Candidate(
            record=record,
            members=members,
            p_value=float(p_values[index]),
            q_value=float(q_values[index]),
            is_better=bool(effects[index] > 0),
        )


def _rest(record: Record, counts: Counts) -> tuple[IntArray, IntArray]:
    """Return how many decisions of the older part do not match each combination, and their successes."""
    won = int(np.count_nonzero(record.success[: record.older]))
    return record.older - counts.occurrences, won - counts.successes


def _members(row: IntArray) -> tuple[int, ...]:
    return tuple(int(member) for member in row if member >= 0)
