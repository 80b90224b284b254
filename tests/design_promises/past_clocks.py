"""Clocks of the past, for promises about what happens after days."""

from datetime import UTC, datetime, timedelta

from agent_memory.core.clock import FixedClock


def days_ago(days):
    """The clock of so many days ago."""
    return FixedClock(int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000))
