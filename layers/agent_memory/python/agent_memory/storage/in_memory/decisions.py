"""The decision log in plain Python."""

import json
from collections.abc import Iterator, Sequence
from threading import Lock

from agent_memory.core.clock import Clock, Span, SystemClock
from agent_memory.core.json_values import canonical_json, check_json
from agent_memory.core.keys import decision_sk
from agent_memory.model.decisions import CONTENT, Decision, DecisionKey, Kind, Outcome
from agent_memory.model.outcomes import OutcomeUpdate, apply_outcome
from agent_memory.model.records import check_size, decision_from, decision_record, outcomes_record
from agent_memory.ports.decisions import Link, Selection, WriteStatus


class InMemoryDecisions:
    """`DecisionStore` in a dictionary of JSON texts: nothing that is changed outside changes what is stored."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._texts: dict[DecisionKey, str] = {}
        self._expiry_ms: dict[DecisionKey, int] = {}
        self._links: dict[tuple[str, str], dict[str, Link]] = {}
        self._writing = Lock()

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order."""
        for decision in decisions:
            _check(decision)
        with self._writing:
            return [self._insert(decision) for decision in decisions]

    def record_outcomes(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Apply each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        for _, update in updates:
            _check_outcome(update.outcome)
        with self._writing:
            return [self._record(key, update) for key, update in updates]

    def get(self, keys: Sequence[DecisionKey]) -> list[Decision | None]:
        """The decisions with these keys, in order; None for what is not here."""
        return [self._present(key) for key in keys]

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
            for key in list(self._texts)
            if key.agent_id == wanted.agent_id
            and wanted.decision_type in (None, key.decision_type)
            and span.start_ms <= key.timestamp_ms < span.end_ms
            and key.shard < wanted.shards
        ]
        inside.sort(key=lambda key: decision_sk(key.timestamp_ms, key.decision_id), reverse=newest_first)
        for key in inside:
            found = self._present(key)
            if found is not None and wanted.matches(found):
                yield found

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Let each decision expire at its own time, provided that its outcomes are still those at hand."""
        with self._writing:
            return [self._expire(one, moment) for one, moment in zip(decisions, at_ms, strict=True)]

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that had left the table, with their outcomes, unless they are here."""
        with self._writing:
            for decision in decisions:
                if self._present(decision.key) is None:
                    self._texts[decision.key] = _text(decision)
                    self._expiry_ms.pop(decision.key, None)

    def link(self, links: Sequence[Link]) -> None:
        """Record which decisions followed from earlier ones. The same link again changes nothing."""
        for one in links:
            of_ancestor = self._links.setdefault((one.descendant.agent_id, one.ancestor_id), {})
            of_ancestor.setdefault(one.descendant.decision_id, one)

    def links_from(self, agent_id: str, ancestor_id: str, *, most: int) -> list[Link]:
        """The decisions that followed from one, oldest first, up to `most` links."""
        links = self._links.get((agent_id, ancestor_id), {}).values()
        ordered = sorted(links, key=lambda one: decision_sk(one.descendant.timestamp_ms, one.descendant.decision_id))
        return ordered[:most]

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        decisions = [key for key in self._texts if key.agent_id == agent_id]
        links = [address for address in self._links if address[0] == agent_id]
        count = len(decisions) + sum(len(self._links[address]) for address in links)
        if not dry_run:
            self._texts = {key: text for key, text in self._texts.items() if key.agent_id != agent_id}
            self._expiry_ms = {key: moment for key, moment in self._expiry_ms.items() if key.agent_id != agent_id}
            self._links = {address: kept for address, kept in self._links.items() if address[0] != agent_id}
        return count

    def _insert(self, decision: Decision) -> WriteStatus:
        key = decision.key
        if key not in self._texts:
            self._texts[key] = _text(decision)
            return WriteStatus.CREATED
        present = self._present(key)
        is_same = present is not None and present.content() == decision.content()
        return WriteStatus.UNCHANGED if is_same else WriteStatus.CONFLICT

    def _record(self, key: DecisionKey, update: OutcomeUpdate) -> WriteStatus:
        present = self._present(key)
        if present is None:
            return WriteStatus.NOT_FOUND
        new = apply_outcome(present, update, self._clock.now_ms())
        if new is None:
            return WriteStatus.CONFLICT
        if new is present:
            return WriteStatus.UNCHANGED
        self._texts[key] = _text(new)
        self._expiry_ms.pop(key, None)
        return WriteStatus.CREATED

    def _expire(self, decision: Decision, moment: int) -> bool:
        key = decision.key
        if key not in self._texts:
            return False
        present = decision_from(json.loads(self._texts[key]))
        if (present.outcome is None, present.revision) != (decision.outcome is None, decision.revision):
            return False
        self._expiry_ms[key] = moment
        return True

    def _present(self, key: DecisionKey) -> Decision | None:
        text, expires_ms = self._texts.get(key), self._expiry_ms.get(key)
        if text is None or (expires_ms is not None and expires_ms <= self._clock.now_ms()):
            return None
        return decision_from(json.loads(text))


def _text(decision: Decision) -> str:
    return canonical_json(decision_record(decision) | outcomes_record(decision))


def _check(decision: Decision) -> None:
    for name, kind in CONTENT.items():
        if kind is Kind.DOCUMENT:
            check_json(getattr(decision, name), f"/{name}")
    check_size(decision.content())


def _check_outcome(outcome: Outcome) -> None:
    check_json(outcome.details, "/outcome")
    check_json(outcome.metrics, "/metrics")
    check_size(outcome.content())
