"""Decision chains: the ancestors and descendants of a decision, and its neighbours in time."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, Span, to_iso
from agent_memory.core.concurrency import map_concurrently, run_concurrently
from agent_memory.core.errors import NotFound
from agent_memory.core.ids import timestamp_of
from agent_memory.core.keys import decision_sk
from agent_memory.decisions.collecting import READ_DIRECTLY, Collected, collect
from agent_memory.decisions.lineage import MAX_STEPS, Ancestors, ancestors_of
from agent_memory.decisions.queries import sort_key
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.listings import (
    LIMIT,
    AnswerSize,
    Listing,
    OnUnreadable,
    Unreadable,
    fitting,
    missing_item,
)
from agent_memory.ports.decisions import DecisionStore, Link, Position, Selection

MAX_DEPTH = 50
"""How many generations before and after a decision belong to its chain at most."""
MAX_LINKS, MAX_LINKS_LIMIT = 1_000, 10_000
"""How many decisions that followed from one are listed by default, and at most."""
NEIGHBOUR_DAYS = 30


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One decision of a chain, and why it belongs to the chain.

    `relation` is `ancestor`, `descendant`, `before` or `after`. `distance` is the number of steps to an ancestor or
    descendant, or the position of a neighbour, counted from 1. `decision` is None if an ancestor is not in the log.
    """

    decision_id: str
    relation: str
    distance: int
    decision: Decision | None

    def as_dict(self) -> dict[str, Any]:
        """The decision's own fields with `relation`, `distance`, `why` and `missing`."""
        fields = self.decision.as_dict() if self.decision else _fields_of_missing(self.decision_id)
        position = {"relation": self.relation, "distance": self.distance, "why": self._why()}
        return {**fields, **position, "missing": self.decision is None}

    def _why(self) -> str:
        steps = f"in {self.distance} steps"
        match self.relation:
            case "ancestor":
                return "named as a parent" if self.distance == 1 else f"led to this decision {steps}"
            case "descendant":
                return (
                    "names this decision as a parent" if self.distance == 1 else f"followed from this decision {steps}"
                )
        return f"number {self.distance} {self.relation} this decision in time"


@dataclass(slots=True)
class _Relatives:
    """The ancestors, or the descendants, of a decision that a search has found so far.

    Attributes:
        steps: the distance of each relative by its id.
        decisions: the relatives that were read and are in the log.
        requested: the ids of the relatives that were read.
    """

    steps: dict[str, int]
    decisions: dict[str, Decision] = field(default_factory=dict)
    requested: set[str] = field(default_factory=set)

    def unread(self) -> list[str]:
        return [one for one in self.steps if one not in self.requested]

    def add_read(self, decisions: Mapping[str, Decision]) -> list[str]:
        """Add the result of reading the unread relatives; returns the ids of those that are in the log."""
        requested = self.unread()
        self.requested.update(requested)
        present = [one for one in requested if one in decisions]
        self.decisions |= {one: decisions[one] for one in present}
        return present

    def extend(self, steps: Ancestors, from_steps: int, max_steps: int) -> None:
        """Add the relatives of a relative that is `from_steps` away, up to a distance of `max_steps`."""
        for decision_id, more_steps in steps.items():
            total = from_steps + more_steps
            if total <= max_steps:
                self.steps[decision_id] = min(total, self.steps.get(decision_id, total))


class DecisionChains:
    """Finds chains. Five steps cost two rounds of concurrent requests, each further five steps one more round."""

    def __init__(
        self, registry: DecisionRegistry, reader: DecisionReader, decisions: DecisionStore, max_answer_bytes: int
    ) -> None:
        self._registry = registry
        self._reader = reader
        self._decisions = decisions
        self._max_answer_bytes = max_answer_bytes

    def chain_of(self, decision_id: str, depth: int, *, limit: int = MAX_LINKS) -> Listing[ChainEntry]:
        """The relatives of a decision within `depth` steps (1 to 50), and as many neighbours before and after it.

        Ancestors come first, then descendants, then neighbours up to 30 days away, each nearest first. Up to `limit`
        (1 to 10,000) descendants of one decision are followed, the oldest ones; `missing` names the decisions that have
        more. If the decision itself is damaged, its ancestors are not known.

        Raises:
            InvalidInput: names the argument. NotFound: no such decision. Unavailable: a tier did not respond.
        """
        depth = check_integer("depth", depth, minimum=1, maximum=MAX_DEPTH)
        limit = check_integer("limit", limit, minimum=1, maximum=MAX_LINKS_LIMIT)
        key = self._registry.key(decision_id)
        decision_id = key.decision_id
        search = _Search(limit)
        decision, links, types = run_concurrently(
            lambda: self._reader.find([key], on_unreadable=search.report)[0],
            lambda: self._links(decision_id, search),
            self._registry.types,
        )
        if decision is None and decision_id not in search.unreadable:
            raise NotFound(f"{self._registry.agent_id} has no decision {decision_id}")
        (ancestors, descendants), before, after = run_concurrently(
            lambda: self._relatives(decision_id, ancestors_of(decision) if decision else {}, links, depth, search),
            lambda: self._neighbours(key, types, depth, newest_first=True),
            lambda: self._neighbours(key, types, depth, newest_first=False),
        )
        relatives = ancestors.steps.keys() | descendants.decisions.keys()
        entries = [
            *_relative_entries("ancestor", ancestors.steps.keys() - search.unreadable.keys(), ancestors),
            *_relative_entries("descendant", descendants.decisions, descendants),
            *_neighbour_entries("before", before.decisions, relatives),
            *_neighbour_entries("after", after.decisions, relatives),
        ]
        neighbours_missing = {
            one["id"]: one for one in (*before.missing_items(), *after.missing_items()) if one["id"] not in relatives
        }
        named_once = {**neighbours_missing, **{one.id: one.as_dict() for one in search.unreadable.values()}}
        return fitting(
            entries,
            as_dict=ChainEntry.as_dict,
            id_of=lambda entry: entry.decision_id,
            max_bytes=self._max_answer_bytes,
            missing=[*named_once.values(), *search.cut()],
            read_directly=READ_DIRECTLY,
        )

    def _relatives(
        self, decision_id: str, known_ancestors: Ancestors, links: Sequence[Link], depth: int, search: "_Search"
    ) -> tuple[_Relatives, _Relatives]:
        """The ancestors and the descendants, searched concurrently; one round of requests covers five steps."""
        ancestors, descendants = _Relatives({}), _Relatives({})
        ancestors.extend(known_ancestors, 0, depth)
        descendants.extend(_steps_of(links), 0, depth)
        links_by_id = {decision_id: links}
        while unread := {*ancestors.unread(), *descendants.unread()}:
            # Links reach five steps, so only the descendants at the end of that reach have further links to follow.
            frontier = [
                one
                for one in descendants.unread()
                if descendants.steps[one] % MAX_STEPS == 0 and descendants.steps[one] < depth
            ]
            decisions, frontier_links = run_concurrently(
                partial(self._read, unread, search.report),
                partial(map_concurrently, partial(self._links, search=search), frontier),
            )
            links_by_id |= zip(frontier, frontier_links, strict=True)
            for one in ancestors.add_read(decisions):
                ancestors.extend(ancestors_of(decisions[one]), ancestors.steps[one], depth)
            confirmed = {name: one for name, one in decisions.items() if _is_descendant(one, links_by_id)}
            for one in descendants.add_read(confirmed):
                descendants.extend(_steps_of(links_by_id.get(one, ())), descendants.steps[one], depth)
        return ancestors, descendants

    def _read(self, decision_ids: Iterable[str], on_unreadable: OnUnreadable) -> dict[str, Decision]:
        return {one.decision_id: one for one in self.find(decision_ids, on_unreadable=on_unreadable)}

    def find(self, decision_ids: Iterable[str], *, on_unreadable: OnUnreadable) -> list[Decision]:
        """The decisions with these ids that are in the log; an id of a type that the agent has not used is skipped."""
        keys = []
        for decision_id in decision_ids:
            try:
                keys.append(self._registry.key(decision_id))
            except NotFound:
                continue
        return [one for one in self._reader.find(keys, on_unreadable=on_unreadable) if one is not None]

    def _links(self, decision_id: str, search: "_Search") -> list[Link]:
        """The links from a decision, up to the limit; whether there are more is recorded in the search."""
        agent_id, limit = self._registry.agent_id, search.limit
        links = self._decisions.links_from(agent_id, decision_id, limit=limit + 1, on_unreadable=search.report)
        if len(links) > limit:
            search.cut_ids.append(decision_id)
        return links[:limit]

    def _neighbours(
        self, key: DecisionKey, types: Sequence[str], depth: int, *, newest_first: bool
    ) -> Collected[Decision]:
        at_ms, position = key.timestamp_ms, decision_sk(key.timestamp_ms, key.decision_id)
        max_ms = NEIGHBOUR_DAYS * DAY_MS
        span = Span(max(0, at_ms - max_ms), at_ms + 1) if newest_first else Span(at_ms, at_ms + max_ms)
        selection = Selection(self._registry.agent_id, shards=self._registry.shards())

        def is_neighbour(sort_key: str) -> bool:
            return sort_key < position if newest_first else sort_key > position

        def read(report: OnUnreadable) -> Iterator[Decision | Position]:
            stream = self._reader.stream(
                selection,
                span,
                types=lambda: types,
                newest_first=newest_first,
                first=depth + 1,
                on_unreadable=lambda one: report(one) if is_neighbour(one.sort_key) else None,
            )
            return (one for one in stream if is_neighbour(sort_key(one)))

        found = collect(
            read,
            limit=depth,
            size=AnswerSize(self._max_answer_bytes),
            newest_first=newest_first,
            looks_ahead=False,
            stops_at_size=False,
        )
        if found.error is not None:
            raise found.error
        return found


@dataclass(slots=True)
class _Search:
    """What a search for relatives could not read, and the decisions of which it followed only some descendants."""

    limit: int
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    cut_ids: list[str] = field(default_factory=list)

    def report(self, one: Unreadable) -> None:
        self.unreadable[one.id] = one

    def cut(self) -> list[dict[str, Any]]:
        why = f"more than {self.limit:,} decisions followed from it; pass a larger limit, up to {MAX_LINKS_LIMIT:,}"
        return [missing_item(one, LIMIT, why) for one in self.cut_ids]


def _steps_of(links: Iterable[Link]) -> dict[str, int]:
    return {link.descendant.decision_id: link.steps for link in links}


def _is_descendant(decision: Decision, links_by_id: Mapping[str, Sequence[Link]]) -> bool:
    """Whether a linked decision names one of its link's sources as an ancestor; a failed write may leave a link."""
    return any(one in links_by_id for one in ancestors_of(decision))


def _relative_entries(relation: str, decision_ids: Iterable[str], relatives: _Relatives) -> list[ChainEntry]:
    """Entries of relatives, nearest first."""
    ordered = sorted(decision_ids, key=lambda one: (relatives.steps[one], one))
    return [ChainEntry(one, relation, relatives.steps[one], relatives.decisions.get(one)) for one in ordered]


def _neighbour_entries(relation: str, decisions: Sequence[Decision], relatives: Collection[str]) -> list[ChainEntry]:
    return [
        ChainEntry(one.decision_id, relation, position, one)
        for position, one in enumerate(decisions, 1)
        if one.decision_id not in relatives
    ]


def _fields_of_missing(decision_id: str) -> dict[str, Any]:
    """The fields of a decision that is not in the log: those that its id contains."""
    return {"decision_id": decision_id, "decision_type": None, "timestamp": to_iso(timestamp_of(decision_id))}
