"""Writes to the decision log: parses inputs, adds ids and ancestors, and writes to the right tier."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from agent_memory.archive.rewrites import LATE_AFTER_MS
from agent_memory.core.clock import DAY_MS, Clock
from agent_memory.core.errors import AgentMemoryError, Conflict, InvalidInput, NotFound, as_outage
from agent_memory.core.ids import shard_of
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.inputs import check_outcome_time, parse_decision, parse_outcome
from agent_memory.decisions.late_outcomes import LateOutcomeTracker
from agent_memory.decisions.lineage import Lineage, links_to
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.decisions.rolled_days import ChangeTracker
from agent_memory.decisions.tiered_writer import TieredWriter
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import WriteStatus
from agent_memory.ports.stores import Stores

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one item of a batch; `error` is set if the item is invalid."""

    decision_id: str | None
    status: WriteStatus | None
    error: AgentMemoryError | None = None

    def raise_for_error(self) -> "ItemResult":
        """Return the result itself if the item is in the log, or raise its error."""
        error = self.failure()
        if error is not None:
            raise error
        return self

    def failure(self) -> AgentMemoryError | None:
        """The error for which the item is not in the log; None if it is."""
        if self.error is None and self.status is WriteStatus.CONFLICT:
            return Conflict(f"decision {self.decision_id} exists with different content; nothing was changed")
        if self.error is None and self.status is WriteStatus.NOT_FOUND:
            return NotFound(f"there is no decision {self.decision_id}")
        return self.error

    def as_dict(self, created: str = "created") -> dict[str, Any]:
        """The result as in the APIs; `created` is the status of a new item.

        `status` is that one, `unchanged`, `conflict`, `not_found` or `invalid`; the last three come with `error`.
        """
        error = self.failure()
        if error is None:
            status = created if self.status is WriteStatus.CREATED else str(self.status)
            return {"decision_id": self.decision_id, "status": status}
        status = error.code if isinstance(error, Conflict | NotFound) else "invalid"
        return {"decision_id": self.decision_id, "status": status, "error": error.as_dict()}


class DecisionWriter:
    """Writes decisions and outcomes of one agent."""

    def __init__(
        self, registry: DecisionRegistry, stores: Stores, reader: DecisionReader, clock: Clock, lineage: Lineage
    ) -> None:
        self._registry = registry
        self._stores = stores
        self._tiered = TieredWriter(registry.agent_id, stores, reader, clock)
        self._changes = ChangeTracker(registry.agent_id, stores.states, clock)
        self._late_outcomes = LateOutcomeTracker(registry.agent_id, stores.states, clock)
        self._clock = clock
        self._lineage = lineage

    def log(self, inputs: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> list[ItemResult]:
        """Log decisions; errors name fields by their JSON Pointer under the input's path."""
        parsed = [self._parse(data, path) for data, path in zip(inputs, paths, strict=True)]
        valid = [one for one in parsed if isinstance(one, Decision)]
        registry, used = self._registry, {(one.decision_type, shard_of(one.decision_id)) for one in valid}
        if used and not (used <= registry.registered and time.monotonic() < registry.registered_until):
            registry.register(valid)
        with_ancestors = iter(self._lineage.with_ancestors(valid))
        items: list[Decision | AgentMemoryError] = [
            _under(path, next(with_ancestors)) if isinstance(one, Decision) else one
            for one, path in zip(parsed, paths, strict=True)
        ]
        links = [link for one in items if isinstance(one, Decision) and one.ancestors for link in links_to(one)]
        if links:
            # Before the decisions: a link to a decision that is never written is skipped by readers, but a decision
            # without its links would not be found.
            try:
                self._stores.decisions.link(links)
            except AgentMemoryError as error:  # not about the decisions
                raise as_outage(error) from error
        return _write(items, [one.decision_id if isinstance(one, Decision) else "" for one in items], self._insert)

    def record_outcomes(self, inputs: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> list[ItemResult]:
        """Log outcomes; errors name fields by their JSON Pointer under the input's path."""
        parsed = [self._parse_outcome(data, path) for data, path in zip(inputs, paths, strict=True)]
        ids = [one[0].decision_id if isinstance(one, tuple) else "" for one in parsed]
        results = _write(parsed, ids, self._record)
        return [
            self._explain_not_found(one[0], result) if isinstance(one, tuple) else result
            for one, result in zip(parsed, results, strict=True)
        ]

    def _parse(self, data: Mapping[str, Any], path: str) -> Decision | AgentMemoryError:
        try:
            return parse_decision(
                data,
                agent_id=self._registry.agent_id,
                now_ms=self._clock.now_ms(),
                path=path,
                write_shards=self._registry.write_shards,
            )
        except InvalidInput as error:
            return error

    def _parse_outcome(
        self, data: Mapping[str, Any], path: str
    ) -> tuple[DecisionKey, OutcomeUpdate] | AgentMemoryError:
        try:
            decision_id, update = parse_outcome(data, now_ms=self._clock.now_ms(), path=path)
            key = self._registry.key(decision_id, f"{path}/decision_id")
            check_outcome_time(update.outcome, key.timestamp_ms, path)
        except (InvalidInput, NotFound) as error:
            return error
        return key, update

    def _insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write decisions; recent ones can only be in the table."""
        timestamps_ms = [one.timestamp_ms for one in decisions]
        if self._are_of_today(timestamps_ms):
            return self._stores.decisions.insert(decisions)
        is_recent = self._are_recent(timestamps_ms)
        insert = self._stores.decisions.insert if is_recent else self._tiered.insert
        return self._tracking([one.key for one in decisions], lambda: insert(decisions))

    def _record(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        keys = [key for key, _ in updates]
        timestamps_ms = [key.timestamp_ms for key in keys]
        if self._are_of_today(timestamps_ms):
            return self._stores.decisions.record_outcomes(updates)
        is_recent = self._are_recent(timestamps_ms)
        record = self._stores.decisions.record_outcomes if is_recent else self._tiered.record_outcomes
        return self._late_outcomes.recording(keys, lambda: self._tracking(keys, lambda: record(updates)))

    def _tracking(self, keys: Sequence[DecisionKey], write: Callable[[], list[WriteStatus]]) -> list[WriteStatus]:
        """The result of a write, with a record of the counted days that it may change."""
        self._changes.track(keys)
        statuses = write()
        self._changes.track(keys)
        return statuses

    def _are_of_today(self, timestamps_ms: Sequence[int]) -> bool:
        now_ms = self._clock.now_ms()
        return min(timestamps_ms) >= now_ms - now_ms % DAY_MS

    def _are_recent(self, timestamps_ms: Sequence[int]) -> bool:
        return min(timestamps_ms) > self._clock.now_ms() - LATE_AFTER_MS

    def _explain_not_found(self, key: DecisionKey, result: ItemResult) -> ItemResult:
        """Without an archive, say that a decision which is not found may have expired from the table."""
        oldest_ms = self._clock.now_ms() - HOT_DAYS * DAY_MS
        may_be_archived = key.timestamp_ms <= oldest_ms and self._stores.archive is None
        if result.status is not WriteStatus.NOT_FOUND or not may_be_archived:
            return result
        message = (
            f"decision {key.decision_id} is over {HOT_DAYS} days old: it either does not exist or is in the archive, "
            "for which no bucket is configured"
        )
        return ItemResult(key.decision_id, result.status, NotFound(message))


def _under(path: str, item: Decision | InvalidInput) -> Decision | InvalidInput:
    """The item; an error with its field under `path`."""
    return item if isinstance(item, Decision) else InvalidInput(f"{path}{item.field}", item.message)


def _write(
    items: Sequence[T | AgentMemoryError], ids: Sequence[str], write: Callable[[Sequence[T]], list[WriteStatus]]
) -> list[ItemResult]:
    """Write all items that are not errors; returns a result for each item, in order.

    A request may contain an id only once, so a repeated id waits for the next round.
    """
    results = [ItemResult(None, None, one) if isinstance(one, AgentMemoryError) else None for one in items]
    pending = [index for index, result in enumerate(results) if result is None]
    while pending:
        first_of = {ids[index]: index for index in reversed(pending)}
        selected = sorted(first_of.values())
        round_items = [cast("T", items[index]) for index in selected]  # errors are never pending
        round_results = _write_round([ids[index] for index in selected], round_items, write)
        for index, result in zip(selected, round_results, strict=True):
            results[index] = result
        pending = [index for index in pending if results[index] is None]
    return [result for result in results if result is not None]


def _write_round(
    ids: Sequence[str], items: Sequence[T], write: Callable[[Sequence[T]], list[WriteStatus]]
) -> list[ItemResult]:
    """Write items together or, if one of them cannot be stored, one by one, so that the others are stored."""
    try:
        statuses = write(items)
    except InvalidInput as error:
        if len(items) == 1:
            return [ItemResult(ids[0], None, error)]
        pairs = zip(ids, items, strict=True)
        return [result for one_id, item in pairs for result in _write_round([one_id], [item], write)]
    return [ItemResult(one_id, status) for one_id, status in zip(ids, statuses, strict=True)]
