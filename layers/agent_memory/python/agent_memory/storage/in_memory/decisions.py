"""The decision log in memory."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent_memory.core.clock import Clock, Span, SystemClock
from agent_memory.core.errors import Damaged
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import decision_sk
from agent_memory.model.decisions import Decision, DecisionKey, Outcome
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.model.records import check_size, decision_from, decision_record, outcomes_record
from agent_memory.ports.decisions import DecisionStore, Link, Order, Position, Selection, WriteStatus
from agent_memory.storage.content_checks import check_decision, check_outcome
from agent_memory.storage.outcome_updates import updated


class InMemoryDecisions(DecisionStore):
    """`DecisionStore` in a dictionary of JSON texts, so that changes to a returned object do not change the store."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._texts: dict[DecisionKey, str] = {}
        self._expiry_ms: dict[DecisionKey, int] = {}
        self._links: dict[tuple[str, str], dict[str, Link]] = {}
        self._lock = fork_safe_lock()

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order."""
        for decision in decisions:
            check_decision(decision)
        with self._lock:
            return [self._insert(decision) for decision in decisions]

    def record_outcomes(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Apply each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        for _, update in updates:
            check_outcome(update.outcome)
        with self._lock:
            return [self._record(key, update) for key, update in updates]

    def check_decision_fits(self, decision: Decision) -> None:
        """See `DecisionStore`."""
        check_size(decision.content())

    def check_outcome_fits(self, outcome: Outcome) -> None:
        """See `DecisionStore`."""
        check_size(outcome.content())

    def get(self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error) -> list[Decision | None]:
        """The decisions with these keys, in order; None for those that are not in the table."""
        return [self._read(key, on_unreadable) for key in keys]

    def scan_with_positions(
        self, selection: Selection, span: Span, order: Order, on_unreadable: OnUnreadable
    ) -> Iterator[Decision | Position]:
        """As `scan`; there are no requests, and so no positions."""
        keys = [
            key
            for key in list(self._texts)
            if key.agent_id == selection.agent_id
            and selection.decision_type in (None, key.decision_type)
            and span.start_ms <= key.timestamp_ms < span.end_ms
            and key.shard < selection.shards
        ]
        keys.sort(key=lambda key: decision_sk(key.timestamp_ms, key.decision_id), reverse=order.newest_first)
        for key in keys:
            decision = self._read(key, on_unreadable)
            if decision is not None and selection.matches(decision):
                yield decision

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Set the expiry of each decision whose outcomes are unchanged; returns whether it was set, in order."""
        with self._lock:
            return [self._expire(one, expires_ms) for one, expires_ms in zip(decisions, at_ms, strict=True)]

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that have expired from the table back, with their outcomes."""
        with self._lock:
            for decision in decisions:
                if self._find(decision.key) is None:
                    self._texts[decision.key] = _text(decision)
                    self._expiry_ms.pop(decision.key, None)

    def replace_outcomes(self, earlier: Decision, later: Decision) -> bool:
        """Store the outcomes of `later` with a decision whose stored version is `earlier`; returns whether it was."""
        with self._lock:
            stored = self._find(earlier.key)
            if stored != earlier:
                return False
            self._texts[earlier.key] = _text(replace(later, ancestors=stored.ancestors))
            self._expiry_ms.pop(earlier.key, None)
            return True

    def link(self, links: Sequence[Link]) -> None:
        """Record which decisions followed from earlier ones. Recording a link again changes nothing."""
        for one in links:
            stored = self._links.setdefault((one.descendant.agent_id, one.ancestor_id), {})
            stored.setdefault(one.descendant.decision_id, one)

    def links_from(
        self,
        agent_id: str,
        ancestor_id: str,
        *,
        limit: int,
        on_unreadable: OnUnreadable = raise_error,  # noqa: ARG002  links in memory are objects
    ) -> list[Link]:
        """The links to the decisions that followed from one, oldest first, up to `limit`."""
        links = self._links.get((agent_id, ancestor_id), {}).values()
        ordered = sorted(links, key=lambda one: decision_sk(one.descendant.timestamp_ms, one.descendant.decision_id))
        return ordered[:limit]

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        decisions = [key for key in self._texts if key.agent_id == agent_id]
        ancestors = [ancestor for ancestor in self._links if ancestor[0] == agent_id]
        count = len(decisions) + sum(len(self._links[ancestor]) for ancestor in ancestors)
        if not dry_run:
            for key in decisions:
                del self._texts[key]
                self._expiry_ms.pop(key, None)
            for ancestor in ancestors:
                del self._links[ancestor]
        return count

    def _insert(self, decision: Decision) -> WriteStatus:
        key = decision.key
        if key not in self._texts:
            self._texts[key] = _text(decision)
            return WriteStatus.CREATED
        stored = self._find(key)
        is_equal = stored is not None and stored.content() == decision.content()
        return WriteStatus.UNCHANGED if is_equal else WriteStatus.CONFLICT

    def _record(self, key: DecisionKey, update: OutcomeUpdate) -> WriteStatus:
        status, new = updated(self._find(key), update, self._clock.now_ms())
        if new is not None:
            self._texts[key] = _text(new)
            self._expiry_ms.pop(key, None)
        return status

    def _expire(self, decision: Decision, expires_ms: int) -> bool:
        key = decision.key
        if key not in self._texts:
            return False
        stored = _decision(key, self._texts[key])
        if (stored.outcome is None, stored.revision) != (decision.outcome is None, decision.revision):
            return False
        self._expiry_ms[key] = expires_ms
        return True

    def _find(self, key: DecisionKey) -> Decision | None:
        """The decision with a key, unless it has expired."""
        text, expires_ms = self._texts.get(key), self._expiry_ms.get(key)
        if text is None or (expires_ms is not None and expires_ms <= self._clock.now_ms()):
            return None
        return _decision(key, text)

    def _read(self, key: DecisionKey, on_unreadable: OnUnreadable) -> Decision | None:
        try:
            return self._find(key)
        except Damaged as error:
            on_unreadable(Unreadable(key.decision_id, error, decision_sk(key.timestamp_ms, key.decision_id)))
            return None


def _decision(key: DecisionKey, text: str) -> Decision:
    return parsed(key.decision_id, lambda: decision_from(json.loads(text)))


def _text(decision: Decision) -> str:
    return canonical_json(decision_record(decision) | outcomes_record(decision))
