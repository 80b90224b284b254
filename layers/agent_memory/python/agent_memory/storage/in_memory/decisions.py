"""The decision log in plain Python; what `stores.in_memory` says of the others is true of it, too."""

from collections.abc import Iterator, Sequence
from threading import Lock

from agent_memory.core.clock import Clock, Span, SystemClock
from agent_memory.core.keys import decision_sk
from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import Report, apply_outcome
from agent_memory.ports.decisions import DecisionKey, Link, Selection, WriteStatus
from agent_memory.storage.dynamodb.decision_items import (
    OUTCOME_ATTRIBUTES,
    all_outcomes,
    decision_from,
    decision_item,
    first_outcome,
)
from agent_memory.storage.dynamodb.items import Item
from agent_memory.storage.dynamodb.large_parts import check_size


class InMemoryDecisions:
    """`DecisionStore` in a dictionary."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._items: dict[DecisionKey, Item] = {}
        self._expiry_ms: dict[DecisionKey, int] = {}
        self._links: dict[tuple[str, str], dict[str, Link]] = {}
        self._writing = Lock()

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order."""
        items = [decision_item(decision) for decision in decisions]
        for item in items:
            check_size(item)
        with self._writing:
            return [self._insert(decision, item) for decision, item in zip(decisions, items, strict=True)]

    def record_outcomes(self, reports: Sequence[tuple[DecisionKey, Report]]) -> list[WriteStatus]:
        """Take in each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        for key, report in reports:
            first_outcome(key, report.outcome)  # refuses all before the first is written
        with self._writing:
            return [self._record(key, report) for key, report in reports]

    def get(self, keys: Sequence[DecisionKey]) -> list[Decision | None]:
        """The decisions with these keys, in order; None for what is not here."""
        return [self._living(key) for key in keys]

    def scan(
        self,
        wanted: Selection,
        span: Span,
        *,
        newest_first: bool = True,
        first: int | None = None,  # noqa: ARG002  everything is at hand
    ) -> Iterator[Decision]:
        """Decisions in a span, ordered by time and id."""
        inside = [
            key
            for key in list(self._items)
            if key.agent_id == wanted.agent_id
            and wanted.decision_type in (None, key.decision_type)
            and span.start_ms <= key.timestamp_ms < span.end_ms
            and key.shard < wanted.shards
        ]
        inside.sort(key=lambda key: decision_sk(key.timestamp_ms, key.decision_id), reverse=newest_first)
        for key in inside:
            found = self._living(key)
            if found is not None and wanted.matches(found):
                yield found

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Let each decision vanish from its own moment on, given that its outcomes are still those at hand."""
        with self._writing:
            return [self._expire(one, moment) for one, moment in zip(decisions, at_ms, strict=True)]

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that had left, with their outcomes, unless they are here."""
        with self._writing:
            for one in decisions:
                key = DecisionKey.of(one)
                if self._living(key) is None:
                    self._items[key] = decision_item(one) | all_outcomes(one)
                    self._expiry_ms.pop(key, None)

    def link(self, links: Sequence[Link]) -> None:
        """Note what came of earlier decisions. The same link again changes nothing."""
        for one in links:
            of_ancestor = self._links.setdefault((one.descendant.agent_id, one.ancestor_id), {})
            of_ancestor.setdefault(one.descendant.decision_id, one)

    def links_from(self, agent_id: str, ancestor_id: str, *, most: int) -> list[Link]:
        """What came of a decision, oldest first, up to `most` links."""
        links = self._links.get((agent_id, ancestor_id), {}).values()
        ordered = sorted(links, key=lambda one: decision_sk(one.descendant.timestamp_ms, one.descendant.decision_id))
        return ordered[:most]

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        decisions = [key for key in self._items if key.agent_id == agent_id]
        links = [address for address in self._links if address[0] == agent_id]
        count = len(decisions) + sum(len(self._links[address]) for address in links)
        if not dry_run:
            self._items = {key: item for key, item in self._items.items() if key.agent_id != agent_id}
            self._expiry_ms = {key: moment for key, moment in self._expiry_ms.items() if key.agent_id != agent_id}
            self._links = {address: kept for address, kept in self._links.items() if address[0] != agent_id}
        return count

    def _insert(self, decision: Decision, item: Item) -> WriteStatus:
        key = DecisionKey.of(decision)
        if key not in self._items:
            self._items[key] = item
            return WriteStatus.CREATED
        present = self._living(key)
        return WriteStatus.UNCHANGED if present and present.content() == decision.content() else WriteStatus.CONFLICT

    def _record(self, key: DecisionKey, report: Report) -> WriteStatus:
        present = self._living(key)
        if present is None:
            return WriteStatus.NOT_FOUND
        new = apply_outcome(present, report, self._clock.now_ms())
        if new is None:
            return WriteStatus.CONFLICT
        if new is present:
            return WriteStatus.UNCHANGED
        kept = {name: value for name, value in self._items[key].items() if name not in OUTCOME_ATTRIBUTES}
        self._items[key] = kept | all_outcomes(new)
        self._expiry_ms.pop(key, None)
        return WriteStatus.CREATED

    def _expire(self, decision: Decision, moment: int) -> bool:
        key = DecisionKey.of(decision)
        if key not in self._items:
            return False
        present = decision_from(self._items[key])
        if (present.outcome is None, present.revision) != (decision.outcome is None, decision.revision):
            return False
        self._expiry_ms[key] = moment
        return True

    def _living(self, key: DecisionKey) -> Decision | None:
        item, expires_ms = self._items.get(key), self._expiry_ms.get(key)
        if item is None or (expires_ms is not None and expires_ms <= self._clock.now_ms()):
            return None
        return decision_from(item)
