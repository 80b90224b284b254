"""An agent's performance in answers of limited size and time, whose counts add up."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, Span, day_start_ms, to_iso
from agent_memory.core.errors import InColdStorage
from agent_memory.core.ids import LAST_ID
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.decisions.queries import DecisionFilter, TimeRange, make_cursor, read_cursor, sort_key, span_after
from agent_memory.decisions.rolled_days import CountedDay, parts_of
from agent_memory.decisions.rollups import Rollup
from agent_memory.decisions.statistics import INTERVAL
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Damages, missing_item, named
from agent_memory.ports.decisions import Position

MAX_READ = 20_000
"""Decisions that are read for one answer: a function of the API reads them within its time limit."""
_MEASURED_EVERY = 500


def count_part(
    agent_id: str,
    stream: Callable[..., Iterator[Decision]],
    time_range: TimeRange | None,
    *,
    counted: Callable[[Span], Iterable[CountedDay]],
    limit: int,
    cursor: str | None,
    max_bytes: int,
) -> dict[str, Any]:
    """Count decisions, oldest first, reading up to `limit` (1 to 20,000) of them; `cursor` continues after the last.

    An answer also ends where its rows would become too large, and before a day in cold storage, because reading on
    would request the restore of all later days. The decisions of days that were counted are not read.

    Args:
        agent_id: the agent.
        stream: `DecisionLog.stream` of the agent.
        time_range: (start, end) without the end; None for either is unbounded.
        counted: returns the days within a span that were counted, see `decisions.rolled_days`.
        limit: the maximum number of decisions to read.
        cursor: the `cursor` of the answer before.
        max_bytes: the size of the answer as JSON.

    Returns:
        `agent_id`, `time_range`, `interval`, the numbers of `decisions` and of those `with_outcome`; the lists of
        `decisions.performance`; `complete`, `missing` and `cursor`, as in every listing.

    Raises:
        InvalidInput: names the argument. Unavailable: a tier did not respond, or the part begins in cold storage.
    """
    limit = check_integer("limit", limit, minimum=1, maximum=MAX_READ)
    criteria = DecisionFilter(time_range=time_range).validated()
    after = None if cursor is None else read_cursor(agent_id, criteria, cursor, newest_first=False)
    left = criteria.span() if after is None else span_after(criteria.span(), after, newest_first=False)
    # After a cursor, the first millisecond has been counted in part.
    days = counted(left if after is None else Span(left.start_ms + 1, left.end_ms))
    part, damages = _Part(limit, max_bytes), Damages()
    is_cut, missing = False, []
    try:
        for one in parts_of(left, days):
            if isinstance(one, Span):
                within = replace(criteria, time_range=one.as_range())
                is_cut = not part.add_decisions(
                    stream(within, newest_first=False, after=after, first=limit + 1, on_unreadable=damages)
                )
            else:
                is_cut = not part.add_day(*one)
            if is_cut:
                break
    except InColdStorage as error:
        if part.last is None:
            raise
        missing, is_cut = [missing_item("archive", error.code, str(error))], True
    counts, last = part.counts, part.last
    # Stores read ahead: what comes after the last decision belongs to the next part.
    missing += [one.as_dict() for one in damages.items() if not is_cut or one.sort_key <= (last or "")]
    next_cursor = make_cursor(agent_id, criteria, last, newest_first=False) if is_cut and last else None
    span, (start, end) = criteria.span(), criteria.time_range or (None, None)
    return {
        "agent_id": agent_id,
        "time_range": [start and to_iso(span.start_ms), end and to_iso(span.end_ms)],
        "interval": INTERVAL,
        "decisions": counts.decisions,
        "with_outcome": counts.with_outcome,
        **counts.as_dict(),
        "complete": not missing and next_cursor is None,
        "missing": named(missing),
        "cursor": next_cursor,
    }


@dataclass(slots=True)
class _Part:
    """The counts of one answer, and the sort key up to which they reach."""

    limit: int
    max_bytes: int
    read: int = 0
    counts: PerformanceCounts = field(default_factory=PerformanceCounts)
    last: str | None = None

    def add_decisions(self, decisions: Iterator[Decision]) -> bool:
        """Count decisions one by one; returns whether all of them could be read."""
        for n, decision in enumerate(decisions):
            if self.read == self.limit or (n and n % _MEASURED_EVERY == 0 and self._is_full):
                return False
            self.counts.add(decision)
            self.read += 1
            self.last = sort_key(decision)
        return True

    def add_day(self, day: date, rollup: Rollup) -> bool:
        """Count the decisions of a day, without reading them; returns whether there was room for their rows."""
        if self._is_full:
            return False
        self.counts.add_rollup(day, rollup)
        self.last = sort_key(Position(day_start_ms(day) + DAY_MS - 1, LAST_ID))
        return True

    @property
    def _is_full(self) -> bool:
        return self.counts.approximate_bytes() > self.max_bytes // 2
