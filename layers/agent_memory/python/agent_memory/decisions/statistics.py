"""Outcome statistics of groups of decisions, computed in one pass."""

import statistics
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import InvalidInput, shown
from agent_memory.decisions.tallies import Tally
from agent_memory.model.decisions import Decision, context_type_of

MAX_GROUPS = 1_000
INTERVAL = "Wilson score interval, 95 %"

_LATENCY = ("latency_ms",)
_QUALITY = ("quality", "quality_score")
_SECTIONS = ("context", "reasoning", "metadata")

Grouping = Callable[[Decision], Iterable[str | None]]
"""Returns the names of a decision's groups."""


@dataclass(slots=True)
class Measurements:
    """The values of one measurement, eight bytes each, so that a million fit into memory for exact quantiles."""

    values: "array[float]" = field(default_factory=lambda: array("d"))

    def as_dict(self) -> dict[str, float | int] | None:
        """Number, mean, median, 95th percentile, minimum and maximum of the values; None if there are none."""
        if not self.values:
            return None
        ordered = sorted(self.values)
        count = len(ordered)
        return {
            "count": count,
            "mean": statistics.fmean(ordered),
            "median": statistics.median(ordered),
            # The smallest value that 95 % of the values do not exceed.
            "p95": ordered[-(-95 * count // 100) - 1],
            "min": ordered[0],
            "max": ordered[-1],
        }


@dataclass(slots=True)
class Group:
    """The counts and measurements of one group."""

    tally: Tally = field(default_factory=Tally)
    latency_ms: Measurements = field(default_factory=Measurements)
    quality: Measurements = field(default_factory=Measurements)

    def add(self, decision: Decision) -> None:
        """Count a decision. Latency and quality come from the outcome's metrics, or else from its details."""
        outcome = decision.outcome
        self.tally.add(outcome.success if outcome else None)
        if outcome is not None:
            for measurements, names in ((self.latency_ms, _LATENCY), (self.quality, _QUALITY)):
                value = _first_number(names, outcome.metrics, outcome.details)
                if value is not None:
                    measurements.values.append(value)

    def as_dict(self) -> dict[str, Any]:
        """The number of decisions, success rate with its interval, latency in milliseconds and quality."""
        return {
            "count": self.tally.decisions,
            **self.tally.rate(),
            "latency_ms": self.latency_ms.as_dict(),
            "quality": self.quality.as_dict(),
        }


def group_statistics(decisions: Iterable[Decision], group_by: str) -> dict[str, Any]:
    """Outcome statistics by group. If the value that is grouped by is a list, a decision counts for each member.

    Args:
        decisions: consumed one by one.
        group_by: `context` (the complete market context), `source` (members of `reasoning.selected`), `type`, or a
            dotted path such as `context.market.trend` or `reasoning.exploration_triggered`.

    Returns:
        `group_by`, `interval` (the kind of interval that `low` and `high` are), `total`, and `groups`, largest first.
        The group None contains the decisions without such a value.

    Raises:
        InvalidInput: an invalid grouping, or more than 1,000 groups.
    """
    grouping = _parse_grouping(group_by)
    total = Group()
    groups: dict[str | None, Group] = {}
    for decision in decisions:
        total.add(decision)
        for name in grouping(decision):
            if name not in groups and len(groups) >= MAX_GROUPS:
                raise InvalidInput("group_by", f"{group_by} has over {MAX_GROUPS:,} values; group by one with fewer")
            groups.setdefault(name, Group()).add(decision)
    ordered = sorted(groups.items(), key=lambda one: (-one[1].tally.decisions, one[0] or ""))
    return {
        "group_by": group_by,
        "interval": INTERVAL,
        "total": total.as_dict(),
        "groups": [{"group": name, **group.as_dict()} for name, group in ordered],
    }


def _parse_grouping(group_by: object) -> Grouping:
    match group_by:
        case "context":
            return lambda decision: [context_type_of(decision.context)]
        case "source":
            return lambda decision: _names(_value_at(decision.reasoning, ["selected"]))
        case "type":
            return lambda decision: [decision.decision_type]
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


def _first_number(names: Iterable[str], *documents: Mapping[str, Any]) -> float | None:
    """The first number under one of these names."""
    for document in documents:
        for name in names:
            value = document.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
    return None
