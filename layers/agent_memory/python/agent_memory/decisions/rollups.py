"""Rollups: the counts of a day's decisions, which add up to those of any time.

A cell has the decisions of a day that are alike in what statistics group by: type, market context, sources, horizon
and success. It keeps the values of each measurement, so that medians and quantiles of any group and time are those of
the decisions themselves.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeAlias

from agent_memory.model.decisions import Decision, Outcome, context_type_of
from agent_memory.model.sources import sources_of

_LATENCY = ("latency_ms",)
_QUALITY = ("quality", "quality_score")
MEASUREMENTS = (*_LATENCY, *_QUALITY)
"""The names of measurements in an outcome or its metrics."""


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


Values: TypeAlias = "array[float]"
"""Values of a measurement, eight bytes each, so that those of a million decisions fit into memory."""


def no_values() -> Values:
    """An empty column of values."""
    return array("d")


@dataclass(slots=True)
class Cell:
    """The number of decisions, and the values of their measurements."""

    decisions: int = 0
    latency_ms: Values = field(default_factory=no_values)
    quality: Values = field(default_factory=no_values)

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

    def in_order(self) -> Self:
        """The same decisions, the values of each measurement sorted."""
        return type(self)(self.decisions, array("d", sorted(self.latency_ms)), array("d", sorted(self.quality)))


@dataclass(slots=True)
class Rollup:
    """Counts of decisions by cell."""

    cells: dict[CellKey, Cell] = field(default_factory=dict)

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


def _first_number(names: tuple[str, ...], *documents: Mapping[str, Any]) -> float | None:
    """The first number under one of these names."""
    for document in documents:
        for name in names:
            value = document.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value) + 0.0  # without a negative zero, whose place among zeros is any
    return None
