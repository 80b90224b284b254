"""The decision log of one agent. Every method blocks; agents use `DecisionLogger`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Clock, SystemClock, to_iso
from agent_memory.core.errors import InColdStorage, NotFound
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.chains import MAX_LINKS, ChainEntry, DecisionChains
from agent_memory.decisions.collecting import collect
from agent_memory.decisions.lineage import Lineage
from agent_memory.decisions.queries import (
    MAX_PAGE,
    DecisionFilter,
    Page,
    make_cursor,
    read_cursor,
    sort_key,
    span_after,
)
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.decisions.statistics import group_statistics
from agent_memory.decisions.writer import DecisionWriter, ItemResult
from agent_memory.model.decisions import Decision, DecisionKey, Outcome
from agent_memory.model.listings import (
    MAX_ANSWER_BYTES,
    AnswerSize,
    Damages,
    Listing,
    OnUnreadable,
    Unreadable,
    missing_item,
    named,
    never_empty_by_outage,
    raise_error,
    skip_damaged,
)
from agent_memory.ports.stores import Stores


class DecisionLog:
    """Logs and reads one agent's decisions.

    `write_shards` (1 to 32) is the number of the table's partitions over which new decisions are spread.
    `max_answer_bytes` is the size of a listing as JSON; what does not fit is named, or left to the next page.
    """

    def __init__(
        self,
        agent_id: str,
        stores: Stores,
        clock: Clock | None = None,
        *,
        write_shards: int = 1,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        clock = clock or SystemClock()
        self.agent_id = agent_id
        self._stores = stores
        self.max_answer_bytes = max_answer_bytes
        self._registry = DecisionRegistry(agent_id, stores.states, clock, write_shards)
        self._reader = DecisionReader(agent_id, stores, clock)
        self._chains = DecisionChains(self._registry, self._reader, stores.decisions, max_answer_bytes)
        # A decision is logged even if a parent is damaged; then the ancestors of that parent are not known.
        lineage = Lineage(partial(self._chains.find, on_unreadable=skip_damaged))
        self._writer = DecisionWriter(self._registry, stores, self._reader, clock, lineage)

    # --- writing -----------------------------------------------------------------------------

    def log(self, inputs: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Log decisions, each with the fields of `DecisionInput`; returns a result for each, in order.

        The same id with the same content is UNCHANGED, with different content CONFLICT. A decision that cannot be
        stored has an `InvalidInput` as its error and does not affect the others.

        Raises:
            Unavailable: the table did not respond; retry with the same inputs and ids.
        """
        return self._writer.log(inputs, [f"/decisions/{index}" for index in range(len(inputs))])

    def log_one(self, data: Mapping[str, Any]) -> ItemResult:
        """Log one decision with the fields of `DecisionInput`; raises its error if it is not logged."""
        (result,) = self._writer.log([data], [""])
        return result.raise_for_error()

    def record_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Add outcomes to decisions, each with the fields of `OutcomeItem`; returns a result for each, in order.

        The same outcome again is UNCHANGED, a different one of the same horizon is CONFLICT unless `amend` is true. An
        outcome of a decision that is not in the log is NOT_FOUND and is not written.

        Raises:
            Unavailable: the table did not respond; retry with the same inputs.
        """
        return self._writer.record_outcomes(inputs, [f"/outcomes/{index}" for index in range(len(inputs))])

    def record_outcome(self, data: Mapping[str, Any]) -> ItemResult:
        """Add one outcome with the fields of `OutcomeItem`; raises its error if it is not added."""
        (result,) = self._writer.record_outcomes([data], [""])
        return result.raise_for_error()

    def check_decision_fits(self, decision: Decision) -> None:
        """Raise `TooLarge` if the store would refuse a decision for its size; see `DecisionStore`."""
        self._stores.decisions.check_decision_fits(decision)

    def check_outcome_fits(self, outcome: Outcome) -> None:
        """Raise `TooLarge` if the store would refuse a decision's first outcome for its size."""
        key = DecisionKey(self.agent_id, "", outcome.recorded_ms, new_decision_id("ANY", outcome.recorded_ms))
        self._stores.decisions.check_outcome_fits(key, outcome)

    # --- reading -----------------------------------------------------------------------------

    def get(self, decision_id: str) -> Decision:
        """One decision, from the table or, after its expiry there, from the archive.

        Raises:
            InvalidInput: not a decision id. NotFound: the agent has no such decision.
        """
        (found,) = self._reader.find([self._registry.key(decision_id)])
        if found is None:
            raise NotFound(f"{self.agent_id} has no decision {decision_id}")
        return found

    def stream(
        self,
        criteria: DecisionFilter,
        *,
        newest_first: bool = True,
        after: str | None = None,
        first: int | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> Iterator[Decision]:
        """The decisions that match, of all types and tiers, ordered by time and id; read as they are consumed.

        `after` is the sort key of the last decision that was already returned; `first` is the number of decisions that
        the caller probably needs. `on_unreadable` is called with what cannot be read and is left out.
        """
        span = criteria.validated().span()
        if after is not None:
            span = span_after(span, after, newest_first=newest_first)
        selection = criteria.selection(self.agent_id, self._registry.shards())
        stream = self._reader.stream(
            selection,
            span,
            types=self._registry.types,
            newest_first=newest_first,
            first=None if criteria.has_residual_conditions else first,
            on_unreadable=_only_after(after, on_unreadable, newest_first=newest_first),
        )
        if after is not None:
            stream = (one for one in stream if (sort_key(one) < after if newest_first else sort_key(one) > after))
        return filter(criteria.meets_residual_conditions, stream) if criteria.has_residual_conditions else stream

    def page(
        self, criteria: DecisionFilter, *, limit: int = 100, newest_first: bool = True, cursor: str | None = None
    ) -> Page:
        """Up to `limit` decisions (1 to 1,000) that match and fit into an answer, and the cursor of the next page.

        A day in cold storage ends the page before it, because reading on would request the restore of all older days.

        Raises:
            InvalidInput: an invalid limit, filter or cursor. Unavailable: a tier did not respond, or the page begins in
                cold storage.
        """
        limit = check_integer("limit", limit, minimum=1, maximum=MAX_PAGE)
        criteria.validated()
        after = None if cursor is None else read_cursor(criteria, cursor, newest_first=newest_first)
        # One decision more from an index would be a second request for its items.
        is_by_index = criteria.success is not None or criteria.context_type is not None
        looks_ahead = not criteria.has_residual_conditions and not is_by_index
        first = limit + looks_ahead
        found = collect(
            lambda report: self.stream(
                criteria, newest_first=newest_first, after=after, first=first, on_unreadable=report
            ),
            limit=limit,
            size=AnswerSize(self.max_answer_bytes),
            newest_first=newest_first,
            looks_ahead=looks_ahead,
            stops_at_size=True,
        )
        missing = found.missing_items()
        if found.error is not None:
            if found.last is None or not isinstance(found.error, InColdStorage):
                raise found.error
            missing.append(missing_item("archive", found.error.code, str(found.error)))
        has_more = found.has_more or found.error is not None
        cursor = make_cursor(criteria, found.last, newest_first=newest_first) if found.last and has_more else None
        return Page(found.decisions, never_empty_by_outage(Listing(found.entries, named(missing), cursor)))

    def chain(self, decision_id: str, depth: int = 5, *, limit: int = MAX_LINKS) -> Listing[ChainEntry]:
        """The relatives and neighbours of a decision; see `DecisionChains.chain_of`."""
        return self._chains.chain_of(decision_id, depth, limit=limit)

    def statistics(self, criteria: DecisionFilter, group_by: str = "context") -> dict[str, Any]:
        """Outcome statistics of the decisions that match, by group; see `decisions.statistics.group_statistics`."""
        damages = Damages()
        grouped = group_statistics(self.stream(criteria, newest_first=False, on_unreadable=damages), group_by)
        start, end = criteria.time_range or (None, None)
        span = criteria.span()
        return {
            "agent_id": self.agent_id,
            "decision_type": criteria.decision_type,
            "time_range": [start and to_iso(span.start_ms), end and to_iso(span.end_ms)],
            **grouped,
            **damages.members(),
        }


def _only_after(after: str | None, on_unreadable: OnUnreadable, *, newest_first: bool) -> OnUnreadable:
    """Report only what comes after a sort key: pages overlap by a millisecond, and by a day of the archive."""
    if after is None:
        return on_unreadable

    def report(one: Unreadable) -> None:
        if one.sort_key < after if newest_first else one.sort_key > after:
            on_unreadable(one)

    return report
