"""The decision log of one agent. Every method blocks; agents use `DecisionLogger`."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from agent_memory.core.checks import check_boolean, check_integer
from agent_memory.core.clock import Clock, Span, SystemClock, to_iso
from agent_memory.core.errors import InColdStorage, NotFound
from agent_memory.decisions.chains import MAX_LINKS, ChainEntry, DecisionChains
from agent_memory.decisions.collecting import collect
from agent_memory.decisions.lineage import Lineage
from agent_memory.decisions.performance_parts import MAX_READ, count_part
from agent_memory.decisions.queries import (
    MAX_PAGE,
    DecisionFilter,
    Page,
    TimeRange,
    make_cursor,
    read_cursor,
    sort_key,
    span_after,
)
from agent_memory.decisions.reader import DecisionReader, Scan
from agent_memory.decisions.registry import DecisionRegistry, RegistrationOfRead
from agent_memory.decisions.rolled_days import CountedDay, counted_days, parts_of
from agent_memory.decisions.rollups import MEASUREMENTS, Rollup
from agent_memory.decisions.statistics import GroupedStatistics
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
from agent_memory.ports.decisions import Entry, Order, Position, Selection, decisions_only
from agent_memory.ports.stores import Stores

E = TypeVar("E", bound=Entry)

MAX_PAGE_SECONDS = 8.0
"""After this time a page ends where it is. A request of the API has to be answered within 29 seconds."""


class DecisionLog:
    """Logs and reads one agent's decisions.

    `write_shards` (1 to 32) is the number of the table's partitions over which new decisions are spread.
    `max_answer_bytes` is the size of a listing as JSON; what does not fit is named, or left to the next page. A page
    that has been read for `max_page_seconds` ends, whatever was found, and its cursor continues.
    """

    def __init__(
        self,
        agent_id: str,
        stores: Stores,
        clock: Clock | None = None,
        *,
        write_shards: int = 1,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_page_seconds: float = MAX_PAGE_SECONDS,
    ) -> None:
        clock = clock or SystemClock()
        self.agent_id = agent_id
        self._stores = stores
        self.max_answer_bytes = max_answer_bytes
        self._max_page_seconds = max_page_seconds
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
        self._stores.decisions.check_outcome_fits(outcome)

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

    def find(
        self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error
    ) -> Sequence[Decision | None]:
        """The decisions with these keys, in order, from both tiers; None for those that do not exist."""
        return self._reader.find(keys, on_unreadable=on_unreadable)

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
        return decisions_only(
            self.stream_with_positions(criteria, Order(newest_first, first), on_unreadable, after=after)
        )

    def stream_with_positions(
        self,
        criteria: DecisionFilter,
        order: Order,
        on_unreadable: OnUnreadable,
        *,
        after: str | None = None,
        registered: RegistrationOfRead | None = None,
    ) -> Iterator[Decision | Position]:
        """As `stream`, with a position after each request, at which a caller without more time may stop.

        `registered` is shared by the streams of one read.
        """
        return self._streamed(
            self._stores.decisions.scan_with_positions,
            criteria,
            order,
            on_unreadable,
            after=after,
            registered=registered,
        )

    def _streamed(
        self,
        scan: Scan[E],
        criteria: DecisionFilter,
        order: Order,
        on_unreadable: OnUnreadable,
        *,
        after: str | None,
        registered: RegistrationOfRead | None = None,
    ) -> Iterator[E | Decision | Position]:
        """What `scan`, and the archive, have after a sort key."""
        registered, newest_first = registered or self.registration(), order.newest_first
        span = criteria.validated().span()
        if after is not None:
            span = span_after(span, after, newest_first=newest_first)
        selection = self._selection(criteria, registered)
        stream = self._reader.scan(
            scan,
            selection,
            span,
            types=registered.types,
            order=order,
            on_unreadable=_only_after(after, on_unreadable, newest_first=newest_first),
        )
        if after is not None:
            return (one for one in stream if (sort_key(one) < after if newest_first else sort_key(one) > after))
        return stream

    def _selection(self, criteria: DecisionFilter, registered: RegistrationOfRead) -> Selection:
        """The conditions, with the shards of the registration that the types are read from, if they are needed."""
        shards_unknown = criteria.selection(self.agent_id, 1)
        if criteria.decision_type is None and not shards_unknown.has_index:
            registered.types()
        return replace(shards_unknown, shards=registered.shards())

    def registration(self) -> RegistrationOfRead:
        """The agent's types and shards, to be shared by the streams of one read."""
        return self._registry.for_one_read()

    def page_timer(self) -> Callable[[], bool]:
        """A function that says whether a page which begins now has been read for long enough."""
        ends_at = time.monotonic() + self._max_page_seconds
        return lambda: time.monotonic() >= ends_at

    def page(
        self, criteria: DecisionFilter, *, limit: int = 100, newest_first: bool = True, cursor: str | None = None
    ) -> Page:
        """Up to `limit` decisions (1 to 1,000) that match and fit into an answer, and the cursor of the next page.

        A page whose time is over has what was found by then, perhaps nothing, and a cursor.
        A day in cold storage ends the page before it, because reading on would request the restore of all older days.

        Raises:
            InvalidInput: an invalid limit, filter or cursor. Unavailable: a tier did not respond, or the page begins in
                cold storage.
        """
        limit = check_integer("limit", limit, minimum=1, maximum=MAX_PAGE)
        criteria.validated()
        newest_first = check_boolean("newest_first", newest_first)
        after = None if cursor is None else read_cursor(self.agent_id, criteria, cursor, newest_first=newest_first)
        # One decision more could be another request for its item, or for many that do not match.
        looks_ahead = not criteria.is_filtered
        order = Order(newest_first, limit + looks_ahead)
        found = collect(
            lambda report: self._streamed(self._stores.decisions.scan_entries, criteria, order, report, after=after),
            limit=limit,
            size=AnswerSize(self.max_answer_bytes),
            newest_first=newest_first,
            looks_ahead=looks_ahead,
            stops_at_size=True,
            time_is_over=self.page_timer(),
        )
        missing = found.missing_items()
        if found.error is not None:
            if found.last is None or not isinstance(found.error, InColdStorage):
                raise found.error
            missing.append(missing_item("archive", found.error.code, str(found.error)))
        has_more = found.has_more or found.error is not None
        cursor = None
        if found.last and has_more:
            cursor = make_cursor(self.agent_id, criteria, found.last, newest_first=newest_first)
        return Page(found.decisions, never_empty_by_outage(Listing(found.entries, named(missing), cursor)))

    def performance(
        self,
        time_range: TimeRange | None = None,
        *,
        limit: int = MAX_READ,
        cursor: str | None = None,
        exact: bool = False,
    ) -> dict[str, Any]:
        """Counts and success rates of the decisions of a time range, or of a part of it.

        See `decisions.performance_parts.count_part`. With `exact`, all decisions are read, also those of counted days.
        """

        def counted(span: Span) -> Iterable[CountedDay]:
            return () if exact else counted_days(self._stores.states, self.agent_id, span)

        return count_part(
            self.agent_id,
            self.stream,
            time_range,
            counted=counted,
            limit=limit,
            cursor=cursor,
            max_bytes=self.max_answer_bytes,
        )

    def chain(self, decision_id: str, depth: int = 5, *, limit: int = MAX_LINKS) -> Listing[ChainEntry]:
        """The relatives and neighbours of a decision; see `DecisionChains.chain_of`."""
        return self._chains.chain_of(decision_id, depth, limit=limit)

    def statistics(self, criteria: DecisionFilter, group_by: str = "context", *, exact: bool = False) -> dict[str, Any]:
        """Outcome statistics of the decisions that match, by group; see `decisions.statistics.GroupedStatistics`.

        Days that the nightly job has counted, and that have not changed since, are added up from their counts. With
        `exact`, all decisions are read.
        """
        damages, grouped = Damages(), GroupedStatistics(group_by)
        exact = check_boolean("exact", exact)
        has_counts = grouped.takes_rollups and not criteria.validated().is_filtered and not exact
        counted = counted_days(self._stores.states, self.agent_id, criteria.span()) if has_counts else ()
        counts, registered = Rollup(), self.registration()
        for part in parts_of(criteria.span(), counted):
            if not isinstance(part, Span):
                counts.merge(part[1])
                continue
            if grouped.takes_counts:
                selection = self._selection(criteria, registered)
                for alike in self._reader.count(
                    selection, part, MEASUREMENTS, types=registered.types, on_unreadable=damages
                ):
                    grouped.add_alike(alike)
                continue
            in_part, oldest_first = replace(criteria, time_range=part.as_range()), Order(newest_first=False)
            found = self.stream_with_positions(in_part, oldest_first, damages, registered=registered)
            for one in decisions_only(found):
                grouped.add(one)
        if has_counts:
            grouped.add_rollup(counts, criteria.decision_type)
        start, end = criteria.time_range or (None, None)
        span = criteria.span()
        return {
            "agent_id": self.agent_id,
            "decision_type": criteria.decision_type,
            "time_range": [start and to_iso(span.start_ms), end and to_iso(span.end_ms)],
            **grouped.as_dict(),
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
