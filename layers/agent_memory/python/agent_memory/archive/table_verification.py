"""Compares the table of decisions with what was sealed, and counts what is not sealed."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date

from agent_memory.archive.chain import DatedFault
from agent_memory.archive.day_verification import Fault, FindingKind
from agent_memory.core.clock import CLOCK_TOLERANCE_MS, DAY_MS, END_OF_TIME_MS, Span, date_of, day_start_ms
from agent_memory.core.errors import Damaged
from agent_memory.core.retention import HOT_DAYS
from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import follows
from agent_memory.model.seals import Manifest
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.decisions import DecisionStore, Selection
from agent_memory.ports.states import Registration


class TableVerification:
    """The table of one agent. `unsealed_days` and `unsealed_decisions` are known after `faults` was consumed."""

    def __init__(
        self,
        agent_id: str,
        decisions: DecisionStore,
        archive: ArchiveStore,
        registration: Registration,
        *,
        now_ms: int,
        archived_through: date | None,
        requested: Collection[date],
    ) -> None:
        self._agent_id, self._registration = agent_id, registration
        self._decisions, self._archive = decisions, archive
        self._archived_through = archived_through
        self._requested = requested
        self._expired_before_ms = now_ms + CLOCK_TOLERANCE_MS - HOT_DAYS * DAY_MS
        self.unsealed_days: set[date] = set()
        self.unsealed_decisions = 0

    def faults(self, sealed: Mapping[date, Manifest], intact: Collection[date]) -> Iterator[DatedFault]:
        """Compare each day that the table may still have: with the file, if that is intact.

        A decision of a sealed day that the table has expires 90 days after it; until then it has to be there.
        """
        unsealed: Counter[date] = Counter()
        compared = sorted(day for day in intact if day_start_ms(day) + DAY_MS > self._expired_before_ms)
        for span in _gaps(compared):
            for decision_type in self._registration.decision_types:
                try:
                    for one in self._scan(decision_type, span):
                        day = date_of(one.timestamp_ms)
                        unsealed[day] += day not in sealed
                except Damaged as error:
                    yield None, Fault(FindingKind.DAMAGED, str(error))
        for day in compared:
            try:
                yield from ((day, fault) for fault in self._day_faults(day))
            except Damaged as error:
                yield day, Fault(FindingKind.DAMAGED, str(error))
        self.unsealed_days = {day for day, count in unsealed.items() if count}
        self.unsealed_decisions += unsealed.total()
        for day in sorted(self.unsealed_days):
            is_archived = self._archived_through is not None and day <= self._archived_through
            if is_archived and day not in self._requested:
                message = f"the day was archived, but the chain has no manifest of its {unsealed[day]:,} decisions"
                yield day, Fault(FindingKind.MISSING_MANIFEST, message)

    def _day_faults(self, day: date) -> Iterator[Fault]:
        file = self._archive.file(self._agent_id, day)
        archived = {one.decision_id: one for one in self._archive.decisions(file)} if file else {}
        span = Span(day_start_ms(day), day_start_ms(day) + DAY_MS)
        for decision_type in self._registration.decision_types:
            for one in self._scan(decision_type, span):
                sealed = archived.pop(one.decision_id, None)
                if sealed is None:
                    self.unsealed_decisions += 1
                elif not (follows(sealed, one) or follows(one, sealed)):
                    message = "the table contradicts what was sealed"
                    yield Fault(FindingKind.CONTRADICTED, message, one.decision_id)
        for one in archived.values():
            if one.timestamp_ms > self._expired_before_ms:
                yield Fault(FindingKind.REMOVED, "the table no longer has the decision", one.decision_id)

    def _scan(self, decision_type: str, span: Span) -> Iterator[Decision]:
        selection = Selection(self._agent_id, decision_type, shards=self._registration.write_shards)
        return self._decisions.scan(selection, span, newest_first=False)


def _gaps(days: Collection[date]) -> Iterator[Span]:
    """All time but these days, which are in order."""
    start_ms = 0
    for day in days:
        if start_ms < day_start_ms(day):
            yield Span(start_ms, day_start_ms(day))
        start_ms = day_start_ms(day) + DAY_MS
    yield Span(start_ms, END_OF_TIME_MS)
