"""How an agent's decisions did: counts by day, type, market context and source, in one pass.

Every rate is that of one decision type: a query that was answered and a signal that was right have nothing in common.
The counts of two parts of a record add up to those of both (`merge`), so that a long record can be counted in parts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from agent_memory.core.clock import date_of
from agent_memory.decisions.rollups import CellKey, Rollup
from agent_memory.decisions.tallies import Tally, count
from agent_memory.model.decisions import Decision
from agent_memory.model.sources import BY_OUTCOME, BY_SELECTION, is_judged

Row = dict[str, Any]
_ROW_BYTES = 300

Key = tuple[str, str]
"""A decision type and the name of a group within it."""


@dataclass(slots=True)
class PerformanceCounts:
    """Counts of decisions, each under its decision type.

    `by_source` has decisions that were judged by what came of them; `by_selection` those that only chose a source, see
    `model.sources`.
    """

    by_type: dict[Key, Tally] = field(default_factory=dict)
    by_day: dict[Key, Tally] = field(default_factory=dict)
    by_context: dict[Key, Tally] = field(default_factory=dict)
    by_source: dict[Key, Tally] = field(default_factory=dict)
    by_selection: dict[Key, Tally] = field(default_factory=dict)

    def approximate_bytes(self) -> int:
        """About the size of the rows of `as_dict` as JSON, at most."""
        return sum(_ROW_BYTES + 2 * len(name) for group in _LISTS for _, name in getattr(self, group))

    def add(self, decision: Decision) -> None:
        """Count a decision."""
        self._add(CellKey.of(decision), date_of(decision.timestamp_ms), 1)

    def add_rollup(self, day: date, rollup: Rollup) -> None:
        """Count the decisions of a day."""
        for key, cell in rollup.cells.items():
            self._add(key, day, cell.decisions)

    def _add(self, key: CellKey, day: date, decisions: int) -> None:
        """Count decisions of a day that are alike."""
        kind, success = key.decision_type, key.success
        count(self.by_type, [(kind, "")], success, decisions)
        count(self.by_day, [(kind, day.isoformat())], success, decisions)
        if key.context_type is not None:
            count(self.by_context, [(kind, key.context_type)], success, decisions)
        sources = self.by_source if is_judged(kind) else self.by_selection
        count(sources, [(kind, source) for source in key.sources], success, decisions)

    def add_rows(self, rows: Mapping[str, Iterable[Row]]) -> Self:
        """Add the counts of another part of the record, as `as_dict` returns them."""
        for name, (group, _) in _LISTS.items():
            tallies: dict[Key, Tally] = getattr(self, name)
            for row in rows[name]:
                tally = tallies.setdefault((row["decision_type"], row[group] if group else ""), Tally())
                tally.merge(row["decisions"], row["with_outcome"], row["succeeded"])
        return self

    def as_dict(self) -> dict[str, list[Row]]:
        """The counts as lists of rows, each with its success rate and 95 % Wilson interval."""
        return {name: self._rows(name) for name in _LISTS}

    @property
    def decisions(self) -> int:
        """Number of all decisions."""
        return sum(tally.decisions for tally in self.by_type.values())

    @property
    def with_outcome(self) -> int:
        """Number of the decisions with an outcome."""
        return sum(tally.with_outcome for tally in self.by_type.values())

    def types(self) -> list[Row]:
        """The decision types, the most frequent first."""
        return self._rows("by_type")

    def days(self) -> list[Row]:
        """The days in order, with a row for each decision type."""
        return self._rows("by_day")

    def contexts(self) -> list[Row]:
        """The market contexts in order, with a row for each decision type."""
        return self._rows("by_context")

    def sources(self) -> list[Row]:
        """The sources of each decision type, the one with the highest success rate first.

        `measured_by` is `outcome`. Only if no source has been judged it is `selection`: how often a selection
        of the source succeeded, which does not say whether the source was right.
        """
        if any(tally.with_outcome for tally in self.by_source.values()):
            return [{**row, "measured_by": BY_OUTCOME} for row in self._rows("by_source")]
        return [{**row, "measured_by": BY_SELECTION} for row in self._rows("by_selection")]

    def _rows(self, name: str) -> list[Row]:
        group, by_rate = _LISTS[name]
        tallies: dict[Key, Tally] = getattr(self, name)
        outcomes: dict[str, int] = {}
        for (kind, _), tally in tallies.items():
            outcomes[kind] = outcomes.get(kind, 0) + tally.with_outcome
        rows = [
            {
                **({group: value} if group else {}),
                "decision_type": kind,
                "decisions": tally.decisions,
                **tally.rate(),
            }
            for (kind, value), tally in tallies.items()
        ]
        if by_rate:
            return sorted(
                rows,
                key=lambda row: (
                    -outcomes[row["decision_type"]],
                    row["decision_type"],
                    row["success_rate"] is None,
                    -(row["success_rate"] or 0.0),
                    row[group],
                ),
            )
        if not group:
            return sorted(rows, key=lambda row: (-row["decisions"], row["decision_type"]))
        return sorted(rows, key=lambda row: (row[group], row["decision_type"]))


# The lists of `as_dict`: the field that names a row's group, and whether the rows are ordered by rate.
_LISTS: Mapping[str, tuple[str, bool]] = {
    "by_type": ("", False),
    "by_day": ("date", False),
    "by_context": ("context_type", False),
    "by_source": ("source", True),
    "by_selection": ("source", True),
}
