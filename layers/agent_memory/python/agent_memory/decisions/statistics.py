"""How decisions turned out, group by group, in one pass over them."""

import statistics
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.decisions.tallies import Tally
from agent_memory.model.decisions import Decision, context_type_of

MAX_GROUPS = 1_000
INTERVAL = "Wilson score interval, 95 %"

_LATENCY = ("latency_ms",)
_QUALITY = ("quality", "quality_score")
_SECTIONS = ("context", "reasoning", "metadata")

Names = Callable[[Decision], Iterable[str | None]]


@dataclass(slots=True)
class Measurements:
    """The values of one measurement; eight bytes each, so that exact quantiles of a million fit."""

    values: "array[float]" = field(default_factory=lambda: array("d"))

    def as_dict(self) -> dict[str, float | int] | None:
        """Number, mean, median, 95th percentile, least and greatest; None where nothing was measured."""
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
    """What is counted of one group."""

    tally: Tally = field(default_factory=Tally)
    latency_ms: Measurements = field(default_factory=Measurements)
    quality: Measurements = field(default_factory=Measurements)

    def add(self, decision: Decision) -> None:
        """Count a decision; latency and quality are taken from the outcome's metrics, else from its details."""
        outcome = decision.outcome
        self.tally.add(outcome.success if outcome else None)
        if outcome is not None:
            for measurements, names in ((self.latency_ms, _LATENCY), (self.quality, _QUALITY)):
                measurements.values.extend(_measured(names, outcome.metrics, outcome.details))

    def as_dict(self) -> dict[str, Any]:
        """Count, success rate with its interval, latency in milliseconds and quality."""
        return {
            "count": self.tally.decisions,
            **self.tally.rate(),
            "latency_ms": self.latency_ms.as_dict(),
            "quality": self.quality.as_dict(),
        }


def group_statistics(decisions: Iterable[Decision], group_by: str) -> dict[str, Any]:
    """Outcomes of decisions, grouped; a decision with several values of a list counts in each of their groups.

    Args:
        decisions: read once, as they come.
        group_by: `context` (the whole market context), `source` (members of `reasoning.selected`), `type`, or a
            dotted path such as `context.market.trend` or `reasoning.exploration_triggered`.

    Returns:
        `group_by`, `interval` (which one `low` and `high` are), `total`, and `groups`, largest first. The group None
        is of decisions that have no such value.

    Raises:
        InvalidInput: an unknown grouping, or more than a thousand groups.
    """
    names_of = _grouping(group_by)
    total = Group()
    groups: dict[str | None, Group] = {}
    for decision in decisions:
        total.add(decision)
        for name in names_of(decision):
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


def _grouping(group_by: object) -> Names:
    match group_by:
        case "context":
            return lambda decision: [context_type_of(decision.context)]
        case "source":
            return lambda decision: _texts(_at(decision.reasoning, ["selected"]))
        case "type":
            return lambda decision: [decision.decision_type]
        case str():
            section, *path = group_by.split(".")
            if section in _SECTIONS and path and all(path):
                return lambda decision: _texts(_at(getattr(decision, section), path))
    raise InvalidInput(
        "group_by", f"{group_by!r:.80} is none of context, source, type, or a path such as context.market.trend"
    )


def _at(document: Any, path: list[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _texts(value: Any) -> list[str | None]:
    """The names of the groups that a value belongs to."""
    if isinstance(value, list | tuple):
        return list(dict.fromkeys(_text(member) for member in value)) or [None]
    return [_text(value)]


def _text(value: Any) -> str | None:
    # The canonical text of a market context is that of any value under the same name.
    return value if isinstance(value, str) else None if value is None else context_type_of({"market": value})


def _measured(names: Iterable[str], *documents: Mapping[str, Any]) -> Iterator[float]:
    for document in documents:
        for name in names:
            value = document.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield float(value)
                return
