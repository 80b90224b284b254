"""Outcome statistics of groups of decisions, computed in one pass."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import InvalidInput, shown
from agent_memory.decisions.measurements import Measurements
from agent_memory.decisions.rollups import Cell, CellKey, Rollup
from agent_memory.decisions.tallies import Tally, count
from agent_memory.model.decisions import Decision, Outcome, context_type_of
from agent_memory.ports.decisions import Alike

MAX_GROUPS = 1_000
INTERVAL = "Wilson score interval, 95 %"

_CONTEXT, _TYPE = "context", "type"
_SECTIONS = ("context", "reasoning", "metadata")

Grouping = Callable[[Decision], Iterable[str | None]]
"""Returns the names of a decision's groups."""


@dataclass(slots=True)
class Group:
    """The counts and measurements of one group, in all and by decision type."""

    tally: Tally = field(default_factory=Tally)
    by_type: dict[str, Tally] = field(default_factory=dict)
    latency_ms: Measurements = field(default_factory=Measurements)
    quality: Measurements = field(default_factory=Measurements)

    def add(self, decision_type: str, success: bool | None, cell: Cell) -> None:
        """Count the decisions of a cell, which have this type and success, and whose values are in order."""
        self.tally.add(success, cell.decisions)
        count(self.by_type, [decision_type], success, cell.decisions)
        self.latency_ms.add(cell.latency_ms)
        self.quality.add(cell.quality)

    def as_dict(self) -> dict[str, Any]:
        """The number of decisions, success rate with its interval, latency in milliseconds and quality.

        Success means something else for each type, so that a group of several types has no rate; each type has.
        """
        rate = self.tally.rate()
        if sum(tally.with_outcome > 0 for tally in self.by_type.values()) > 1:
            rate |= dict.fromkeys(("success_rate", "low", "high"))
        ordered = sorted(self.by_type.items(), key=lambda one: (-one[1].decisions, one[0]))
        return {
            "count": self.tally.decisions,
            **rate,
            "by_type": [{"decision_type": name, "count": tally.decisions, **tally.rate()} for name, tally in ordered],
            "latency_ms": self.latency_ms.as_dict(),
            "quality": self.quality.as_dict(),
        }


class GroupedStatistics:
    """Outcome statistics by group. If the value that is grouped by is a list, a decision counts for each member.

    `group_by` is `context` (the complete market context), `source` (see `model.sources`), `type`, or a dotted path such
    as `context.market.trend` or `reasoning.exploration_triggered`.

    Raises:
        InvalidInput: an invalid grouping; from the methods, more than 1,000 groups.
    """

    def __init__(self, group_by: str) -> None:
        self._group_by = group_by
        self._grouping = _parse_grouping(group_by)
        self._total = Group()
        self._groups: dict[str | None, Group] = {}

    @property
    def takes_rollups(self) -> bool:
        """Whether rollups have what is grouped by."""
        return self._group_by in _OF_CELL

    @property
    def takes_counts(self) -> bool:
        """Whether decisions that are `ports.decisions.Alike` are in the same group."""
        return self._group_by in {_CONTEXT, _TYPE}

    def add(self, decision: Decision) -> None:
        """Count a decision."""
        self._add_outcomes(self._grouping(decision), decision.decision_type, decision.outcome, 1)

    def add_alike(self, alike: Alike) -> None:
        """Count decisions that are alike."""
        name = alike.context_type if self._group_by == _CONTEXT else alike.decision_type
        self._add_outcomes([name], alike.decision_type, alike.outcome, alike.number)

    def add_rollup(self, rollup: Rollup, decision_type: str | None) -> None:
        """Count the decisions of a rollup that have a type, or all of them."""
        names = _OF_CELL[self._group_by]
        for key, cell in rollup.cells.items():
            if decision_type in (None, key.decision_type):
                self._add(names(key), key.decision_type, key.success, cell.in_order())

    def as_dict(self) -> dict[str, Any]:
        """`group_by`, `interval` (of which kind `low` and `high` are), `total`, and `groups`, largest first.

        The group None contains the decisions without such a value.
        """
        ordered = sorted(self._groups.items(), key=lambda one: (-one[1].tally.decisions, one[0] or ""))
        return {
            "group_by": self._group_by,
            "interval": INTERVAL,
            "total": self._total.as_dict(),
            "groups": [{"group": name, **group.as_dict()} for name, group in ordered],
        }

    def _add_outcomes(
        self, names: Iterable[str | None], decision_type: str, outcome: Outcome | None, decisions: int
    ) -> None:
        cell = Cell()
        cell.add(outcome, decisions)
        self._add(names, decision_type, outcome.success if outcome else None, cell)

    def _add(self, names: Iterable[str | None], decision_type: str, success: bool | None, cell: Cell) -> None:
        self._total.add(decision_type, success, cell)
        for name in names:
            if name not in self._groups and len(self._groups) >= MAX_GROUPS:
                message = f"{self._group_by} has over {MAX_GROUPS:,} values; group by one with fewer"
                raise InvalidInput("group_by", message)
            self._groups.setdefault(name, Group()).add(decision_type, success, cell)


_OF_CELL: Mapping[str, Callable[[CellKey], Iterable[str | None]]] = {
    _CONTEXT: lambda key: [key.context_type],
    "source": lambda key: key.sources or [None],
    _TYPE: lambda key: [key.decision_type],
}
"""The groups of a cell's decisions, for what rollups can be grouped by."""


def _parse_grouping(group_by: object) -> Grouping:
    match group_by:
        case "context" | "source" | "type":
            names = _OF_CELL[group_by]
            return lambda decision: names(CellKey.of(decision))
        case str():
            section, *path = group_by.split(".")
            if section in _SECTIONS and path and all(path):
                return lambda decision: _names(_value_at(getattr(decision, section), path))
    raise InvalidInput(
        "group_by", f"{shown(group_by, 80)} is not context, source, type, or a path such as context.market.trend"
    )


def _value_at(document: Any, path: list[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _names(value: Any) -> list[str | None]:
    """The names of the groups to which a value belongs."""
    if isinstance(value, list | tuple):
        return list(dict.fromkeys(_name(member) for member in value)) or [None]
    return [_name(value)]


def _name(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return context_type_of({"market": value})  # the canonical text of any value, not only of a market
