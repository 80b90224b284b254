"""One agent's decisions as one ordered stream over both tiers: the hot table and the archive."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from heapq import merge

from agent_memory.core.clock import DAY_MS, Clock, Span, date_of, day_start_ms
from agent_memory.core.concurrency import map_concurrently, merge_ordered
from agent_memory.core.errors import InColdStorage
from agent_memory.core.retention import HOT_DAYS
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

# Days in cold storage that are asked for when the first of them is met: the next question shall not wait again.
_RESTORED_AT_ONCE = 31


class DecisionReader:
    """Reads decisions wherever they lie now."""

    def __init__(self, agent_id: str, stores: Stores, clock: Clock) -> None:
        self._agent_id = agent_id
        self._stores = stores
        self._clock = clock

    def find(self, keys: Sequence[DecisionKey]) -> list[Decision | None]:
        """Decisions by their keys, in order, from the table or, once they have left that, from the archive."""
        found = self._stores.decisions.get(keys) if keys else []
        archived = self.archived([key for key, decision in zip(keys, found, strict=True) if decision is None])
        return [
            decision if decision is not None else archived.get(key.decision_id)
            for key, decision in zip(keys, found, strict=True)
        ]

    def archived(self, keys: Sequence[DecisionKey]) -> dict[str, Decision]:
        """Decisions in the archive by their ids; little more than them is read."""
        archive = self._stores.archive
        if archive is None:
            return {}
        by_day: dict[date, list[DecisionKey]] = {}
        for key in keys:
            by_day.setdefault(date_of(key.timestamp_ms), []).append(key)

        def of_day(day: date) -> list[Decision]:
            with self._restoring(archive, [day]):
                return archive.get(self._agent_id, day, by_day[day])

        found = map_concurrently(of_day, list(by_day))
        return {decision.decision_id: decision for decisions in found for decision in decisions}

    def stream(
        self,
        wanted: Selection,
        span: Span,
        *,
        types: Callable[[], Sequence[str]],
        newest_first: bool = True,
        first: int | None = None,
    ) -> Iterator[Decision]:
        """Decisions that are selected in a span, ordered by time and id, read as they are taken.

        `types` tells the agent's decision types; it is asked only when the selection names none and they are
        needed. `first` tells how many decisions the caller probably takes.

        archive   |...............................|
        table     |......(not yet archived).......|...............................|
        beginning                             hot_from                           now
        """
        # Two days of slack, so that nothing expires between this line and the last page.
        hot_from = day_start_ms(date_of(self._clock.now_ms())) - (HOT_DAYS - 2) * DAY_MS
        older = Span(span.start_ms, min(span.end_ms, hot_from))
        newer = Span(max(span.start_ms, hot_from), span.end_ms)
        if not newest_first:
            yield from self._older(wanted, older, types, newest_first=newest_first)
        if newer.start_ms < newer.end_ms:
            yield from self._hot(wanted, newer, types, newest_first=newest_first, first=first)
        if newest_first:
            yield from self._older(wanted, older, types, newest_first=newest_first)

    def _hot(
        self,
        wanted: Selection,
        span: Span,
        types: Callable[[], Sequence[str]],
        *,
        newest_first: bool,
        first: int | None = None,
    ) -> Iterator[Decision]:
        """What the table holds: by an index where the selection names one, else type by type."""
        if wanted.success is not None or wanted.context_type is not None:
            return self._stores.decisions.scan(wanted, span, newest_first=newest_first)
        kinds = [wanted.decision_type] if wanted.decision_type else types()
        streams = [
            self._stores.decisions.scan(
                replace(wanted, decision_type=kind), span, newest_first=newest_first, first=first
            )
            for kind in kinds
        ]
        return merge_ordered(streams, key=time_and_id, reverse=newest_first)

    def _older(
        self, wanted: Selection, span: Span, types: Callable[[], Sequence[str]], *, newest_first: bool
    ) -> Iterator[Decision]:
        """What lies in the archive, in the table, or in both: the table's is then the fresher one.

        The selection is applied to the fresher one only; an index would show what the archive has differently.
        """
        if span.start_ms >= span.end_ms:
            return
        kinds = [wanted.decision_type] if wanted.decision_type else list(types())
        by_type = Selection(wanted.agent_id, shards=wanted.shards)
        hot = self._hot(by_type, span, lambda: kinds, newest_first=newest_first)
        archived = self._archive(wanted.decision_type, span, newest_first=newest_first)
        last_id = None
        # Of equal ones the table's comes first out of the merge.
        for decision in merge(hot, archived, key=time_and_id, reverse=newest_first):
            if decision.decision_id != last_id:
                last_id = decision.decision_id
                if wanted.matches(decision):
                    yield decision

    def _archive(self, decision_type: str | None, span: Span, *, newest_first: bool) -> Iterator[Decision]:
        """What the archive holds of a type, or of all; each day is read once."""
        archive = self._stores.archive
        if archive is None:
            return
        first, last = date_of(span.start_ms), date_of(span.end_ms - 1)
        days = [day for day in archive.days(self._agent_id) if first <= day <= last]
        days = days[::-1] if newest_first else days
        types = [decision_type] if decision_type else None
        for place, day in enumerate(days):
            with self._restoring(archive, days[place : place + _RESTORED_AT_ONCE]):
                inside = archive.read_day(self._agent_id, day, span, types)
            yield from reversed(inside) if newest_first else inside

    @contextmanager
    def _restoring(self, archive: ArchiveStore, days: Sequence[date]) -> Iterator[None]:
        """Where the first of these days turns out to lie in cold storage, all of them are asked to be restored."""
        try:
            yield
        except InColdStorage as error:
            for day in days:
                archive.restore_day(self._agent_id, day)
            which = f"{min(days)} to {max(days)}" if len(days) > 1 else f"{days[0]}"
            raise InColdStorage(
                f"the archive of {which} lies in cold storage; its restore was requested, "
                "which takes up to 12 hours: ask again then"
            ) from error


def time_and_id(decision: Decision) -> tuple[int, str]:
    """What decisions are ordered by."""
    return decision.timestamp_ms, decision.decision_id
