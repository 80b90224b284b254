"""Where decisions come from: their ancestors, worked out when they are logged.

A decision names its parents. What it keeps is every ancestor up to five steps up, with the number of steps, and each
of those gets a small link to it. So one round of requests finds whatever lies five steps before and after.
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
_REMEMBERED = 10_000

Ancestors = Mapping[str, int]
"""How many steps up each ancestor lies."""


class Lineage:
    """Works out ancestors. Remembers those of recent decisions, so that an agent's own chain costs no reading."""

    def __init__(self, find: Callable[[Sequence[str]], Iterable[Decision]]) -> None:
        """`find` reads those of some decisions that are in the log."""
        self._find = find
        self._known: OrderedDict[str, Ancestors] = OrderedDict()

    def with_ancestors(self, decisions: Sequence[Decision]) -> list[Decision | InvalidInput]:
        """Each decision with its ancestors, in order, or what is wrong with its parents.

        Raises:
            Unavailable: the table did not respond.
        """
        if not any(decision.parent_ids for decision in decisions):
            for decision in decisions:
                self._remember(decision.decision_id, {})
            return list(decisions)
        batch = {decision.decision_id: decision for decision in decisions}
        self._read_parents(batch)
        # In order of time, so that parents are worked out before those that name them.
        places = sorted(range(len(decisions)), key=lambda place: decisions[place].timestamp_ms)
        done: dict[str, Ancestors] = {}
        traced: dict[int, Decision | InvalidInput] = {}
        for place in places:
            decision = decisions[place]
            try:
                ancestors = self._ancestors(decision, batch, done, ())
            except InvalidInput as error:
                traced[place] = error
            else:
                traced[place] = replace(decision, ancestors=ancestors)
                self._remember(decision.decision_id, ancestors)
        return [traced[place] for place in range(len(decisions))]

    def _read_parents(self, batch: Mapping[str, Decision]) -> None:
        parents = {parent for decision in batch.values() for parent in decision.parent_ids}
        unknown = [parent for parent in parents if parent not in batch and parent not in self._known]
        for found in self._find(sorted(unknown)) if unknown else ():
            self._remember(found.decision_id, ancestors_of(found))

    def _ancestors(
        self, decision: Decision, batch: Mapping[str, Decision], done: dict[str, Ancestors], path: tuple[str, ...]
    ) -> Ancestors:
        """Ancestors of a decision; `path` holds its descendants that are being worked out.

        Time runs one way, so that a circle can only close within one millisecond: there all steps are followed.
        """
        path = (*path, decision.decision_id)
        if len(path) > MAX_ANCESTORS:
            raise InvalidInput("/parent_ids", f"more than {MAX_ANCESTORS} steps within one millisecond")
        ancestors: dict[str, int] = dict.fromkeys(decision.parent_ids, 1)
        for parent in decision.parent_ids:
            if parent in path:
                raise InvalidInput("/parent_ids", "the parents lead in a circle")
            if parent in batch and parent not in done:
                done[parent] = self._ancestors(batch[parent], batch, done, path)
            for ancestor, steps in (done.get(parent) or self._known.get(parent, {})).items():
                if steps < MAX_STEPS or timestamp_of(ancestor) == decision.timestamp_ms:
                    ancestors[ancestor] = min(steps + 1, ancestors.get(ancestor, steps + 1))
        if decision.decision_id in ancestors:
            raise InvalidInput("/parent_ids", "the parents lead in a circle")
        return dict(sorted(ancestors.items(), key=lambda one: one[1])[:MAX_ANCESTORS])

    def _remember(self, decision_id: str, ancestors: Ancestors) -> None:
        self._known[decision_id] = ancestors
        self._known.move_to_end(decision_id)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def ancestors_of(decision: Decision) -> Ancestors:
    """What a stored decision tells of its ancestors: the parents at least."""
    return {**dict.fromkeys(decision.parent_ids, 1), **decision.ancestors}


def links_to(decision: Decision) -> list[Link]:
    """The links from a decision's ancestors to it."""
    descendant = decision.key
    return [Link(name, steps, descendant) for name, steps in decision.ancestors.items() if steps <= MAX_STEPS]
