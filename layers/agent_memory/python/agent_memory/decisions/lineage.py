"""The ancestors of decisions, determined when they are logged.

A decision names its parents. It is stored with all its ancestors up to five steps up and their distances, and each of
these ancestors gets a small link to it. One round of requests therefore finds everything within five steps.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from agent_memory.core.errors import AgentMemoryError, InvalidInput, as_outage
from agent_memory.core.ids import timestamp_of
from agent_memory.model.decisions import Decision
from agent_memory.ports.decisions import Link

MAX_STEPS = 5
MAX_ANCESTORS = 100
_CACHE_SIZE = 10_000

Ancestors = Mapping[str, int]
"""The ids of ancestors with their distances in steps."""


class Lineage:
    """Determines ancestors. Those of recent decisions are cached, so that an agent's own chain needs no reads."""

    def __init__(self, find: Callable[[Sequence[str]], Iterable[Decision]]) -> None:
        """`find` reads the decisions with some ids that are in the log."""
        self._find = find
        self._cache: OrderedDict[str, Ancestors] = OrderedDict()

    def with_ancestors(self, decisions: Sequence[Decision]) -> list[Decision | InvalidInput]:
        """Each decision with its ancestors, in order; an `InvalidInput` if its parents are invalid.

        Raises:
            Unavailable: the table did not respond.
        """
        if not any(decision.parent_ids for decision in decisions):
            for decision in decisions:
                self._add_to_cache(decision.decision_id, {})
            return list(decisions)
        batch = {decision.decision_id: decision for decision in decisions}
        self._read_parents(batch)
        done: dict[str, Ancestors] = {}
        for decision_id in _parents_first(batch):
            ancestors = self._ancestors(batch[decision_id], done)
            if decision_id not in ancestors:
                done[decision_id] = ancestors
                self._add_to_cache(decision_id, ancestors)
        return [
            replace(decision, ancestors=self._ancestors(decision, done))
            if decision.decision_id in done
            else InvalidInput("/parent_ids", "the parents form a cycle")
            for decision in decisions
        ]

    def _read_parents(self, batch: Mapping[str, Decision]) -> None:
        parents = {parent for decision in batch.values() for parent in decision.parent_ids}
        unknown = [parent for parent in parents if parent not in batch and parent not in self._cache]
        try:
            parents_found = list(self._find(sorted(unknown))) if unknown else []
        except AgentMemoryError as error:  # not about the decisions
            raise as_outage(error) from error
        for found in parents_found:
            self._add_to_cache(found.decision_id, ancestors_of(found))

    def _ancestors(self, decision: Decision, done: Mapping[str, Ancestors]) -> Ancestors:
        """The ancestors of a decision, whose parents in the same batch are `done`.

        Ancestors that are not older than the decision itself are all kept, because a cycle may close among them.
        """
        ancestors: dict[str, int] = dict.fromkeys(decision.parent_ids, 1)
        for parent in decision.parent_ids:
            for ancestor, steps in (done.get(parent) or self._cache.get(parent, {})).items():
                if steps < MAX_STEPS or timestamp_of(ancestor) >= decision.timestamp_ms:
                    ancestors[ancestor] = min(steps + 1, ancestors.get(ancestor, steps + 1))
        return dict(sorted(ancestors.items(), key=lambda one: one[1])[:MAX_ANCESTORS])

    def _add_to_cache(self, decision_id: str, ancestors: Ancestors) -> None:
        self._cache[decision_id] = ancestors
        self._cache.move_to_end(decision_id)
        if len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)


def _parents_first(batch: Mapping[str, Decision]) -> Iterator[str]:
    """The decisions of a batch, each after its parents, without those that are part of a cycle or descend from one.

    The order is by parenthood: a parent that another host logged may carry the later time.
    """
    sorter = TopologicalSorter(
        {name: [parent for parent in one.parent_ids if parent in batch] for name, one in batch.items()}
    )
    with suppress(CycleError):  # the others can still be ordered
        sorter.prepare()
    while ready := sorter.get_ready():
        yield from ready
        sorter.done(*ready)


def ancestors_of(decision: Decision) -> Ancestors:
    """The ancestors that a stored decision contains, its parents at least."""
    return {**dict.fromkeys(decision.parent_ids, 1), **decision.ancestors}


def links_to(decision: Decision) -> list[Link]:
    """The links from a decision's ancestors to it."""
    descendant = decision.key
    return [
        Link(ancestor_id, steps, descendant) for ancestor_id, steps in decision.ancestors.items() if steps <= MAX_STEPS
    ]
