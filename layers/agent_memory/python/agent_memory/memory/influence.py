"""What rested on a memory: the decisions that name it, what came of them, and what was learned from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.core.ids import check_pattern_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.learning.evidence import features_of
from agent_memory.learning.intervals import wilson_interval
from agent_memory.memory.learning_controls import read_controls
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Listing, Unreadable, fitting
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.model.outcomes import known_at
from agent_memory.ports.stores import Stores

_NOT_LEARNED = {MemoryType.CONFIGURATION, MemoryType.EXPERIMENT}


@dataclass(slots=True)
class _Outcomes:
    decisions: int = 0
    with_outcome: int = 0
    succeeded: int = 0

    def add(self, decision: Decision) -> None:
        self.decisions += 1
        if decision.outcome is not None:
            self.with_outcome += 1
            self.succeeded += decision.outcome.success

    def as_dict(self) -> dict[str, Any]:
        rate = self.succeeded / self.with_outcome if self.with_outcome else None
        low, high = (None, None) if rate is None else wilson_interval(rate, self.with_outcome)
        return {
            "decisions": self.decisions,
            "with_outcome": self.with_outcome,
            "succeeded": self.succeeded,
            "success_rate": rate,
            "low": low,
            "high": high,
        }


@dataclass(slots=True)
class _Found:
    """What was found of one memory in the log."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, _Outcomes] = field(default_factory=dict)
    facts: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    """The facts of each decision with an outcome, by decision type."""

    def add(self, decision: Decision) -> None:
        self.outcomes.setdefault(decision.decision_type, _Outcomes()).add(decision)
        outcome = decision.outcome
        self.entries.append(
            {
                "decision_id": decision.decision_id,
                "decision_type": decision.decision_type,
                "timestamp": to_iso(decision.timestamp_ms),
                "success": None if outcome is None else outcome.success,
            }
        )
        if outcome is not None:
            facts = features_of(decision.context, decision.reasoning, decision.metadata)
            self.facts.setdefault(decision.decision_type, []).append(frozenset(facts))


def influence_of(
    memory_id: str,
    log: DecisionLog,
    stores: Stores,
    *,
    time_range: TimeRange | None = None,
    known_by_ms: int | None = None,
) -> "Influence":
    """The decisions of an agent that are based on a memory, oldest first, what came of them, and what they fed.

    Args:
        memory_id: the `pattern_id`, as decisions name it in `memory_ids`.
        log: of the agent.
        stores: of the deployment.
        time_range: (start, end) without the end; by default all time.
        known_by_ms: count the outcomes that were known at this time, by default all, and leave out what they fed,
            since memories are compared with decisions as they are now.

    Raises:
        InvalidInput: names the argument. Unavailable: a store did not respond, or a day is in cold storage.
    """
    check_pattern_id(memory_id, "memory_id")
    unreadable: list[Unreadable] = []
    found = _Found()
    criteria = DecisionFilter(time_range=time_range)
    for decision in log.stream(criteria, newest_first=False, on_unreadable=unreadable.append):
        if memory_id in decision.memory_ids:
            found.add(decision if known_by_ms is None else known_at(decision, known_by_ms))
    fed = (
        []
        if not found.facts or known_by_ms is not None
        else list(_fed(found, _learned(log.agent_id, stores, unreadable)))
    )
    entries = fitting(
        found.entries,
        as_dict=dict,
        id_of=lambda one: one["decision_id"],
        max_bytes=log.max_answer_bytes,
        missing=[one.as_dict() for one in unreadable],
        read_directly="a shorter time range, or over HTTP with MemoryManager",
    )
    return Influence(
        entries,
        memory_id=memory_id,
        is_quarantined=memory_id in read_controls(stores.states, log.agent_id).quarantined,
        outcomes={name: one.as_dict() for name, one in sorted(found.outcomes.items())},
        fed=fed,
    )


class Influence(Listing[dict[str, Any]]):
    """The decisions that are based on a memory: `decision_id`, `decision_type`, `timestamp` and `success` of each.

    Attributes:
        memory_id: the memory.
        is_quarantined: whether it is quarantined.
        outcomes: by decision type, `decisions`, `with_outcome`, `succeeded`, `success_rate` and its 95 % interval.
        fed: the memories that the nightly job learned from decisions of these types: `memory_type`, `pattern_id`,
            `decisions`, how many of those above are its evidence, and `matching`, how many of them have its features;
            the others are what it is compared with.
    """

    def __init__(
        self,
        entries: Listing[dict[str, Any]],
        *,
        memory_id: str,
        is_quarantined: bool,
        outcomes: dict[str, dict[str, Any]],
        fed: list[dict[str, Any]],
    ) -> None:
        super().__init__(entries, entries.missing, entries.cursor)
        self.memory_id = memory_id
        self.is_quarantined = is_quarantined
        self.outcomes = outcomes
        self.fed = fed

    def as_dict(self) -> dict[str, Any]:
        """The influence as in the APIs."""
        known = {"memory_id": self.memory_id, "quarantined": self.is_quarantined, "outcomes": self.outcomes}
        return {**known, "fed": self.fed, **self.body("decisions")}


def _learned(agent_id: str, stores: Stores, unreadable: list[Unreadable]) -> Iterable[Memory]:
    for kind in MemoryType:
        if kind not in _NOT_LEARNED:
            yield from stores.memories.by_confidence(agent_id, kind, on_unreadable=unreadable.append)


def _fed(found: _Found, memories: Iterable[Memory]) -> Iterable[dict[str, Any]]:
    """The learned memories that are about the decision types of what was found."""
    for memory in memories:
        rows = [one for name in _decision_types(memory) for one in found.facts.get(name, ())]
        if rows:
            features = memory.data.get("features")
            has_features = isinstance(features, list) and bool(features)
            yield {
                "memory_type": memory.memory_type,
                "pattern_id": memory.pattern_id,
                "decisions": len(rows),
                "matching": sum(map(frozenset(features or ()).issubset, rows)) if has_features else len(rows),
            }


def _decision_types(memory: Memory) -> Sequence[str]:
    """The decision types that a learned memory is about; none if an agent has stored it."""
    own = memory.data.get("decision_type")
    if isinstance(own, str):
        return [own]
    several = memory.data.get("by_decision_type")
    if not isinstance(several, list):
        return []
    return [one["decision_type"] for one in several if isinstance(one, dict) and "decision_type" in one]
