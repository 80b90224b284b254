"""What led to a decision and what came of it: its relatives by name, then its neighbours in time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, Span, to_iso
from agent_memory.core.concurrency import map_concurrently, run_concurrently
from agent_memory.core.errors import NotFound
from agent_memory.core.ids import timestamp_of
from agent_memory.decisions.lineage import MAX_STEPS, Ancestors, ancestors_of
from agent_memory.decisions.reader import DecisionReader, time_and_id
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.model.decisions import Decision
from agent_memory.ports.decisions import DecisionStore, Link, Selection

MAX_DEPTH = 50
MAX_LINKS = 1_000
NEIGHBOUR_DAYS = 30


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One decision of a chain and why it is in it.

    `relation` is `ancestor`, `descendant`, `before` or `after`; `distance` counts steps or places. `decision` is None
    where a parent was named that is not in the log.
    """

    decision_id: str
    relation: str
    distance: int
    decision: Decision | None

    def as_dict(self) -> dict[str, Any]:
        """The decision with `relation`, `distance`, `why` and `missing` beside its own fields."""
        known = self.decision.as_dict() if self.decision else _missing(self.decision_id)
        place = {"relation": self.relation, "distance": self.distance, "why": self._why()}
        return {**known, **place, "missing": self.decision is None}

    def _why(self) -> str:
        steps = f"over {self.distance} steps"
        match self.relation:
            case "ancestor":
                return "named as a parent" if self.distance == 1 else f"led to this decision {steps}"
            case "descendant":
                return "names this decision as a parent" if self.distance == 1 else f"came of this decision {steps}"
        return f"number {self.distance} {self.relation} it in the agent's own time"


@dataclass(slots=True)
class _Family:
    """Relatives in one direction as they are found: how far each is, and what is in the log."""

    steps: dict[str, int]
    found: dict[str, Decision] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def unread(self) -> list[str]:
        return [name for name in self.steps if name not in self.asked]

    def take(self, found: Mapping[str, Decision]) -> list[str]:
        """Take in what was asked for; returns what of it is in the log."""
        asked = self.unread()
        self.asked.update(asked)
        self.found |= {name: found[name] for name in asked if name in found}
        return [name for name in asked if name in found]

    def reach(self, names: Ancestors, beyond: int, depth: int) -> None:
        for name, steps in names.items():
            if steps + beyond <= depth:
                self.steps[name] = min(steps + beyond, self.steps.get(name, steps + beyond))


class DecisionChains:
    """Finds chains. Five steps cost two rounds of requests that run side by side, five more cost one more."""

    def __init__(self, registry: DecisionRegistry, tiers: DecisionReader, decisions: DecisionStore) -> None:
        self._registry = registry
        self._tiers = tiers
        self._decisions = decisions

    def chain_of(self, decision_id: str, depth: int) -> list[ChainEntry]:
        """Up to `depth` (1 to 50) steps of relatives and places of neighbours, before and after a decision.

        Ancestors come first, then descendants, then neighbours up to 30 days away, each nearest first. Of what came
        of one decision the first thousand are followed.

        Raises:
            InvalidInput: names the argument. NotFound: no such decision. Unavailable: a tier did not respond.
        """
        check_integer("depth", depth, minimum=1, maximum=MAX_DEPTH)
        key = self._registry.key(decision_id)
        decision, links, types = run_concurrently(
            lambda: self._tiers.find([key])[0], lambda: self._links(decision_id), self._registry.types
        )
        if decision is None:
            raise NotFound(f"{self._registry.agent_id} has no decision {decision_id}")
        (ancestors, descendants), before, after = run_concurrently(
            lambda: self._relatives(decision, links, depth),
            lambda: self._neighbours(decision, types, depth, newest_first=True),
            lambda: self._neighbours(decision, types, depth, newest_first=False),
        )
        relatives = ancestors.steps.keys() | descendants.found.keys()
        return [
            *_nearest_first("ancestor", ancestors),
            *_nearest_first("descendant", descendants),
            *_neighbour_entries("before", before, relatives),
            *_neighbour_entries("after", after, relatives),
        ]

    def _relatives(self, decision: Decision, links: Sequence[Link], depth: int) -> tuple[_Family, _Family]:
        """Follow both directions at once, a round of requests for every five steps."""
        up, down = _Family({}), _Family({})
        up.reach(ancestors_of(decision), 0, depth)
        down.reach(_steps_of(links), 0, depth)
        from_links = {decision.decision_id: links}
        while wanted := {*up.unread(), *down.unread()}:
            fringe = [name for name in down.unread() if down.steps[name] % MAX_STEPS == 0 and down.steps[name] < depth]
            found, further = run_concurrently(
                partial(self._read, wanted), partial(map_concurrently, self._links, fringe)
            )
            from_links |= zip(fringe, further, strict=True)
            for name in up.take(found):
                up.reach(ancestors_of(found[name]), up.steps[name], depth)
            sound = {name: one for name, one in found.items() if _comes_of(one, from_links)}
            for name in down.take(sound):
                down.reach(_steps_of(from_links.get(name, ())), down.steps[name], depth)
        return up, down

    def _read(self, names: Iterable[str]) -> dict[str, Decision]:
        return {one.decision_id: one for one in self.find(names)}

    def find(self, decision_ids: Iterable[str]) -> list[Decision]:
        """Those of some decisions that are in the log; an id of no type that the agent has used is not."""
        keys = []
        for decision_id in decision_ids:
            try:
                keys.append(self._registry.key(decision_id))
            except NotFound:
                continue
        return [one for one in self._tiers.find(keys) if one is not None]

    def _links(self, decision_id: str) -> list[Link]:
        return self._decisions.links_from(self._registry.agent_id, decision_id, limit=MAX_LINKS)

    def _neighbours(
        self, decision: Decision, types: Sequence[str], depth: int, *, newest_first: bool
    ) -> list[Decision]:
        at_ms, place = decision.timestamp_ms, time_and_id(decision)
        far_ms = NEIGHBOUR_DAYS * DAY_MS
        span = Span(max(0, at_ms - far_ms), at_ms + 1) if newest_first else Span(at_ms, at_ms + far_ms)
        wanted = Selection(self._registry.agent_id, shards=self._registry.shards())
        stream = self._tiers.stream(wanted, span, types=lambda: types, newest_first=newest_first, first=depth + 1)
        beside = (one for one in stream if (time_and_id(one) < place if newest_first else time_and_id(one) > place))
        return list(islice(beside, depth))


def _steps_of(links: Iterable[Link]) -> dict[str, int]:
    return {link.descendant.decision_id: link.steps for link in links}


def _comes_of(decision: Decision, from_links: dict[str, Sequence[Link]]) -> bool:
    """Whether a linked decision says itself that it came of one that links to it: a link may be of a failed try."""
    return any(name in from_links for name in ancestors_of(decision))


def _nearest_first(relation: str, family: _Family) -> list[ChainEntry]:
    names = family.steps if relation == "ancestor" else family.found
    order = sorted(names, key=lambda name: (family.steps[name], name))
    return [ChainEntry(name, relation, family.steps[name], family.found.get(name)) for name in order]


def _neighbour_entries(relation: str, decisions: Sequence[Decision], relatives: Collection[str]) -> list[ChainEntry]:
    return [
        ChainEntry(one.decision_id, relation, place, one)
        for place, one in enumerate(decisions, 1)
        if one.decision_id not in relatives
    ]


def _missing(decision_id: str) -> dict[str, Any]:
    """What an id tells of a decision that is not in the log."""
    return {"decision_id": decision_id, "decision_type": None, "timestamp": to_iso(timestamp_of(decision_id))}
