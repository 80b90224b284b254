"""Evidence in arrays: one table per decision type, a few bytes per decision instead of an object."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from agent_memory.learning.array_types import BoolArray, CodeArray, FloatArray, IntArray
from agent_memory.learning.numbers import REWARDS
from agent_memory.learning.partial_evidence import NO_CLUSTER, Columns, PartialEvidence, TypeEvidence
from agent_memory.learning.sparse_features import SparseFeatures
from agent_memory.model.evidence import Evidence


@dataclass(frozen=True, slots=True, eq=False)
class PendingTable:
    """The decisions of one type that have no outcome, oldest first; the arrays are as in `EvidenceTable`."""

    decision_type: str
    times_ms: IntArray
    features: SparseFeatures
    question_codes: CodeArray
    questions: tuple[str, ...]
    cluster_codes: CodeArray
    logged_ms: IntArray

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTable:
    """All evidence of one decision type, oldest first. Times are milliseconds since 1970 in UTC.

    Attributes:
        decision_type: of the decisions.
        times_ms: when each decision was made.
        success: of each decision with an outcome.
        features: which decisions have which features.
        known_ms: since when the success of each decision is known.
        question_codes: the question of each decision, as its position in `questions`.
        questions: sorted; the empty text stands for decisions that name none.
        cluster_codes: equal for decisions that share an outcome; numbered by their first decision, -1 for none. A
            decision that a chain began with is in its cluster. Pending decisions have the same numbers.
        logged_ms: when each decision was in the log; later than `times_ms` if it was logged for a time of the past.
        is_amended: whether the success of each decision was another one before.
        rewards: by path the reward of each decision, NaN for none.
        pending: the decisions of the type that have no outcome. They are in none of the arrays.
    """

    decision_type: str
    times_ms: IntArray
    success: BoolArray
    features: SparseFeatures
    known_ms: IntArray
    question_codes: CodeArray
    questions: tuple[str, ...]
    cluster_codes: CodeArray
    logged_ms: IntArray
    is_amended: BoolArray
    rewards: Mapping[str, FloatArray]
    pending: PendingTable

    def __len__(self) -> int:
        return len(self.times_ms)

    def select(self, which: BoolArray) -> Self:
        """The table with some of the decisions that have an outcome, and all that have none; shape (decisions,)."""
        return self._part(which, self.features.select(which))

    def oldest(self, count: int) -> Self:
        """The table with the first decisions that have an outcome, and all that have none."""
        return self._part(slice(count), self.features.oldest(count))

    def _part(self, which: BoolArray | slice, features: SparseFeatures) -> Self:
        return replace(
            self,
            times_ms=self.times_ms[which],
            success=self.success[which],
            features=features,
            known_ms=self.known_ms[which],
            logged_ms=self.logged_ms[which],
            is_amended=self.is_amended[which],
            question_codes=self.question_codes[which],
            cluster_codes=self.cluster_codes[which],
            rewards={path: values[which] for path, values in self.rewards.items()},
        )


def build_tables(evidence: Iterable[Evidence], rewards: Collection[str] = REWARDS) -> list[EvidenceTable]:
    """Arrange evidence by decision type and time. The iterable is read once, and its rows are not kept.

    Of their rewards those with these paths are in the tables.

    A type whose decisions all lack an outcome has a table without decisions, but for the pending ones.
    """
    return tables_of(PartialEvidence.of(evidence, rewards))


def tables_of(evidence: PartialEvidence) -> list[EvidenceTable]:
    """The tables of all of a record, by decision type."""
    return [_table(name, of_type) for name, of_type in evidence.types.items()]


def _table(decision_type: str, evidence: TypeEvidence) -> EvidenceTable:
    resolved, pending = evidence.resolved, evidence.pending
    cluster_codes = _cluster_codes(
        np.concatenate([resolved.times, pending.times]),
        np.concatenate([resolved.ids, pending.ids]),
        np.concatenate([resolved.clusters, pending.clusters]),
    )

    def features(columns: Columns) -> SparseFeatures:
        return SparseFeatures.of_decisions(evidence.vocabulary, columns.codes, columns.lengths)

    return EvidenceTable(
        decision_type=decision_type,
        times_ms=resolved.times,
        success=resolved.success,
        features=features(resolved),
        known_ms=resolved.known,
        question_codes=resolved.questions.astype(np.int32),
        questions=evidence.questions,
        cluster_codes=cluster_codes[: len(resolved)],
        logged_ms=resolved.logged,
        is_amended=resolved.amended,
        rewards={path: resolved.rewards[:, number] for number, path in enumerate(evidence.rewards)},
        pending=PendingTable(
            decision_type=decision_type,
            times_ms=pending.times,
            features=features(pending),
            question_codes=pending.questions.astype(np.int32),
            questions=evidence.questions,
            cluster_codes=cluster_codes[len(resolved) :],
            logged_ms=pending.logged,
        ),
    )


def _cluster_codes(times: IntArray, ids: IntArray, clusters: IntArray) -> CodeArray:
    """Number clusters by their first decision, -1 for none; the decision that a chain began with joins its cluster.

    Args:
        times: of the decisions, in any order.
        ids: digests of their ids.
        clusters: digests of the names of their clusters, `NO_CLUSTER` for none.
    """
    names = np.unique(clusters[clusters != NO_CLUSTER])
    clusters = np.where((clusters == NO_CLUSTER) & np.isin(ids, names), ids, clusters)
    has_cluster = clusters != NO_CLUSTER
    in_time = np.flatnonzero(has_cluster)[np.argsort(times[has_cluster], kind="stable")]
    _, first, inverse = np.unique(clusters[in_time], return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int32)
    number[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    codes = np.full(len(clusters), -1, dtype=np.int32)
    codes[in_time] = number[inverse]
    return codes
