"""The combined view of an agent's contexts of all ages: of the last hour, day and month, and older ones.

    age      < 1 h          1-24 h        1-30 days      over 30 days
    level    immediate      recent        historical     archive
    stores   Redis, table   table         table          S3, table

The levels are read concurrently. A level that fails, or waits for days to be restored from Glacier, is named in the
result, next to the entries of the others. If there are no entries and the table or the archive does not respond, that
is an error, not an empty result.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, HOUR_MS, Clock, Span, to_iso
from agent_memory.core.concurrency import run_concurrently
from agent_memory.core.errors import InColdStorage, InvalidInput, Unavailable, shown
from agent_memory.core.json_values import Document
from agent_memory.core.keys import STM_CONTEXT
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter, TimeRange, matches_context
from agent_memory.memory.short_term import ShortTermMemory

MAX_ENTRIES = 1_000

# The levels, each with the age in milliseconds at which it ends.
LEVELS: tuple[tuple[str, int | None], ...] = (
    ("immediate", HOUR_MS),
    ("recent", DAY_MS),
    ("historical", ARCHIVE_AFTER_DAYS * DAY_MS),
    ("archive", None),
)

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """One level, with the part of the requested time range that it covers."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class _Result:
    """The entries of one source; `missing` says why there may be more, `is_outage` that a permanent store failed."""

    entries: list[Entry]
    missing: dict[str, str] | None = None
    is_outage: bool = False


class Hierarchy:
    """Reads an agent's contexts from all levels."""

    def __init__(self, log: DecisionLog, short_term: ShortTermMemory, clock: Clock) -> None:
        self._log = log
        self._short_term = short_term
        self._clock = clock

    def contexts(
        self, time_range: TimeRange | None, context_filter: Document | None, *, limit: int, level: str | None
    ) -> dict[str, Any]:
        """The contexts that match, newest first, from every level that the time range overlaps.

        Raises:
            InvalidInput: names the argument. Unavailable: a store did not respond, and no other had entries.
        """
        limit = check_integer("limit", limit, minimum=1, maximum=MAX_ENTRIES)
        now_ms = self._clock.now_ms()
        criteria = DecisionFilter(time_range=time_range, context=context_filter).validated()
        levels = _levels_of(criteria.span(), now_ms, level)
        sources = [partial(self._decisions, one, criteria, limit) for one in levels]
        needs_short_term = any(one.name == "immediate" for one in levels)
        if needs_short_term and self._short_term.is_configured:
            sources.append(partial(self._current, criteria.context or {}, now_ms))
        results = run_concurrently(*sources)
        missing = [result.missing for result in results if result.missing]
        entries = [entry for result in results for entry in result.entries]
        if not entries:
            _raise_if_unavailable(results)
        entries.sort(key=lambda entry: (entry["timestamp"], entry.get("decision_id", "~")), reverse=True)
        return {
            "entries": entries[:limit],
            "complete": not missing,
            "missing": missing,
            "levels": [one.name for one in levels],
            "off": ["short_term"] if needs_short_term and not self._short_term.is_configured else [],
        }

    def _decisions(self, level: Level, criteria: DecisionFilter, limit: int) -> _Result:
        end = None if level.span.end_ms == END_OF_TIME_MS else to_iso(level.span.end_ms)
        in_level = DecisionFilter(time_range=(to_iso(level.span.start_ms), end), context=criteria.context)
        entries: list[Entry] = []
        try:
            for decision in islice(self._log.stream(in_level, first=limit), limit):
                entry = {"level": level.name, "kind": "decision", **decision.as_dict()}
                entries.append(entry)  # one by one, so that those that were read before a failure are kept
        except Unavailable as error:
            is_outage = not isinstance(error, InColdStorage)
            return _Result(entries, {"level": level.name, "why": str(error)}, is_outage=is_outage)
        return _Result(entries)

    def _current(self, conditions: Document, now_ms: int) -> _Result:
        """The current market context in short-term memory, with the current time."""
        try:
            market = self._short_term.get(STM_CONTEXT)
        except Unavailable as error:
            return _Result([], {"level": "immediate", "why": str(error)})
        if market is None or not matches_context({"market": market}, conditions):
            return _Result([])
        entry = {"level": "immediate", "kind": "current", "timestamp": to_iso(now_ms), "context": {"market": market}}
        return _Result([entry])


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
