"""Evidence in arrays: one table per decision type, a few bytes per decision instead of an object."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import BoolArray, CodeArray, IntArray
from agent_memory.model.evidence import Evidence


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
class EvidenceTable:
    """All evidence of one decision type, oldest first. Times are milliseconds since 1970 in UTC."""

    decision_type: str
    times_ms: IntArray
    success: BoolArray
    features: SparseFeatures

    def __len__(self) -> int:
        return len(self.times_ms)


def build_tables(evidence: Iterable[Evidence]) -> list[EvidenceTable]:
    """Arrange evidence by decision type and time. The iterable is read once, and its rows are not kept."""
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


class _TableBuilder:
    """Collects the evidence of one decision type while it is read."""

    def __init__(self) -> None:
        self._code = _Codes()
        self._times, self._success = array("q"), array("b")
        self._codes, self._lengths = array("i"), array("i")

    def add(self, row: Evidence) -> None:
        self._times.append(row.timestamp_ms)
        self._success.append(row.success)
        self._codes.extend(map(self._code.__getitem__, row.features))
        self._lengths.append(len(row.features))

    def build(self, decision_type: str) -> EvidenceTable:
        times = np.frombuffer(self._times, dtype=np.int64)
        order = np.argsort(times, kind="stable")
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        vocabulary = sorted(self._code)
        sorted_code = np.empty(len(vocabulary), dtype=np.int32)
        sorted_code[[self._code[text] for text in vocabulary]] = np.arange(len(vocabulary), dtype=np.int32)
        features = SparseFeatures(
            vocabulary=tuple(vocabulary),
            codes=sorted_code[np.frombuffer(self._codes, dtype=np.int32)] if self._codes else np.empty(0, np.int32),
            rows=np.repeat(rank, np.frombuffer(self._lengths, dtype=np.int32)),
            decisions=len(order),
        )
        success = np.frombuffer(self._success, dtype=np.int8)[order].astype(np.bool_)
        return EvidenceTable(decision_type, times[order], success, features)
