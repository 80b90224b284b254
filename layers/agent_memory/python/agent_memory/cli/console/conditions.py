"""Conditions as people type them into the console: days, times, and facts of a context."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.core.errors import InvalidInput

_DAY_CHARACTERS = len("2026-11-20")


def start_of(text: str | None, field: str) -> datetime | None:
    """The beginning of a UTC day, or a time; without an offset it is in UTC."""
    return None if text is None else _time(text, field)


def end_of(text: str | None, field: str) -> datetime | None:
    """The end of a UTC day, or a time."""
    if text is None:
        return None
    return _time(text, field) + (timedelta(days=1) if len(text) == _DAY_CHARACTERS else timedelta())


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
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidInput("context", f"is not JSON: {error}") from error
    return dict(found)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
