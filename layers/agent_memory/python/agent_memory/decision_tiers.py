"""One agent's decisions as one ordered stream over both tiers: the hot table and the archive."""

import heapq
from collections.abc import Iterator

from agent_memory.clock import DAY_MS, Clock, date_of, day_start_ms
from agent_memory.models import Decision
from agent_memory.retention import HOT_DAYS
from agent_memory.stores.base import DecisionKey, Span
from agent_memory.stores.connections import Stores


class DecisionTiers:
    """Reads decisions wherever they lie now."""

    def __init__(self, agent_id: str, stores: Stores, clock: Clock) -> None:
        self._agent_id = agent_id
        self._stores = stores
        self._clock = clock

    def find(self, key: DecisionKey) -> Decision | None:
        """One decision by its key, from the table or, once it has left that, from the archive."""
        (found,) = self._stores.decisions.get([key])
        if found is not None or self._stores.archive is None:
            return found
        decisions = self._stores.archive.read_day(self._agent_id, key.decision_type, date_of(key.timestamp_ms))
        return next((decision for decision in decisions if decision.decision_id == key.decision_id), None)

    def stream(self, decision_types: list[str], span: Span, *, newest_first: bool) -> Iterator[Decision]:
        """Decisions of these types in a span, ordered by time and id, read as they are taken."""
        streams = [self._stream_type(kind, span, newest_first=newest_first) for kind in decision_types]
        return heapq.merge(*streams, key=time_and_id, reverse=newest_first)

    def _stream_type(self, decision_type: str, span: Span, *, newest_first: bool) -> Iterator[Decision]:
        """Both tiers of one type as one stream.

        archive   |...............................|
        table     |......(not yet archived).......|...............................|
        beginning                             hot_from                           now
        """
        # Two days of slack, so that nothing expires between this line and the last page.
        hot_from = day_start_ms(date_of(self._clock.now_ms())) - (HOT_DAYS - 2) * DAY_MS
        older = Span(span.start_ms, min(span.end_ms, hot_from))
        newer = Span(max(span.start_ms, hot_from), span.end_ms)
        parts = [
            self._stream_older(decision_type, older, newest_first=newest_first),
            self._stores.decisions.scan_type(self._agent_id, decision_type, newer, newest_first=newest_first),
        ]
        for part in reversed(parts) if newest_first else parts:
            yield from part

    def _stream_older(self, decision_type: str, span: Span, *, newest_first: bool) -> Iterator[Decision]:
        if span.start_ms >= span.end_ms:
            return
        table = self._stores.decisions.scan_type(self._agent_id, decision_type, span, newest_first=newest_first)
        archived = self._stream_archive(decision_type, span, newest_first=newest_first)
        last_id = None
        # Where both have a decision the table's comes first out of the merge, and it is the fresher one.
        for decision in heapq.merge(table, archived, key=time_and_id, reverse=newest_first):
            if decision.decision_id != last_id:
                last_id = decision.decision_id
                yield decision

    def _stream_archive(self, decision_type: str, span: Span, *, newest_first: bool) -> Iterator[Decision]:
        archive = self._stores.archive
        if archive is None:
            return
        first, last = date_of(span.start_ms), date_of(span.end_ms - 1)
        days = [day for day in archive.days(self._agent_id, decision_type) if first <= day <= last]
        for day in reversed(days) if newest_first else days:
            decisions = archive.read_day(self._agent_id, decision_type, day)
            inside = [one for one in decisions if span.start_ms <= one.timestamp_ms < span.end_ms]
            yield from reversed(inside) if newest_first else inside


def time_and_id(decision: Decision) -> tuple[int, str]:
    """What decisions are ordered by."""
    return decision.timestamp_ms, decision.decision_id
