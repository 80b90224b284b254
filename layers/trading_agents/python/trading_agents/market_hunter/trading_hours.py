"""The trading hours of a time: on which continent the main exchanges are open."""

from datetime import UTC, datetime

# The first hour (UTC) of each; before the first of them the hours are those of the last.
_BEGINS = ((7, "european"), (13, "american"), (21, "asian"))


def trading_hours(at: datetime) -> str:
    """Return `european` (7-13 h UTC), `american` (13-21 h) or `asian` (21-7 h), at weekends as well."""
    hour = at.astimezone(UTC).hour
    return next((name for begin, name in reversed(_BEGINS) if hour >= begin), "asian")
