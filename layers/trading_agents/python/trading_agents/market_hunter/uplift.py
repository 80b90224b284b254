"""What memory added to the hunter's selections, from its log: against the selection by its own scores.

Where every source is asked, selected or not, the log has the outcome of each, and of each its own score beside the one
that memory has put in its place (`score_breakdown`). So both selections can be valued by the same outcomes: the
expected success of one selected source, by the probabilities of `selection.select`. The interval is that of the mean
difference of a cycle with days as clusters, since the cycles of one day share their market.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trading_agents.market_hunter.selection import propensities_of

_NORMAL_95 = 1.959964
_MIN_DAYS = 2
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SelectionUplift:
    """What memory added to the success of selected sources.

    Attributes:
        selections: how many there are with judged sources.
        influenced: those that rest on a memory.
        changed: those of which memory changed the probabilities.
        uplift: the mean difference in success, from -1 to 1, over all selections; None without any.
        low: lower end of its 95 % interval; None with selections of one day only.
        high: upper end.
        by_memory: the same mean over the selections that rest on each memory, by its id, best first.
    """

    selections: int
    influenced: int
    changed: int
    uplift: float | None
    low: float | None
    high: float | None
    by_memory: Mapping[str, float]

    @property
    def influenced_share(self) -> float | None:
        """The share of the selections that rest on a memory."""
        return self.influenced / self.selections if self.selections else None

    def as_dict(self) -> dict[str, Any]:
        """The uplift as in reports."""
        counts = {"selections": self.selections, "influenced": self.influenced, "changed": self.changed}
        return {
            **counts,
            "influenced_share": self.influenced_share,
            "uplift": self.uplift,
            "interval": None if self.low is None or self.high is None else [self.low, self.high],
            "by_memory": [{"memory_id": name, "uplift": one} for name, one in self.by_memory.items()],
        }


@dataclass(slots=True)
class _Cycle:
    selection: Record | None = None
    judged: dict[str, bool] = field(default_factory=dict)


def selection_uplift(decisions: Iterable[Record]) -> SelectionUplift:
    """Compare the hunter's selections with those by its own scores.

    Args:
        decisions: its decisions as `query_decisions` returns them, in any order; others are passed over.
    """
    cycles: dict[Any, _Cycle] = defaultdict(_Cycle)
    for one in decisions:
        cycle = one["context"].get("cycle")
        if one["decision_type"] == "SOURCE_SELECTION" and one["reasoning"].get("propensities"):
            cycles[cycle].selection = one
        elif one["decision_type"] == "SIGNAL_GENERATION" and one["success"] is not None:
            cycles[cycle].judged[one["reasoning"]["source"]] = one["success"]
    by_day: dict[str, list[float]] = defaultdict(list)
    by_memory: dict[str, list[float]] = defaultdict(list)
    influenced = changed = 0
    for cycle in cycles.values():
        difference = None if cycle.selection is None else _difference(cycle.selection, cycle.judged)
        if cycle.selection is None or difference is None:
            continue
        by_day[cycle.selection["timestamp"][:10]].append(difference)
        influenced += bool(cycle.selection["memory_ids"])
        changed += _own_propensities(cycle.selection) != _rounded(cycle.selection["reasoning"]["propensities"])
        for memory_id in cycle.selection["memory_ids"]:
            by_memory[memory_id].append(difference)
    count = sum(map(len, by_day.values()))
    mean = math.fsum(one for day in by_day.values() for one in day) / count if count else None
    margin = None if mean is None or len(by_day) < _MIN_DAYS else _NORMAL_95 * _deviation(by_day, mean, count)
    means = {name: math.fsum(found) / len(found) for name, found in by_memory.items()}
    return SelectionUplift(
        selections=count,
        influenced=influenced,
        changed=changed,
        uplift=mean,
        low=None if mean is None or margin is None else mean - margin,
        high=None if mean is None or margin is None else mean + margin,
        by_memory=dict(sorted(means.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def _difference(selection: Record, judged: Mapping[str, bool]) -> float | None:
    """The expected success of a selected source with memory, less that without; None if it cannot be known."""
    values = [
        _value(propensities, judged)
        for propensities in (selection["reasoning"]["propensities"], _own_propensities(selection))
    ]
    return None if None in values else values[0] - values[1]  # type: ignore[operator]  # none of them is None


def _value(propensities: Mapping[str, float], judged: Mapping[str, bool]) -> float | None:
    known = {source: one for source, one in propensities.items() if source in judged and one > 0}
    total = math.fsum(known.values())
    return math.fsum(one * judged[source] for source, one in known.items()) / total if total else None


def _own_propensities(selection: Record) -> dict[str, float]:
    """The probabilities of selection by the agent's own scores."""
    reasoning = selection["reasoning"]
    breakdown = reasoning.get("score_breakdown", {})
    # In the order of selection, so that equal scores keep their rank.
    order = sorted(reasoning["scores"], key=lambda source: -reasoning["scores"][source])
    own = {source: breakdown.get(source, {}).get("learned", reasoning["scores"][source]) for source in order}
    count = len(reasoning["selected"])
    exploration = 1 - sorted(reasoning["propensities"].values(), reverse=True)[count - 1]
    return _rounded(propensities_of(own, count, exploration))


def _rounded(propensities: Mapping[str, float]) -> dict[str, float]:
    return {source: round(one, 6) for source, one in propensities.items()}


def _deviation(by_day: Mapping[str, list[float]], mean: float, count: int) -> float:
    """The standard deviation of the mean, with days as clusters."""
    days = len(by_day)
    squares = math.fsum(math.fsum(one - mean for one in day) ** 2 for day in by_day.values())
    return math.sqrt(squares * days / (days - 1)) / count
