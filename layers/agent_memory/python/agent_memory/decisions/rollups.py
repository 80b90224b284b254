"""Rollups: the counts of a day's decisions, which add up to those of any time.

A cell has the decisions of a day that are alike in what statistics group by: type, market context, sources, horizon
and success. It keeps the values of each measurement, so that medians and quantiles of any group and time are those of
the decisions themselves.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from agent_memory.model.decisions import Decision, Outcome, context_type_of
from agent_memory.model.sources import sources_of

_LATENCY = ("latency_ms",)
_QUALITY = ("quality", "quality_score")
MEASUREMENTS = (*_LATENCY, *_QUALITY)
"""The names of measurements in an outcome or its metrics."""

_COUNTS = "counts"


class CellKey(NamedTuple):
    """What the decisions of a cell have in common; `horizon` and `success` are those of the headline outcome."""

    decision_type: str
    context_type: str | None
    sources: tuple[str, ...]
    horizon: str | None
    success: bool | None

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """The key of a decision's cell."""
        outcome = decision.outcome
        horizon, success = (outcome.horizon, outcome.success) if outcome else (None, None)
        sources = tuple(sources_of(decision))
        return cls(decision.decision_type, context_type_of(decision.context), sources, horizon, success)


@dataclass(slots=True)
class Cell:
    """The number of decisions, and the values of their measurements."""

    decisions: int = 0
    latency_ms: list[float] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)

    def add(self, outcome: Outcome | None, decisions: int = 1) -> None:
        """Count decisions that have this outcome: latency and quality are in its metrics, or else in its details."""
        self.decisions += decisions
        if outcome is not None:
            for values, names in ((self.latency_ms, _LATENCY), (self.quality, _QUALITY)):
                value = _first_number(names, outcome.metrics, outcome.details)
                if value is not None:
                    values.extend([value] * decisions)

    def merge(self, other: Self) -> None:
        """Add the counts of other decisions."""
        self.decisions += other.decisions
        self.latency_ms += other.latency_ms
        self.quality += other.quality


@dataclass(slots=True)
class Rollup:
    """Counts of decisions by cell."""

    cells: dict[CellKey, Cell] = field(default_factory=dict)

    @property
    def decisions(self) -> int:
        """The number of all decisions."""
        return sum(cell.decisions for cell in self.cells.values())

    def add(self, decision: Decision) -> None:
        """Count a decision."""
        self.cells.setdefault(CellKey.of(decision), Cell()).add(decision.outcome)

    def merge(self, other: Self) -> None:
        """Add the counts of other decisions: of another part of the day, or of another day."""
        for key, cell in other.cells.items():
            known = self.cells.get(key)
            if known is None:
                known = self.cells[key] = Cell()
            known.merge(cell)

    @classmethod
    def sum_of(cls, rollups: Iterable[Self]) -> Self:
        """The counts of several rollups."""
        found = cls()
        for one in rollups:
            found.merge(one)
        return found

    def as_data(self) -> dict[str, Any]:
        """The counts as the data of a state: one compressed text, which is small and quick to read."""
        rows = [
            [*key, cell.decisions, _shortest(cell.latency_ms), _shortest(cell.quality)]
            for key, cell in sorted(self.cells.items(), key=lambda one: repr(one[0]))
        ]
        text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
        return {_COUNTS: base64.b64encode(zlib.compress(text.encode())).decode()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The counts that `as_data` wrote; `ValueError` or another error of its kind if they are damaged."""
        rollup = cls()
        try:
            text = zlib.decompress(base64.b64decode(data[_COUNTS]))
        except zlib.error as error:
            raise ValueError(str(error)) from error
        for kind, context, sources, horizon, success, *cell in json.loads(text):
            decisions, latency_ms, quality = cell
            key = CellKey(kind, context, tuple(sources), horizon, success)
            rollup.cells[key] = Cell(decisions, latency_ms, quality)
        return rollup


def _shortest(values: list[float]) -> list[float]:
    """The values in order; those without a fraction as integers, whose text is shorter."""
    return [int(one) if one and one.is_integer() else one for one in sorted(map(float, values))]


def _first_number(names: tuple[str, ...], *documents: Mapping[str, Any]) -> float | None:
    """The first number under one of these names."""
    for document in documents:
        for name in names:
            value = document.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
    return None
