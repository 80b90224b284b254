"""Times are integers: milliseconds since the Unix epoch, in UTC."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from agent_memory.core.errors import InvalidInput

Instant = datetime | str
"""A point in time as callers write it: an aware `datetime` or ISO 8601 text with an offset."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

CLOCK_TOLERANCE_MS = 5 * 60_000
"""The clocks of agents and of this system may differ by this much. Whatever compares two clocks allows for it."""

END_OF_TIME_MS = 253_402_300_800_000
"""The first millisecond after the year 9999."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The source of the current time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that only moves when it is advanced: for replays and tests."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        """Move forward by `milliseconds`."""
        self._now_ms += milliseconds


def to_iso(ms: int) -> str:
    """Fixed-width ISO 8601 in UTC with milliseconds, so that text order is time order."""
    instant = _EPOCH + timedelta(milliseconds=ms)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def parse_instant(value: Instant, field: str = "timestamp") -> int:
    """Milliseconds since the epoch of a time with an offset; microseconds are cut off.

    Raises:
        InvalidInput: not a time, no offset, or outside the years 1970 to 9999.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise InvalidInput(field, f"{value!r:.60} is not an ISO 8601 time") from error
    if not isinstance(value, datetime):
        raise InvalidInput(field, f"expected a datetime or ISO 8601 text, got {type(value).__name__}")
    if value.tzinfo is None:
        raise InvalidInput(field, "the time has no offset; write it in UTC, as 2026-11-20T10:30:00Z")
    ms = (value - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= ms < END_OF_TIME_MS:
        raise InvalidInput(field, f"{value.isoformat()} is outside the years 1970 to 9999")
    return ms


def parse_date(value: str, field: str = "date") -> date:
    """A date from `YYYY-MM-DD`.

    Raises:
        InvalidInput: not a date of that form.
    """
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(field, f"{value!r:.40} is not a date; write it as 2026-11-20") from error


def date_of(ms: int) -> date:
    """The UTC date of a time."""
    return (_EPOCH + timedelta(milliseconds=ms)).date()


def day_start_ms(day: date) -> int:
    """The first millisecond of a UTC day. A day ends where the next one starts."""
    return (day - _EPOCH.date()).days * DAY_MS


def last_ended_day(now_ms: int) -> date:
    """The last UTC day that has ended, on a clock that may be slow by `CLOCK_TOLERANCE_MS`."""
    return date_of(now_ms + CLOCK_TOLERANCE_MS) - timedelta(days=1)


def check_day_has_ended(day: date, clock: Clock) -> date:
    """The day itself, if it has ended by this clock, which may be slow by `CLOCK_TOLERANCE_MS`.

    Raises:
        InvalidInput: the day has not ended; names it.
    """
    last = last_ended_day(clock.now_ms())
    if day > last:
        raise InvalidInput(
            "date", f"{day} has not ended yet (UTC); the last day that a nightly job can process is {last}"
        )
    return day


@dataclass(frozen=True, slots=True)
class Span:
    """The time from `start_ms` up to, not including, `end_ms`."""

    start_ms: int
    end_ms: int
