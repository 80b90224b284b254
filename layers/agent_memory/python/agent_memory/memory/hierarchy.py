"""One answer across all ages: what an agent met within the hour, the day, the month, and before.

    age      < 1 h          1-24 h        1-30 days      over 30 days
    level    immediate      recent        historical     archive
    where    Redis, table   table         table          S3, table

The levels are asked side by side. One that fails, or waits for days to come back from Glacier, is named, and what it
and the others had stands. Where that is nothing, a table or archive that is down is an error, no empty answer.
"""

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, HOUR_MS, Clock, Span, to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import InColdStorage, InvalidInput, Unavailable
from agent_memory.core.json_values import Document
from agent_memory.core.keys import STM_CONTEXT
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter, TimeRange, matches_context
from agent_memory.memory.short_term import ShortTermMemory

MAX_ENTRIES = 1_000

# Names of the levels and the ages, in milliseconds, at which they end.
LEVELS: tuple[tuple[str, int | None], ...] = (
    ("immediate", HOUR_MS),
    ("recent", DAY_MS),
    ("historical", ARCHIVE_AFTER_DAYS * DAY_MS),
    ("archive", None),
)

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """One level with the part of the wanted time that falls into it."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a source had, and why there may be more; `is_outage` tells of a store that holds things for good."""

    entries: list[Entry]
    missing: dict[str, str] | None = None
    is_outage: bool = False


class Hierarchy:
    """Reads an agent's memory of contexts over all levels."""

    def __init__(self, log: DecisionLog, short_term: ShortTermMemory, clock: Clock) -> None:
        self._log = log
        self._short_term = short_term
        self._clock = clock

    def contexts(
        self, time_range: TimeRange | None, context_filter: Document | None, *, limit: int, level: str | None
    ) -> dict[str, Any]:
        """Contexts that match, newest first, from every level that the time range meets.

        Raises:
            InvalidInput: names the argument. Unavailable: a store is down, and the others had nothing.
        """
        check_integer("limit", limit, minimum=1, maximum=MAX_ENTRIES)
        now_ms = self._clock.now_ms()
        wanted = DecisionFilter(time_range=time_range, context=context_filter).validated()
        levels = _levels_of(wanted.span(), now_ms, level)
        sources = [partial(self._decisions, one, wanted, limit) for one in levels]
        asks_short_term = any(one.name == "immediate" for one in levels)
        if asks_short_term and self._short_term.is_configured:
            sources.append(partial(self._current, wanted.context or {}, now_ms))
        answers = map_concurrently(lambda ask: ask(), sources)
        missing = [answer.missing for answer in answers if answer.missing]
        entries = [entry for answer in answers for entry in answer.entries]
        _raise_if_unavailable(entries, [answer for answer in answers if answer.missing])
        entries.sort(key=lambda entry: (entry["timestamp"], entry.get("decision_id", "~")), reverse=True)
        return {
            "entries": entries[:limit],
            "complete": not missing,
            "missing": missing,
            "levels": [one.name for one in levels],
            "off": ["short_term"] if asks_short_term and not self._short_term.is_configured else [],
        }

    def _decisions(self, level: Level, wanted: DecisionFilter, limit: int) -> "_Answer":
        end = None if level.span.end_ms == END_OF_TIME_MS else to_iso(level.span.end_ms)
        inside = DecisionFilter(time_range=(to_iso(level.span.start_ms), end), context=wanted.context)
        entries: list[Entry] = []
        try:
            for decision in islice(self._log.stream(inside, first=limit), limit):
                entry = {"level": level.name, "kind": "decision", **decision.as_dict()}
                entries.append(entry)  # one by one: what was read before a failure stands
        except Unavailable as error:
            waits = isinstance(error, InColdStorage)
            return _Answer(entries, {"level": level.name, "why": str(error)}, is_outage=not waits)
        return _Answer(entries)

    def _current(self, wanted: Document, now_ms: int) -> "_Answer":
        """The current market context in short-term memory, as of now."""
        try:
            market = self._short_term.get(STM_CONTEXT)
        except Unavailable as error:
            return _Answer([], {"level": "immediate", "why": str(error)})
        if market is None or not matches_context({"market": market}, wanted):
            return _Answer([])
        entry = {"level": "immediate", "kind": "current", "timestamp": to_iso(now_ms), "context": {"market": market}}
        return _Answer([entry])


def _raise_if_unavailable(entries: list[Entry], without_answer: list["_Answer"]) -> None:
    """Raise `Unavailable` where nothing was found and a store is down that may hold something for good."""
    for answer in without_answer:
        if not entries and answer.is_outage and answer.missing:
            raise Unavailable(f"{answer.missing['level']} memory: {answer.missing['why']}")


def _levels_of(span: Span, now_ms: int, only: str | None) -> list[Level]:
    """The levels that a span meets, newest first, each with its part of it."""
    names = [name for name, _ in LEVELS]
    if only is not None and only not in names:
        raise InvalidInput("level", f"{only!r:.40} is none of {', '.join(names)}")
    levels, newest_ms = [], span.end_ms
    for name, ends_ms in LEVELS:
        oldest_ms = 0 if ends_ms is None else now_ms - ends_ms
        part = Span(max(span.start_ms, oldest_ms), min(span.end_ms, newest_ms))
        newest_ms = oldest_ms
        if part.start_ms < part.end_ms and only in (None, name):
            levels.append(Level(name, part))
    return levels
