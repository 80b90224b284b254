"""Writes decisions and outcomes of one agent, and says of each what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent_memory.core.clock import DAY_MS, Clock
from agent_memory.core.errors import AgentMemoryError, Conflict, InvalidInput, NotFound
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.inputs import decision_of, report_of
from agent_memory.decisions.lineage import Lineage, links_to
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.decisions.tiered_writer import TieredWriter
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import WriteStatus
from agent_memory.ports.stores import Stores

T = TypeVar("T")

# An outcome's clock may be so much behind the decision's.
_CLOCK_SKEW_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item of a batch. `error` names the field and what to do."""

    decision_id: str | None
    status: WriteStatus | None
    error: AgentMemoryError | None = None

    def raise_for_error(self) -> "ItemResult":
        """Itself where the item is in the log now; else raises what stood in the way."""
        error = self.failure()
        if error is not None:
            raise error
        return self

    def failure(self) -> AgentMemoryError | None:
        """What stood in the item's way, if anything did."""
        if self.error is None and self.status is WriteStatus.CONFLICT:
            return Conflict(f"decision {self.decision_id} already says something else; nothing was changed")
        if self.error is None and self.status is WriteStatus.NOT_FOUND:
            return NotFound(f"there is no decision {self.decision_id}")
        return self.error

    def as_dict(self, created: str = "created") -> dict[str, Any]:
        """The result as agents and HTTP see it; `created` is the word for what is new.

        `status` is that word, `unchanged`, `conflict`, `not_found` or `invalid`; the last three come with `error`.
        """
        error = self.failure()
        if error is None:
            status = created if self.status is WriteStatus.CREATED else str(self.status)
            return {"decision_id": self.decision_id, "status": status}
        status = error.code if isinstance(error, Conflict | NotFound) else "invalid"
        return {"decision_id": self.decision_id, "status": status, "error": error.as_dict()}


class DecisionWriter:
    """The writing half of one agent's decision log."""

    def __init__(
        self, registry: DecisionRegistry, stores: Stores, tiers: DecisionReader, clock: Clock, lineage: Lineage
    ) -> None:
        self._registry = registry
        self._stores = stores
        self._writing = TieredWriter(registry.agent_id, stores, tiers, clock)
        self._clock = clock
        self._lineage = lineage

    def decisions(self, drafts: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> list[ItemResult]:
        """Log the decisions that drafts describe; errors name fields below the draft's path."""
        prepared = [self._prepare(draft, path) for draft, path in zip(drafts, paths, strict=True)]
        valid = [one for one in prepared if isinstance(one, Decision)]
        self._registry.register(valid)
        traced = iter(self._lineage.with_ancestors(valid))
        ready = [
            _at(next(traced), path) if isinstance(one, Decision) else one
            for one, path in zip(prepared, paths, strict=True)
        ]
        links = [link for one in ready if isinstance(one, Decision) for link in links_to(one)]
        if links:
            # First: a link to a decision that never comes is passed over, a decision without its link would be missed.
            self._stores.decisions.link(links)
        return _written(ready, lambda one: one.decision_id, self._writing.insert)

    def outcomes(self, reports: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> list[ItemResult]:
        """Log the outcomes that reports describe; errors name fields below the report's path."""
        prepared = [self._prepare_report(one, path) for one, path in zip(reports, paths, strict=True)]
        results = _written(prepared, lambda one: one[0].decision_id, self._writing.record_outcomes)
        return [
            self._explained(one, result) if not isinstance(one, AgentMemoryError) else result
            for one, result in zip(prepared, results, strict=True)
        ]

    def _prepare(self, draft: Mapping[str, Any], path: str) -> Decision | AgentMemoryError:
        try:
            return decision_of(
                draft,
                agent_id=self._registry.agent_id,
                now_ms=self._clock.now_ms(),
                path=path,
                write_shards=self._registry.write_shards,
            )
        except InvalidInput as error:
            return error

    def _prepare_report(
        self, given: Mapping[str, Any], path: str
    ) -> tuple[DecisionKey, OutcomeUpdate] | AgentMemoryError:
        try:
            decision_id, report = report_of(given, now_ms=self._clock.now_ms(), path=path)
            key = self._registry.key(decision_id, f"{path}/decision_id")
        except (InvalidInput, NotFound) as error:
            return error
        if report.outcome.recorded_ms < key.timestamp_ms - _CLOCK_SKEW_MS:
            return InvalidInput(f"{path}/timestamp", "lies before the decision itself")
        return key, report

    def _explained(self, prepared: tuple[DecisionKey, OutcomeUpdate], result: ItemResult) -> ItemResult:
        """Without an archive at hand, tell a decision that may have left the table from one that never was."""
        key, _ = prepared
        closed_ms = self._clock.now_ms() - HOT_DAYS * DAY_MS
        if (
            result.status is not WriteStatus.NOT_FOUND
            or key.timestamp_ms > closed_ms
            or self._stores.archive is not None
        ):
            return result
        message = (
            f"decision {key.decision_id} is over {HOT_DAYS} days old: it is in the archive, which is not given, or "
            "never was"
        )
        return ItemResult(key.decision_id, result.status, NotFound(message))


def _at(traced: Decision | InvalidInput, path: str) -> Decision | InvalidInput:
    return traced if isinstance(traced, Decision) else InvalidInput(f"{path}{traced.field}", traced.message)


def _written(
    prepared: Sequence[T | AgentMemoryError],
    id_of: Callable[[T], str],
    write: Callable[[Sequence[T]], list[WriteStatus]],
) -> list[ItemResult]:
    """Write what is valid and put the results where the items were."""
    valid = [one for one in prepared if not isinstance(one, AgentMemoryError)]
    results = iter(_in_rounds([id_of(one) for one in valid], valid, write))
    return [ItemResult(None, None, one) if isinstance(one, AgentMemoryError) else next(results) for one in prepared]


def _in_rounds(
    ids: Sequence[str], items: Sequence[T], write: Callable[[Sequence[T]], list[WriteStatus]]
) -> list[ItemResult]:
    """Write all; an id that comes again waits for the next round, since a request may hold an item only once."""
    results: dict[int, ItemResult] = {}
    waiting = list(range(len(items)))
    while waiting:
        first_of = {ids[place]: place for place in reversed(waiting)}
        now = sorted(first_of.values())
        written = _one_by_one_if_refused([ids[place] for place in now], [items[place] for place in now], write)
        results |= zip(now, written, strict=True)
        waiting = [place for place in waiting if place not in results]
    return [results[place] for place in range(len(items))]


def _one_by_one_if_refused(
    ids: Sequence[str], items: Sequence[T], write: Callable[[Sequence[T]], list[WriteStatus]]
) -> list[ItemResult]:
    """Write all at once; where one cannot be stored, each by itself, so that the others are."""
    try:
        statuses = write(items)
    except InvalidInput as error:
        if len(items) == 1:
            return [ItemResult(ids[0], None, error)]
        pairs = zip(ids, items, strict=True)
        return [result for one_id, item in pairs for result in _one_by_one_if_refused([one_id], [item], write)]
    return [ItemResult(one_id, status) for one_id, status in zip(ids, statuses, strict=True)]
