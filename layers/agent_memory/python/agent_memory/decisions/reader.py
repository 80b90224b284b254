"""Reads one agent's decisions from both tiers, the table and the archive, as one ordered stream."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from heapq import merge
from itertools import chain
from math import ceil
from typing import TypeVar

from agent_memory.core.clock import DAY_MS, Clock, Span, date_of, day_start_ms, to_iso
from agent_memory.core.concurrency import map_concurrently, merge_ordered
from agent_memory.core.errors import Damaged, InColdStorage
from agent_memory.core.ids import FIRST_ID, LAST_ID
from agent_memory.core.keys import archive_file_key, decision_sk
from agent_memory.core.retention import HOT_DAYS
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.listings import OnUnreadable, Unreadable, raise_error
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.decisions import Alike, Entry, Order, Position, Selection, decisions_only
from agent_memory.ports.stores import Stores

E = TypeVar("E", bound=Entry)

Scan = Callable[[Selection, Span, Order, OnUnreadable], Iterator[E | Position]]
"""A scan of a `DecisionStore`."""

# When a day is in cold storage, the restore of the following days is requested as well, so that the next query does not
# have to wait again.
_DAYS_PER_RESTORE = 31


class DecisionReader:
    """Reads decisions from the tier in which they are."""

    def __init__(self, agent_id: str, stores: Stores, clock: Clock) -> None:
        self._agent_id = agent_id
        self._stores = stores
        self._clock = clock

    def find(self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error) -> list[Decision | None]:
        """The decisions with these keys, in order, from the table or, after their expiry there, from the archive.

        `on_unreadable` is called with those that cannot be read, damaged or in cold storage.
        """
        unreadable = _Reported(on_unreadable)
        found = self._stores.decisions.get(keys, on_unreadable=unreadable) if keys else []
        if None not in found:
            return found
        not_found = [
            key for key, one in zip(keys, found, strict=True) if one is None and key.decision_id not in unreadable.ids
        ]
        if not not_found:
            return found
        archived = self.archived(not_found, on_unreadable=on_unreadable)
        return [
            decision if decision is not None else archived.get(key.decision_id)
            for key, decision in zip(keys, found, strict=True)
        ]

    def archived(
        self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error
    ) -> dict[str, Decision]:
        """The decisions with these keys that are in the archive, by id; only parts of the files are read."""
        archive = self._stores.archive
        if archive is None:
            return {}
        by_day: dict[date, list[DecisionKey]] = {}
        for key in keys:
            by_day.setdefault(date_of(key.timestamp_ms), []).append(key)

        def read(day: date) -> list[Decision]:
            try:
                with self._requesting_restore(archive, [day]):
                    return archive.get(self._agent_id, day, by_day[day])
            except (Damaged, InColdStorage) as error:
                for key in by_day[day]:
                    on_unreadable(Unreadable(key.decision_id, error, decision_sk(key.timestamp_ms, key.decision_id)))
                return []

        found = map_concurrently(read, list(by_day))
        return {decision.decision_id: decision for decisions in found for decision in decisions}

    def stream(
        self,
        selection: Selection,
        span: Span,
        *,
        types: Callable[[], Sequence[str]],
        newest_first: bool = True,
        first: int | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> Iterator[Decision | Position]:
        """The decisions of a selection in a span, ordered by time and id; read as they are consumed.

        The positions among them say how far both tiers have been read, whatever was found. `types` returns the agent's
        decision types; it is called only if the selection has no type and the types are needed. `first` is the number
        of decisions that the caller probably needs. `on_unreadable` is called with damaged decisions and damaged days
        of the archive, unless they certainly do not meet the conditions.
        """
        scan = self._stores.decisions.scan_with_positions
        order = Order(newest_first, first)
        return self.scan(scan, selection, span, types=types, order=order, on_unreadable=on_unreadable)

    def scan(
        self,
        scan: Scan[E],
        selection: Selection,
        span: Span,
        *,
        types: Callable[[], Sequence[str]],
        order: Order,
        on_unreadable: OnUnreadable,
    ) -> Iterator[E | Decision | Position]:
        """As `stream`, but what `scan` finds in the part of the table that is not archived.

        archive   |...............................|
        table     |......(not yet archived).......|...............................|
        beginning                             hot_from                           now
        """

        def parts() -> Iterator[Iterator[E | Decision | Position]]:
            older, newer = self._tiers(span)
            newest_first = order.newest_first
            both = self._scan_both(selection, older, types, newest_first=newest_first, on_unreadable=on_unreadable)
            if not newest_first:
                yield both
            if newer.start_ms < newer.end_ms:
                yield _scan_table(scan, selection, newer, order=order, types=types, on_unreadable=on_unreadable)
            if newest_first:
                yield both

        return chain.from_iterable(parts())

    def count(
        self,
        selection: Selection,
        span: Span,
        measurements: Sequence[str],
        *,
        types: Callable[[], Sequence[str]],
        on_unreadable: OnUnreadable,
    ) -> Iterator[Alike]:
        """The numbers of decisions that are alike in both tiers, in any order; see `DecisionStore.count`."""
        older, newer = self._tiers(span)
        both = self._scan_both(selection, older, types, newest_first=False, on_unreadable=on_unreadable)
        yield from map(Alike.of, decisions_only(both))
        kinds = [selection.decision_type] if selection.decision_type else types()
        for kind in kinds if newer.start_ms < newer.end_ms else ():
            of_kind = replace(selection, decision_type=kind)
            yield from self._stores.decisions.count(of_kind, newer, measurements, on_unreadable)

    def _tiers(self, span: Span) -> tuple[Span, Span]:
        """The part of a span that may be in the archive, and the part that is in the table only."""
        # Two days later than the expiry, so that nothing expires between this line and the last page.
        hot_from = day_start_ms(date_of(self._clock.now_ms())) - (HOT_DAYS - 2) * DAY_MS
        return Span(span.start_ms, min(span.end_ms, hot_from)), Span(max(span.start_ms, hot_from), span.end_ms)

    def _scan_both(
        self,
        selection: Selection,
        span: Span,
        types: Callable[[], Sequence[str]],
        *,
        newest_first: bool,
        on_unreadable: OnUnreadable,
    ) -> Iterator[Decision | Position]:
        """The decisions in the archive, in the table, or in both; the table's version is then the newer one.

        The selection is applied to the newer version. The table can be asked for contexts only, which never change: an
        index, or a filter by outcome, omits decisions whose newer version no longer matches, and the archive's older
        version would be returned instead.
        """
        if span.start_ms >= span.end_ms:
            return
        kinds = [selection.decision_type] if selection.decision_type else list(types())
        by_type = Selection(selection.agent_id, shards=selection.shards, context=selection.context)
        unreadable = _Reported(on_unreadable)
        scan = self._stores.decisions.scan_with_positions
        stored = _scan_table(
            scan, by_type, span, order=Order(newest_first), types=lambda: kinds, on_unreadable=unreadable
        )
        archived = self._scan_archive(selection, span, newest_first=newest_first, on_unreadable=on_unreadable)
        last_id = None
        # `merge` is stable: the table's version comes first.
        for one in merge(stored, archived, key=time_and_id, reverse=newest_first):
            # Of an unreadable decision of the table, the archive may have an older version: it is not returned instead.
            if isinstance(one, Position):
                yield one
            elif one.decision_id != last_id and one.decision_id not in unreadable.ids:
                last_id = one.decision_id
                if selection.matches(one):
                    yield one

    def _scan_archive(
        self, selection: Selection, span: Span, *, newest_first: bool, on_unreadable: OnUnreadable
    ) -> Iterator[Decision | Position]:
        """The archived decisions of a selection; each day is read once, and a damaged one is left out."""
        archive = self._stores.archive
        if archive is None:
            return
        first, last = date_of(span.start_ms), date_of(span.end_ms - 1)
        days = [day for day in archive.days(self._agent_id) if first <= day <= last]
        days = days[::-1] if newest_first else days
        for index, day in enumerate(days):
            try:
                with self._requesting_restore(archive, days[index : index + _DAYS_PER_RESTORE]):
                    decisions = archive.select(self._agent_id, day, span, selection)
            except Damaged as error:
                on_unreadable(Unreadable(archive_file_key(self._agent_id, day), error, to_iso(day_start_ms(day))))
                continue
            yield from reversed(decisions) if newest_first else decisions
            yield _end_of_day(day, span, newest_first=newest_first)

    @contextmanager
    def _requesting_restore(self, archive: ArchiveStore, days: Sequence[date]) -> Iterator[None]:
        """Request the restore of all these days if the first of them turns out to be in cold storage."""
        try:
            yield
        except InColdStorage as error:
            for day in days:
                archive.restore_day(self._agent_id, day)
            dates = f"{min(days)} to {max(days)}" if len(days) > 1 else f"{days[0]}"
            raise InColdStorage(
                f"the archive of {dates} is in cold storage; its restore was requested and takes up to 12 hours, "
                "retry then"
            ) from error


def _scan_table(
    scan: Scan[E],
    selection: Selection,
    span: Span,
    *,
    order: Order,
    types: Callable[[], Sequence[str]],
    on_unreadable: OnUnreadable,
) -> Iterator[E | Position]:
    """What `scan` finds in the table: from an index if the selection has one, else type by type."""
    if selection.has_index:
        return scan(selection, span, order, on_unreadable)
    kinds = [selection.decision_type] if selection.decision_type else types()
    if selection.success is not None and order.first is not None and kinds:
        # Most of what is read of a type may have the other outcome, so that what is not needed of it costs more.
        order = order._replace(first=ceil(order.first / len(kinds)))
    streams = [scan(replace(selection, decision_type=kind), span, order, on_unreadable) for kind in kinds]
    return merge_ordered(streams, key=time_and_id, reverse=order.newest_first)


class _Reported:
    """Passes unreadable items on, and remembers their ids."""

    def __init__(self, on_unreadable: OnUnreadable) -> None:
        self._on_unreadable = on_unreadable
        self.ids: set[str] = set()

    def __call__(self, one: Unreadable) -> None:
        self.ids.add(one.id)
        self._on_unreadable(one)


def time_and_id(one: Entry | Position) -> tuple[int, str]:
    """The key by which decisions are ordered."""
    return one.timestamp_ms, one.decision_id


def _end_of_day(day: date, span: Span, *, newest_first: bool) -> Position:
    """The position after the last decision of a day that is in a span."""
    if newest_first:
        return Position(max(day_start_ms(day), span.start_ms), FIRST_ID)
    return Position(min(day_start_ms(day) + DAY_MS, span.end_ms) - 1, LAST_ID)
