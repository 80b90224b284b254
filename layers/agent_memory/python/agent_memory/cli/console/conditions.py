"""Conditions as people type them into the console: days, times, and facts of a context."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent_memory.core.clock import parse_instant
from agent_memory.core.errors import InvalidInput, shown


def start_of(text: str | None, field: str) -> datetime | None:
    """The beginning of a UTC day, or a time; without an offset it is in UTC."""
    return None if text is None else _time(text, field)


def end_of(text: str | None, field: str) -> datetime | None:
    """The end of a UTC day, or a time."""
    if text is None:
        return None
    found = _time(text, field)
    try:
        next_day = found + timedelta(days=1)
    except OverflowError as error:
        raise InvalidInput(field, f"{shown(text, 60)} is at the end of all time") from error
    return next_day if _is_day(text) else found


def context_conditions(text: str | None) -> dict[str, Any] | None:
    """Facts such as `trend=bullish, volatility=high` as a filter of contexts; values are JSON, or else text.

    Text that has no `=` yet is still being typed, and no condition.
    """
    if text is None:
        return None
    if text.startswith("{"):
        return _object(text)
    parts = [one.partition("=") for one in text.replace("|", ",").split(",")]
    found = {name.strip(): _value(value.strip()) for name, equals, value in parts if equals and value.strip()}
    return found or None


def _time(text: str, field: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(field, "expected a day or a time, as 2026-11-20 or 2026-11-20T12:30") from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if not _is_day(text):
        parse_instant(found, field)  # refuses what is outside the years of all times
    return found


def _is_day(text: str) -> bool:
    """Whether text is a day without a time, in any way in which ISO 8601 writes it."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("context", f"is not JSON: {error}") from error
    return dict(found)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
