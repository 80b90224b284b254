"""One answer across all ages: what an agent met within the hour, the day, the month, and before.

    age      < 1 h          1-24 h        1-30 days      over 30 days
    level    immediate      recent        historical     archive
    where    Redis, table   table         table          S3, table

The levels are asked side by side. One that fails is named, and the others' answers stand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from agent_memory.clock import DAY_MS, END_OF_TIME_MS, HOUR_MS, Clock, to_iso
from agent_memory.cycle_memory import CONTEXT
from agent_memory.decision_log import DecisionLog
from agent_memory.decision_queries import DecisionFilter, TimeRange, holds
from agent_memory.errors import AgentMemoryError, InvalidInput, Unavailable
from agent_memory.models import Document
from agent_memory.retention import ARCHIVE_AFTER_DAYS
from agent_memory.short_term import ShortTermMemory
from agent_memory.stores.base import Span
from agent_memory.stores.concurrently import map_concurrently

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
            InvalidInput: names the argument. Unavailable: no level answered.
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_ENTRIES:
            raise InvalidInput("limit", f"{limit!r:.40} is not a whole number from 1 to {MAX_ENTRIES:,}")
        now_ms = self._clock.now_ms()
        wanted = DecisionFilter(time_range=time_range, context=context_filter).checked()
        levels = _levels_of(wanted.span(), now_ms, level)
        sources: list[tuple[Level, Callable[[], list[Entry]]]] = [
            (one, partial(self._decisions, one, wanted, limit)) for one in levels
        ]
        if self._short_term.is_configured and any(one.name == "immediate" for one in levels):
            sources.append((levels[0], lambda: self._current(wanted.context or {}, now_ms)))
        answers = map_concurrently(lambda source: _asked(source[1]), sources)
        missing = [
            {"level": source.name, "why": str(answer)}
            for (source, _), answer in zip(sources, answers, strict=True)
            if isinstance(answer, AgentMemoryError)
        ]
        if missing and len(missing) == len(sources):
            raise Unavailable(f"no level answered: {missing[0]['why']}")
        entries = [entry for answer in answers if isinstance(answer, list) for entry in answer]
        entries.sort(key=lambda entry: (entry["timestamp"], entry.get("decision_id", "~")), reverse=True)
        return {
            "entries": entries[:limit],
            "complete": not missing,
            "missing": missing,
            "levels": [one.name for one in levels],
        }

    def _decisions(self, level: Level, wanted: DecisionFilter, limit: int) -> list[Entry]:
        end = None if level.span.end_ms == END_OF_TIME_MS else to_iso(level.span.end_ms)
        inside = DecisionFilter(time_range=(to_iso(level.span.start_ms), end), context=wanted.context)
        found = islice(self._log.stream(inside, first=limit), limit)
        return [{"level": level.name, "kind": "decision", **decision.as_dict()} for decision in found]

    def _current(self, wanted: Document, now_ms: int) -> list[Entry]:
        """The current market context in short-term memory, as of now."""
        market = self._short_term.get(CONTEXT)
        if market is None or not holds({"market": market}, wanted):
            return []
        return [{"level": "immediate", "kind": "current", "timestamp": to_iso(now_ms), "context": {"market": market}}]


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


def _asked(ask: Callable[[], list[Entry]]) -> list[Entry] | AgentMemoryError:
    try:
        return ask()
    except Unavailable as error:
        return error
