"""The combined view of an agent's contexts of all ages: of the last hour, day and month, and older ones.

    age      < 1 h          1-24 h        1-30 days      over 30 days
    level    immediate      recent        historical     archive
    stores   Redis, table   table         table          S3, table

The levels are read concurrently. A level that fails, or waits for days to be restored from Glacier, is named in the
result, next to the entries of the others. If there are no entries and the table or the archive does not respond, that
is an error, not an empty result.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock, Span, to_iso
from agent_memory.core.concurrency import run_concurrently
from agent_memory.core.errors import InColdStorage, InvalidInput, Unavailable, shown
from agent_memory.core.ids import LAST_ID
from agent_memory.core.json_values import Document
from agent_memory.core.keys import STM_CONTEXT, decision_sk
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.decisions.collecting import READ_DIRECTLY, collect
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import (
    DecisionFilter,
    TimeRange,
    make_cursor,
    read_cursor,
    sort_key,
    span_after,
)
from agent_memory.decisions.registry import RegistrationOfRead
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.decisions import matches_context
from agent_memory.model.listings import AnswerSize, Listing, fitting, missing_item
from agent_memory.ports.decisions import Order

MAX_ENTRIES = 1_000

# The levels, each with the age in milliseconds at which it ends.
LEVELS: tuple[tuple[str, int | None], ...] = (
    ("immediate", HOUR_MS),
    ("recent", DAY_MS),
    ("historical", ARCHIVE_AFTER_DAYS * DAY_MS),
    ("archive", None),
)

Entry = dict[str, Any]


class Level(NamedTuple):
    """One level, with the part of the requested time range that it covers."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class _Result:
    """What one source has, each part with its sort key.

    Attributes:
        entries: those that fit.
        left_out: what the source names as missing.
        cut_at: the sort key after which the source has more; None if there is no more.
        missing: the level as missing, with the reason, if it was not read to its end.
        is_outage: whether a permanent store failed.
    """

    entries: list[tuple[str, Entry]] = field(default_factory=list)
    left_out: list[tuple[str, Entry]] = field(default_factory=list)
    cut_at: str | None = None
    missing: Entry | None = None
    is_outage: bool = False


class Hierarchy:
    """Reads an agent's contexts from all levels."""

    def __init__(self, log: DecisionLog, short_term: ShortTermMemory, clock: Clock) -> None:
        self._log = log
        self._short_term = short_term
        self._clock = clock

    def contexts(
        self,
        time_range: TimeRange | None,
        context_filter: Document | None,
        *,
        limit: int,
        level: str | None,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """The contexts that match, newest first, from every level that the time range overlaps.

        Raises:
            InvalidInput: names the argument. Unavailable: a store did not respond, and no other had entries.
        """
        limit = check_integer("limit", limit, minimum=1, maximum=MAX_ENTRIES)
        now_ms = self._clock.now_ms()
        criteria = DecisionFilter(time_range=time_range, context=context_filter).validated()
        after = None if cursor is None else read_cursor(self._log.agent_id, criteria, cursor, newest_first=True)
        span = criteria.span() if after is None else span_after(criteria.span(), after, newest_first=True)
        levels = _levels_of(span, now_ms, level)
        registered = self._log.registration()
        sources = [partial(self._decisions, one, criteria, limit, after, registered) for one in levels]
        # The current context is newer than all decisions, so that it is on the first page.
        needs_short_term = after is None and any(one.name == "immediate" for one in levels)
        if needs_short_term and self._short_term.is_configured:
            sources.append(partial(self._current, criteria.context or {}, now_ms))
        results = run_concurrently(*sources)
        if not any(result.entries for result in results):
            _raise_if_unavailable(results)
        return {
            **self._newest(results, criteria, limit),
            "levels": [one.name for one in levels],
            "off": ["short_term"] if needs_short_term and not self._short_term.is_configured else [],
        }

    def _newest(self, results: Sequence[_Result], criteria: DecisionFilter, limit: int) -> dict[str, Any]:
        """The newest entries of all levels that fit into an answer, what is missing, and the cursor."""
        # Where a level was cut, what is older than its last entry is left to the next page.
        last = max((result.cut_at for result in results if result.cut_at), default=None)
        entries = sorted((one for result in results for one in result.entries), key=_position, reverse=True)
        entries = [one for one in entries if last is None or one[0] >= last]
        if len(entries) > limit:
            entries = entries[:limit]
            last = entries[-1][0]
        left_out = sorted((one for result in results for one in result.left_out), key=_position, reverse=True)
        listing = fitting(
            [entry for _, entry in entries],
            as_dict=dict,
            id_of=lambda entry: str(entry.get("decision_id", STM_CONTEXT)),
            max_bytes=self._log.max_answer_bytes,
            # By id, because two levels may share a day of the archive.
            missing={item["id"]: item for position, item in left_out if last is None or position >= last}.values(),
            read_directly=READ_DIRECTLY,
        )
        missing = [result.missing for result in results if result.missing]
        cursor = None if last is None else make_cursor(self._log.agent_id, criteria, last, newest_first=True)
        return Listing(listing, [*missing, *listing.missing], cursor).body("entries")

    def _decisions(
        self, level: Level, criteria: DecisionFilter, limit: int, after: str | None, registered: RegistrationOfRead
    ) -> _Result:
        in_level = DecisionFilter(time_range=level.span.as_range(), context=criteria.context)
        found = collect(
            lambda report: self._log.stream_with_positions(
                in_level, Order(first=limit + 1), report, after=after, registered=registered
            ),
            limit=limit,
            size=AnswerSize(self._log.max_answer_bytes),
            newest_first=True,
            looks_ahead=not in_level.is_filtered,
            stops_at_size=False,
            time_is_over=self._log.page_timer(),
        )
        entries = [
            (sort_key(decision), {"level": level.name, "kind": "decision", **entry})
            for decision, entry in zip(found.decisions, found.entries, strict=True)
        ]
        missing = None if found.error is None else _missing_level(level.name, found.error)
        is_outage = found.error is not None and not isinstance(found.error, InColdStorage)
        return _Result(entries, found.missing, found.last if found.has_more else None, missing, is_outage)

    def _current(self, conditions: Document, now_ms: int) -> _Result:
        """The current market context in short-term memory, with the current time."""
        try:
            stored = self._short_term.get(STM_CONTEXT)
        except Unavailable as error:
            return _Result(missing=_missing_level("immediate", error))
        # An agent stores its market, or a context as its decisions have it, whose market is a part.
        context: Document = {"market": stored}
        if isinstance(stored, Mapping) and "market" in stored:
            context = stored
        if stored is None or not matches_context(context, conditions):
            return _Result()
        entry = {"level": "immediate", "kind": "current", "timestamp": to_iso(now_ms), "context": context}
        # It comes before all decisions of the same millisecond.
        return _Result([(decision_sk(now_ms, LAST_ID), entry)])


def _position(one: tuple[str, Entry]) -> str:
    return one[0]


def _missing_level(name: str, error: Unavailable) -> Entry:
    why = str(error)
    return missing_item(name, error.code, why) | {"level": name, "why": why}


def _raise_if_unavailable(results: Iterable[_Result]) -> None:
    for result in results:
        if result.is_outage and result.missing:
            raise Unavailable(f"{result.missing['level']} memory: {result.missing['why']}")


def _levels_of(span: Span, now_ms: int, only: str | None) -> list[Level]:
    """The levels that overlap a span, newest first, each with its part of the span."""
    names = [name for name, _ in LEVELS]
    if only is not None and only not in names:
        raise InvalidInput("level", f"{shown(only)} is not one of {', '.join(names)}")
    levels, newest_ms = [], span.end_ms
    for name, ends_ms in LEVELS:
        oldest_ms = 0 if ends_ms is None else now_ms - ends_ms
        part = Span(max(span.start_ms, oldest_ms), min(span.end_ms, newest_ms))
        newest_ms = oldest_ms
        if part.start_ms < part.end_ms and only in (None, name):
            levels.append(Level(name, part))
    return levels
