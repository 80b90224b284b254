"""Crowding: how many agents acted on one memory within an hour, and how alike their decisions were.

Agents that share a memory may all act on it at once, and then one wrong memory is everybody's loss. How alike two
agents decided is the overlap of what they chose: over the options of one choice, the sum of the smaller of the two
shares (Schoener, Ecology 51, 1970, 408-418), from 0, nothing in common, to 1, the same. Several agents are as alike as
their pairs are on average.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent_memory.core.clock import HOUR_MS, to_iso
from agent_memory.learning.evidence import SELECTED_SOURCES, SOURCE, key_of, value_of
from agent_memory.learning.expected_results import CHOICES
from agent_memory.model.evidence import Evidence

WINDOW_MS = HOUR_MS
"""Agents that acted on a memory within this time acted at once."""
CROWD = 5
"""From so many agents on a memory may be crowded."""
ALIKE = 0.8
"""It is crowded if they decided as alike as this, or more."""
MIN_AGENTS = 2

_CHOICES = frozenset(SOURCE if one == SELECTED_SOURCES else one for one in CHOICES)


class Act(NamedTuple):
    """A decision of an agent."""

    agent_id: str
    decision: Evidence


@dataclass(frozen=True, slots=True)
class Crowding:
    """The hour in which the most agents acted on a memory.

    Attributes:
        memory_id: the memory, as decisions name it.
        agents: those that acted on it, sorted.
        decisions: how many decisions they based on it.
        start_ms: of the first of these, in milliseconds since the epoch.
        end_ms: of the last of these.
        alike: how alike the agents decided, from 0 to 1; None if no two of them made the same kind of choice.
        alike_otherwise: how alike they decided besides, within the time that was examined and the same types.
    """

    memory_id: str
    agents: tuple[str, ...]
    decisions: int
    start_ms: int
    end_ms: int
    alike: float | None
    alike_otherwise: float | None

    @property
    def is_crowded(self) -> bool:
        """Whether so many agents decided so much alike that the memory is everybody's risk."""
        return len(self.agents) >= CROWD and self.alike is not None and self.alike >= ALIKE

    def as_dict(self) -> dict[str, Any]:
        """The crowding as in reports and APIs; of the agents their number only."""
        return {
            "memory_id": self.memory_id,
            "agents": len(self.agents),
            "decisions": self.decisions,
            "start": to_iso(self.start_ms),
            "end": to_iso(self.end_ms),
            "alike": self.alike,
            "alike_otherwise": self.alike_otherwise,
            "crowded": self.is_crowded,
        }


def crowding_of(acts: Sequence[Act], own: Mapping[str, Collection[str]]) -> list[Crowding]:
    """The memories on which several agents acted within an hour, those with the most agents first.

    Decisions name a memory by its id alone, and every agent has memories of its own, some of which have the same id in
    each, as estimates do. An agent that has a memory of that id acted on its own, and is not counted; unless it is the
    only one that has it, so that the others must have read its memory, or that of a pool.

    Args:
        acts: the decisions of all agents in the time that is examined, in any order.
        own: for each agent the ids of its own memories, of those that `shared_candidates` names.
    """
    by_memory: dict[str, list[Act]] = {}
    for act in acts:
        for memory_id in act.decision.memory_ids:
            by_memory.setdefault(memory_id, []).append(act)
    found = []
    for memory_id, based in by_memory.items():
        owners = {agent for agent in {one.agent_id for one in based} if memory_id in own.get(agent, ())}
        shared = based if len(owners) == 1 else [one for one in based if one.agent_id not in owners]
        if len({one.agent_id for one in shared}) >= MIN_AGENTS:
            crowding = _busiest_hour(memory_id, shared, acts)
            if len(crowding.agents) >= MIN_AGENTS:
                found.append(crowding)
    return sorted(found, key=lambda one: (-len(one.agents), -(one.alike or 0.0), one.memory_id))


def shared_candidates(acts: Iterable[Act]) -> dict[str, set[str]]:
    """For each agent the memories it acted on that another agent acted on too, by their ids."""
    agents: dict[str, set[str]] = {}
    for act in acts:
        for memory_id in act.decision.memory_ids:
            agents.setdefault(memory_id, set()).add(act.agent_id)
    candidates: dict[str, set[str]] = {}
    for memory_id, names in agents.items():
        for name in names if len(names) >= MIN_AGENTS else ():
            candidates.setdefault(name, set()).add(memory_id)
    return candidates


def _busiest_hour(memory_id: str, based: Sequence[Act], acts: Sequence[Act]) -> Crowding:
    """The hour in which the most agents acted on a memory; of several the one with the most decisions, then the first.

    `based` has the decisions that are based on it, `acts` all.
    """
    based = sorted(based, key=lambda one: (one.decision.timestamp_ms, one.decision.decision_id))
    best, first = based[:1], 0
    counts: Counter[str] = Counter()
    most = (0, 0)
    for last, act in enumerate(based):
        counts[act.agent_id] += 1
        while act.decision.timestamp_ms - based[first].decision.timestamp_ms >= WINDOW_MS:
            counts[based[first].agent_id] -= 1
            if not counts[based[first].agent_id]:
                del counts[based[first].agent_id]
            first += 1
        size = (len(counts), last - first + 1)
        if size > most:
            most, best = size, based[first : last + 1]
    agents = {one.agent_id for one in best}
    types = {one.decision.decision_type for one in best}
    others = [
        one
        for one in acts
        if one.agent_id in agents and one.decision.decision_type in types and memory_id not in one.decision.memory_ids
    ]
    return Crowding(
        memory_id=memory_id,
        agents=tuple(sorted(agents)),
        decisions=len(best),
        start_ms=best[0].decision.timestamp_ms,
        end_ms=best[-1].decision.timestamp_ms,
        alike=how_alike(best),
        alike_otherwise=how_alike(others),
    )


def how_alike(acts: Iterable[Act]) -> float | None:
    """How alike agents decided, from 0 to 1; None if no two of them made the same kind of choice."""
    chosen: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for act in acts:
        for feature in act.decision.features:
            key = key_of(feature)
            if key in _CHOICES:
                of_choice = chosen.setdefault((act.decision.decision_type, key), {})
                of_choice.setdefault(act.agent_id, Counter())[value_of(feature)] += 1
    overlap, pairs = 0.0, 0
    for by_agent in chosen.values():
        count = len(by_agent)
        overlap += _overlap_of_pairs([_shares(options) for options in by_agent.values()])
        pairs += count * (count - 1) // 2
    return overlap / pairs if pairs else None


def _shares(options: Counter[str]) -> dict[str, float]:
    total = options.total()
    return {option: count / total for option, count in options.items()}


def _overlap_of_pairs(agents: Sequence[Mapping[str, float]]) -> float:
    """The sum of the overlaps of all pairs.

    Of an option's shares in ascending order, each is the smaller one in the pairs that it forms with the later ones, so
    that no pair is looked at on its own.
    """
    total = 0.0
    for option in sorted({option for shares in agents for option in shares}):
        ascending = sorted(shares.get(option, 0.0) for shares in agents)
        total += sum(share * (len(ascending) - 1 - position) for position, share in enumerate(ascending))
    return total
