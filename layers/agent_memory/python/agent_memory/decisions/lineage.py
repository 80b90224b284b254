"""The ancestors of decisions, determined when they are logged.

A decision names its parents. It is stored with all its ancestors up to five steps up and their distances, and each of
these ancestors gets a small link to it. One round of requests therefore finds everything within five steps.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from agent_memory.core.errors import InvalidInput
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
        # In order of time, so that the ancestors of parents are known before those of their children.
        by_time = sorted(range(len(decisions)), key=lambda index: decisions[index].timestamp_ms)
        computed: dict[str, Ancestors] = {}
        results: dict[int, Decision | InvalidInput] = {}
        for index in by_time:
            decision = decisions[index]
            try:
                ancestors = self._ancestors(decision, batch, computed, ())
            except InvalidInput as error:
                results[index] = error
            else:
                results[index] = replace(decision, ancestors=ancestors)
                self._add_to_cache(decision.decision_id, ancestors)
        return [results[index] for index in range(len(decisions))]

    def _read_parents(self, batch: Mapping[str, Decision]) -> None:
        parents = {parent for decision in batch.values() for parent in decision.parent_ids}
        unknown = [parent for parent in parents if parent not in batch and parent not in self._cache]
        for found in self._find(sorted(unknown)) if unknown else ():
            self._add_to_cache(found.decision_id, ancestors_of(found))

    def _ancestors(
        self, decision: Decision, batch: Mapping[str, Decision], computed: dict[str, Ancestors], path: tuple[str, ...]
    ) -> Ancestors:
        """The ancestors of a decision; `path` is its descendants, whose ancestors are being determined.

        A parent is never later than its child, so a cycle can only exist within one millisecond. There all steps are
        followed.
        """
        path = (*path, decision.decision_id)
        if len(path) > MAX_ANCESTORS:
            raise InvalidInput("/parent_ids", f"more than {MAX_ANCESTORS} steps within one millisecond")
        ancestors: dict[str, int] = dict.fromkeys(decision.parent_ids, 1)
        for parent in decision.parent_ids:
            if parent in path:
                raise InvalidInput("/parent_ids", "the parents form a cycle")
            if parent in batch and parent not in computed:
                computed[parent] = self._ancestors(batch[parent], batch, computed, path)
            for ancestor, steps in (computed.get(parent) or self._cache.get(parent, {})).items():
                if steps < MAX_STEPS or timestamp_of(ancestor) == decision.timestamp_ms:
                    ancestors[ancestor] = min(steps + 1, ancestors.get(ancestor, steps + 1))
        if decision.decision_id in ancestors:
            raise InvalidInput("/parent_ids", "the parents form a cycle")
        return dict(sorted(ancestors.items(), key=lambda one: one[1])[:MAX_ANCESTORS])

    def _add_to_cache(self, decision_id: str, ancestors: Ancestors) -> None:
        self._cache[decision_id] = ancestors
        self._cache.move_to_end(decision_id)
        if len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)


def ancestors_of(decision: Decision) -> Ancestors:
    """The ancestors that a stored decision contains, its parents at least."""
    return {**dict.fromkeys(decision.parent_ids, 1), **decision.ancestors}


def links_to(decision: Decision) -> list[Link]:
    """The links from a decision's ancestors to it."""
    descendant = decision.key
    return [
        Link(ancestor_id, steps, descendant) for ancestor_id, steps in decision.ancestors.items() if steps <= MAX_STEPS
    ]
