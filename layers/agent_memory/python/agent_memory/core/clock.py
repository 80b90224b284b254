"""Times are integers: milliseconds since the Unix epoch, in UTC."""

import math
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.json_values import plain_json

Instant = datetime | str | float
"""A point in time as callers write it: an aware `datetime`, ISO 8601 text with an offset, or seconds since 1970."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_MINUTE_MS = 60_000

CLOCK_TOLERANCE_MS = 5 * 60_000
"""The clocks of agents and of this system may differ by this much. Whatever compares two clocks allows for it."""

END_OF_TIME_MS = 253_402_300_800_000
"""The first millisecond after the year 9999."""

MAX_SECONDS = 1e11
"""From here on a number is not in seconds: it would be after the year 5138, but as milliseconds in 1973."""

_SMALLER_UNITS = ((1e17, "nanoseconds", "1e9"), (1e14, "microseconds", "1e6"), (MAX_SECONDS, "milliseconds", "1000"))

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


_SECONDS = tuple(f"{number:02d}" for number in range(60))
_MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1000))


@lru_cache(maxsize=4096)
def _minute_text(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).isoformat()[:17]


def to_iso(ms: int) -> str:
    """Fixed-width ISO 8601 in UTC with milliseconds, so that text order is time order."""
    seconds, milliseconds = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    # Texts are put together from parts: formatting numbers would take most of the time of a query.
    return _minute_text(minutes) + _SECONDS[seconds] + _MILLISECONDS[milliseconds]


def parse_instant(value: Instant, field: str = "timestamp") -> int:
    """Milliseconds since the epoch of an aware datetime, ISO 8601 text with an offset, or a number of seconds.

    Microseconds are cut off.

    Raises:
        InvalidInput: not a time, no offset, outside the years 1970 to 9999, or a number that is not in seconds.
    """
    if not isinstance(value, datetime | str):
        value = _from_seconds(value, field)
    elif isinstance(value, str):
        try:
            value = datetime.fromisoformat(str.__str__(value))
        except ValueError as error:
            raise InvalidInput(field, f"{shown(value, 60)} is not an ISO 8601 time") from error
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidInput(field, "the time has no offset; write it in UTC, as 2026-11-20T10:30:00Z")
    ms = int((value - _EPOCH) // timedelta(milliseconds=1))
    if not 0 <= ms < END_OF_TIME_MS:
        raise InvalidInput(field, f"{value.isoformat()} is outside the years 1970 to 9999")
    return ms


def _from_seconds(value: object, field: str) -> datetime:
    """The time that is a number of seconds, as `time.time()` returns, after the epoch."""
    seconds = _number(value)
    if seconds is None:
        expected = "a datetime, ISO 8601 text or a number of seconds since 1970"
        raise InvalidInput(field, f"expected {expected}, got {shown(value)} ({type(value).__name__})")
    for least, unit, factor in _SMALLER_UNITS:
        if seconds >= least:
            message = f"{shown(seconds)} looks like {unit} since 1970; pass seconds: divide it by {factor}"
            raise InvalidInput(field, message)
    if seconds < 0:
        raise InvalidInput(field, f"{shown(seconds)} is before 1970; pass seconds since then")
    return _EPOCH + timedelta(seconds=seconds)


def _number(value: object) -> float | None:
    """A finite number, such as one of numpy; None for anything else. However small, a number is a time."""
    if not isinstance(value, int | float):
        try:
            value = plain_json(value)
        except InvalidInput:
            return None
    is_finite = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_finite and not isinstance(value, bool) else None  # type: ignore[return-value]  # a number


def parse_date(value: str, field: str = "date") -> date:
    """A date from `YYYY-MM-DD`.

    Raises:
        InvalidInput: not a date of that form.
    """
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(field, f"{shown(value)} is not a date; write it as 2026-11-20") from error


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

    def as_range(self) -> tuple[str, str | None]:
        """The span as a time range of ISO 8601 texts; None as the end of all time."""
        return to_iso(self.start_ms), None if self.end_ms == END_OF_TIME_MS else to_iso(self.end_ms)
