"""What every test may use."""

from datetime import UTC, datetime

import pytest

from agent_memory.clock import FixedClock


@pytest.fixture
def clock():
    """A clock that stands at 2026-11-20 12:00 UTC."""
    return FixedClock(int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000))
