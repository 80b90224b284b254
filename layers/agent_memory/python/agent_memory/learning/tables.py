"""Evidence in columns: one table for each decision type, a few bytes a decision instead of an object."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent_memory.model.evidence import Evidence

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int32]
ByteArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Which decision has which facts: decision `row[i]` has the fact `vocabulary[codes[i]]`.

    `vocabulary` is sorted; `decisions` counts the decisions, those without any fact too.
    """

    vocabulary: tuple[str, ...]
    codes: CodeArray
    row: CodeArray
    decisions: int

    def holding(self, features: Sequence[str]) -> BoolArray:
        """Say which decisions have all these features; shape (decisions,)."""
        held = np.ones(self.decisions, dtype=np.bool_)
        for feature in features:
            code = int(np.searchsorted(np.asarray(self.vocabulary, dtype=object), feature))
            has = np.zeros(self.decisions, dtype=np.bool_)
            if code < len(self.vocabulary) and self.vocabulary[code] == feature:
                has[self.row[self.codes == code]] = True
            held &= has
        return held


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTable:
    """All evidence of one decision type, oldest first. Times are milliseconds since 1970 in UTC."""

    decision_type: str
    times_ms: IntArray
    success: BoolArray
    facts: Facts

    def __len__(self) -> int:
        return len(self.times_ms)


def tables_of(evidence: Iterable[Evidence]) -> list[EvidenceTable]:
    """Arrange evidence by decision type and time. Read once, as it comes; the rows themselves are not kept."""
    gathering: dict[str, _Gathering] = {}
    for one in evidence:
        kind = gathering.get(one.decision_type)
        if kind is None:
            kind = gathering[one.decision_type] = _Gathering()
        kind.add(one)
    return [gathering[name].table(name) for name in sorted(gathering)]


class _Codes(dict[str, int]):
    """Numbers texts in the order in which they come."""

    def __missing__(self, text: str) -> int:
        self[text] = code = len(self)
        return code


class _Gathering:
    """One type's evidence while it is read."""

    def __init__(self) -> None:
        self._code = _Codes()
        self._times, self._success = array("q"), array("b")
        self._codes, self._lengths = array("i"), array("i")

    def add(self, one: Evidence) -> None:
        self._times.append(one.timestamp_ms)
        self._success.append(one.success)
        self._codes.extend(map(self._code.__getitem__, one.features))
        self._lengths.append(len(one.features))

    def table(self, decision_type: str) -> EvidenceTable:
        times = np.frombuffer(self._times, dtype=np.int64)
        order = np.argsort(times, kind="stable")
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        vocabulary = sorted(self._code)
        sorted_code = np.empty(len(vocabulary), dtype=np.int32)
        sorted_code[[self._code[text] for text in vocabulary]] = np.arange(len(vocabulary), dtype=np.int32)
        facts = Facts(
            vocabulary=tuple(vocabulary),
            codes=sorted_code[np.frombuffer(self._codes, dtype=np.int32)] if self._codes else np.empty(0, np.int32),
            row=np.repeat(place, np.frombuffer(self._lengths, dtype=np.int32)),
            decisions=len(order),
        )
        success = np.frombuffer(self._success, dtype=np.int8)[order].astype(np.bool_)
        return EvidenceTable(decision_type, times[order], success, facts)
