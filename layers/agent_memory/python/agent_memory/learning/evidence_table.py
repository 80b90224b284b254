"""Evidence in arrays: one table per decision type, a few bytes per decision instead of an object."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import BoolArray, CodeArray, IntArray
from agent_memory.model.evidence import Evidence

_NO_CLUSTER = -1  # is no hash: in CPython that means an error


@dataclass(frozen=True, slots=True, eq=False)
class SparseFeatures:
    """Which decisions have which features, as a sparse matrix: decision `rows[i]` has `vocabulary[codes[i]]`.

    `vocabulary` is sorted; `decisions` counts all decisions, including those without any feature.
    """

    vocabulary: tuple[str, ...]
    codes: CodeArray
    rows: CodeArray
    decisions: int

    def matching(self, features: Sequence[str]) -> BoolArray:
        """Return which decisions have all these features; shape (decisions,)."""
        matching = np.ones(self.decisions, dtype=np.bool_)
        for feature in features:
            code = int(np.searchsorted(np.asarray(self.vocabulary, dtype=object), feature))
            has = np.zeros(self.decisions, dtype=np.bool_)
            if code < len(self.vocabulary) and self.vocabulary[code] == feature:
                has[self.rows[self.codes == code]] = True
            matching &= has
        return matching


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
    pending: PendingTable

    def __len__(self) -> int:
        return len(self.times_ms)


def build_tables(evidence: Iterable[Evidence]) -> list[EvidenceTable]:
    """Arrange evidence by decision type and time. The iterable is read once, and its rows are not kept.

    A type whose decisions all lack an outcome has a table without decisions, but for the pending ones.
    """
    builders: dict[str, _TableBuilder] = {}
    for row in evidence:
        builder = builders.get(row.decision_type)
        if builder is None:
            builder = builders[row.decision_type] = _TableBuilder()
        builder.add(row)
    return [builders[name].build(name) for name in sorted(builders)]


class _Codes(dict[str, int]):
    """Numbers strings in the order in which they are first looked up."""

    def __missing__(self, text: str) -> int:
        self[text] = code = len(self)
        return code


class _Rows:
    """Columns of rows as they are read, 16 to 40 bytes a row besides its features.

    Clusters are as numerous as decisions, so that only a hash of each name is kept, and one of each decision's own id,
    by which a chain finds the decision that it began with. Hashes of 64 bits do not collide among millions in practice.
    """

    def __init__(self, code: _Codes, question: _Codes) -> None:
        self._code, self._question = code, question
        self.times, self.known, self._success = array("q"), array("q"), array("b")
        self.logged = array("q")
        self._codes, self._lengths, self._questions = array("i"), array("i"), array("i")
        self.ids, self.clusters = array("q"), array("q")

    def add(self, row: Evidence) -> None:
        self.times.append(row.timestamp_ms)
        self.known.append(row.known_ms)
        begins_ms, first = row.earlier[0] if row.earlier else (row.known_ms, row.success)
        self.logged.append(begins_ms if first is None else row.timestamp_ms)
        self._success.append(bool(row.success))
        self._codes.extend(map(self._code.__getitem__, row.features))
        self._lengths.append(len(row.features))
        self._questions.append(self._question[row.question])
        self.ids.append(hash(row.decision_id))
        self.clusters.append(hash(row.cluster) if row.cluster else _NO_CLUSTER)

    def success(self) -> BoolArray:
        return np.frombuffer(self._success, dtype=np.int8).astype(np.bool_)

    def questions(self) -> CodeArray:
        return np.frombuffer(self._questions, dtype=np.int32)

    def features(self, order: IntArray, vocabulary: tuple[str, ...], sorted_code: CodeArray) -> SparseFeatures:
        """The features of the rows in an order; `sorted_code` has the position in the vocabulary of each code."""
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        return SparseFeatures(
            vocabulary=vocabulary,
            codes=sorted_code[np.frombuffer(self._codes, dtype=np.int32)] if self._codes else np.empty(0, np.int32),
            rows=np.repeat(rank, np.frombuffer(self._lengths, dtype=np.int32)),
            decisions=len(order),
        )


class _TableBuilder:
    """Collects the evidence of one decision type while it is read."""

    def __init__(self) -> None:
        self._code, self._question = _Codes(), _Codes()
        self._resolved, self._pending = (_Rows(self._code, self._question) for _ in range(2))

    def add(self, row: Evidence) -> None:
        (self._pending if row.success is None else self._resolved).add(row)

    def build(self, decision_type: str) -> EvidenceTable:
        vocabulary, sorted_code = _sorted_codes(self._code)
        questions, sorted_question = _sorted_codes(self._question)
        resolved, pending = self._resolved, self._pending
        # Decisions of one moment: failures first, so that no result depends on the order in which they were read.
        order, pending_order = (np.lexsort((rows.success(), _integers(rows.times))) for rows in (resolved, pending))
        cluster_codes = _cluster_codes(
            np.concatenate([_integers(resolved.times)[order], _integers(pending.times)[pending_order]]),
            np.concatenate([_integers(resolved.ids)[order], _integers(pending.ids)[pending_order]]),
            np.concatenate([_integers(resolved.clusters)[order], _integers(pending.clusters)[pending_order]]),
        )
        return EvidenceTable(
            decision_type=decision_type,
            times_ms=_integers(resolved.times)[order],
            success=resolved.success()[order],
            features=resolved.features(order, vocabulary, sorted_code),
            known_ms=_integers(resolved.known)[order],
            question_codes=sorted_question[resolved.questions()[order]],
            questions=questions,
            cluster_codes=cluster_codes[: len(order)],
            logged_ms=_integers(resolved.logged)[order],
            pending=PendingTable(
                decision_type=decision_type,
                times_ms=_integers(pending.times)[pending_order],
                features=pending.features(pending_order, vocabulary, sorted_code),
                question_codes=sorted_question[pending.questions()[pending_order]],
                questions=questions,
                cluster_codes=cluster_codes[len(order) :],
                logged_ms=_integers(pending.logged)[pending_order],
            ),
        )


def _integers(column: "array[int]") -> IntArray:
    return np.frombuffer(column, dtype=np.int64)


def _sorted_codes(code: _Codes) -> tuple[tuple[str, ...], CodeArray]:
    """The strings in order, and for each code the position of its string among them."""
    texts = sorted(code)
    position = np.empty(len(texts), dtype=np.int32)
    position[[code[text] for text in texts]] = np.arange(len(texts), dtype=np.int32)
    return tuple(texts), position


def _cluster_codes(times: IntArray, ids: IntArray, clusters: IntArray) -> CodeArray:
    """Number clusters by their first decision, -1 for none; the decision that a chain began with joins its cluster.

    Args:
        times: of the decisions, in any order.
        ids: hashes of their ids.
        clusters: hashes of the names of their clusters, `_NO_CLUSTER` for none.
    """
    names = np.unique(clusters[clusters != _NO_CLUSTER])
    clusters = np.where((clusters == _NO_CLUSTER) & np.isin(ids, names), ids, clusters)
    has_cluster = clusters != _NO_CLUSTER
    # The numbers follow time, not the hashes, which differ from one process to the next.
    in_time = np.flatnonzero(has_cluster)[np.argsort(times[has_cluster], kind="stable")]
    _, first, inverse = np.unique(clusters[in_time], return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int32)
    number[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    codes = np.full(len(clusters), -1, dtype=np.int32)
    codes[in_time] = number[inverse]
    return codes
