"""The evidence of one decision type, prepared for tests and comparisons of facts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, CodeArray, FloatArray, IntArray
from agent_memory.learning.clusters import clusterings
from agent_memory.learning.comparison import Comparison, compare, half_life_weights
from agent_memory.learning.descriptions import description_of
from agent_memory.learning.design_effect import CorrelatedClusters
from agent_memory.learning.effect_tests import Cells, EffectTests
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.feature_matrix import FeatureMatrix, select_features
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.wording import DEFAULT_WORDING, Wording

MAX_QUESTIONS = 128
"""Of one decision type, that decisions are compared within, the most frequent ones."""

QUESTIONS_IN_USE = 0.1
"""The share of a type's decisions that name a frequent question from which on the others are compared with nothing."""

# Of several horizons the longest that a tenth of the decisions have says how long luck may last.
_MOST_OUTCOMES = 0.9
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """All decisions of one type, oldest first.

    Attributes:
        table: the evidence.
        matrix: the features that are worth counting.
        questions: the question that each decision answers, as a number; 0 for rare ones and none. Shape (decisions,).
        tests: tests of facts among decisions that answer the same question.
        wording: the words that its facts are described in.
        correlated: the clusterings whose outcomes are correlated, but for long windows: two groups in one market share
            its slow changes, which their difference does not contain.
    """

    table: EvidenceTable
    matrix: FeatureMatrix
    questions: CodeArray
    tests: EffectTests
    correlated: tuple[CorrelatedClusters, ...]
    wording: Wording = DEFAULT_WORDING

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

    def cells(self, given: Sequence[BoolArray] = ()) -> Cells:
        """The decisions by question and by facts that are given; each of shape (decisions,)."""
        return Cells.build(self.questions, given)

    def newest_begins_ms(self, fraction: float) -> int:
        """The time from which on the newest decisions are this fraction of all. IndexError without any decision."""
        return int(self.times_ms[min(round(len(self.times_ms) * (1 - fraction)), len(self.times_ms) - 1)])

    def compare_all(self, matching: BoolArray, *, design_effect: float | None = None) -> Comparison:
        """Compare matching decisions with others that answer the same questions, over all evidence.

        Args:
            matching: shape (decisions,).
            design_effect: of the difference, if it is known; else it is estimated from all outcomes.
        """
        return self._compare(matching, slice(None), design_effect)

    def describe(
        self,
        features: Sequence[str],
        matching: BoolArray,
        overall: Comparison,
        *,
        outcome_type: str | None = None,
    ) -> str:
        """Describe in one sentence how decisions with these features compare; see `learning.descriptions`."""
        if outcome_type is not None:
            return description_of(
                self.decision_type, features, overall, wording=self.wording, outcome_type=outcome_type
            )
        answered = np.bincount(self.table.question_codes[matching], minlength=len(self.table.questions))
        questions = [self.table.questions[code] for code in np.flatnonzero(answered)]
        return description_of(
            self.decision_type, features, overall, questions=questions if any(questions) else (), wording=self.wording
        )

    def compare_recent(
        self, matching: BoolArray, *, from_ms: int, half_life_ms: int, design_effect: float | None = None
    ) -> Comparison:
        """Compare matching decisions with the rest from a time on, with weights that halve every half-life of age.

        The comparison ends with the last matching decision: later decisions of the rest say nothing about a combination
        that has not occurred again.
        """
        first = int(np.searchsorted(self.times_ms, from_ms))
        positions = np.flatnonzero(matching)
        which = slice(first, int(positions[-1]) + 1 if len(positions) else first)
        times = self.times_ms[which]
        weights = half_life_weights((times[-1:] - times).astype(np.float64), half_life_ms)
        return self._compare(matching, which, design_effect, weights)

    def compare_before(
        self, matching: BoolArray, *, until_ms: int, half_life_ms: int, design_effect: float | None = None
    ) -> Comparison:
        """Compare matching decisions with the rest up to a time, with a smaller effective size the older they are.

        A decision's weight is halved for every half-life before the last matching one, as in `compare_recent`.
        """
        end = int(np.searchsorted(self.times_ms, until_ms))
        times = self.times_ms[matching]
        before = times[: int(np.count_nonzero(matching[:end]))]
        weights = half_life_weights((times[-1:] - before).astype(np.float64), half_life_ms)
        comparison = self._compare(matching, slice(None, end), design_effect)
        return comparison.discounted(float(np.mean(weights)) if len(weights) else 0.0)

    def _compare(
        self, matching: BoolArray, which: slice, design_effect: float | None, age_weights: FloatArray | None = None
    ) -> Comparison:
        weights = self._question_weights(matching)
        chosen: slice | IntArray = which
        if weights is not None:
            chosen = np.flatnonzero(weights[which] > 0) + (which.start or 0)
            weights = weights[chosen]
            if age_weights is not None:
                weights = weights * age_weights[chosen - (which.start or 0)]
        else:
            weights = age_weights
        return compare(
            matching[chosen],
            self.success[chosen],
            [clusters.select(chosen) for clusters in self.correlated] if design_effect is None else (),
            weights,
            least_design_effect=design_effect or self.tests.least_design_effect,
        )

    def _question_weights(self, matching: BoolArray) -> FloatArray | None:
        """Weights with which the rest answers each question as often as the matching decisions; None for one question.

        The weight is 0 where nothing is comparable: of the rest, if no matching decision answers its question.
        """
        counts = np.bincount(self.questions[matching], minlength=1 + int(self.questions.max(initial=0)))
        rest = np.bincount(self.questions[~matching], minlength=len(counts))
        if np.count_nonzero(counts + rest) < 2 or not np.any(counts * rest):  # noqa: PLR2004
            return None
        ratios = counts / np.maximum(rest, 1)
        return np.where(matching, 1.0, ratios[self.questions])


def with_known_questions(table: EvidenceTable, min_occurrences: int) -> EvidenceTable:
    """The decisions whose question is known, if the type's decisions name questions; else all of them.

    What the others answer is not known, or too rare: compared with each other, they would mix questions of unequal
    difficulty.
    """
    is_known = _questions(table, min_occurrences) > 0
    if is_known.all() or np.count_nonzero(is_known) < QUESTIONS_IN_USE * len(table):
        return table
    return table.select(is_known)


def build_dataset(table: EvidenceTable, thresholds: PatternThresholds, wording: Wording = DEFAULT_WORDING) -> Dataset:
    """Prepare one type's evidence: select the features to count, and estimate how outcomes are correlated."""
    matrix = select_features(
        table.features,
        min_occurrences=thresholds.min_occurrences,
        max_distinct_values=thresholds.max_distinct_values,
        max_columns=thresholds.max_columns,
    )
    questions = _questions(table, thresholds.min_occurrences)
    clusters = clusterings(table, thresholds.correlation_windows_ms, matrix)
    tests = EffectTests(table.success, clusters, Cells.build(questions))
    return _calibrated(table, matrix, questions, tests, wording)


def with_outcomes(dataset: Dataset, success: BoolArray) -> Dataset:
    """The same decisions with other outcomes, as `build_dataset` prepares them, in a part of the time.

    Args:
        dataset: the decisions.
        success: which of them succeeded; shape (decisions,).
    """
    table, tests = replace(dataset.table, success=success), dataset.tests.with_outcomes(success)
    return _calibrated(table, dataset.matrix, dataset.questions, tests, dataset.wording)


def _calibrated(
    table: EvidenceTable, matrix: FeatureMatrix, questions: CodeArray, tests: EffectTests, wording: Wording
) -> Dataset:
    tests.calibrate(dict(zip(matrix.names, matrix.rows, strict=True)), outcomes_take_ms=_outcomes_take_ms(table))
    return Dataset(
        table=table,
        matrix=matrix,
        questions=questions,
        tests=tests,
        correlated=tests.correlated_clusters(DAY_MS),
        wording=wording,
    )


def _outcomes_take_ms(table: EvidenceTable) -> float:
    """The time after which most outcomes are known; 0 without any.

    A history whose outcomes were recorded afterwards, many of different days within an hour, does not say how long they
    took.
    """
    if not len(table):
        return 0.0
    took_ms = table.known_ms - table.times_ms
    if float(np.quantile(took_ms, _MOST_OUTCOMES)) > DAY_MS:
        _, first, hour_of, counts = np.unique(
            table.known_ms // _HOUR_MS, return_index=True, return_inverse=True, return_counts=True
        )
        last_ms = table.times_ms[first]  # of decisions in order of time
        np.maximum.at(last_ms, hour_of, table.times_ms)
        is_history = (counts >= (1 - _MOST_OUTCOMES) * len(table)) & (last_ms - table.times_ms[first] > DAY_MS)
        took_ms = np.where(is_history[hour_of], 0, took_ms)
    return float(np.quantile(took_ms, _MOST_OUTCOMES))


def _questions(table: EvidenceTable, min_occurrences: int) -> CodeArray:
    """The most frequent questions, numbered from 1; the number 0 is that of all others, and of none."""
    counts = np.bincount(table.question_codes, minlength=len(table.questions))
    counts[[not question for question in table.questions]] = 0
    frequent = np.argsort(-counts, kind="stable")[:MAX_QUESTIONS]
    frequent = frequent[counts[frequent] >= min_occurrences]
    numbers = np.zeros(len(table.questions), dtype=np.int32)
    numbers[frequent] = 1 + np.arange(len(frequent), dtype=np.int32)
    return np.asarray(numbers[table.question_codes], dtype=np.int32)
