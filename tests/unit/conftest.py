"""What tests without a deployment may use."""

import pytest

from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.client import requests
from agent_memory.core.clock import FixedClock, SystemClock
from agent_memory.storage.factory import in_memory_stores


@pytest.fixture
def stores(clock):
    """Empty stores in memory at the time of `clock`."""
    return in_memory_stores(clock)


@pytest.fixture
def served(monkeypatch):
    """The stores in memory that the HTTP routes work on; nothing in them expires meanwhile."""
    stores = in_memory_stores(FixedClock(SystemClock().now_ms()))
    deployment = Deployment(stores)
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    return stores


@pytest.fixture
def no_waits(monkeypatch):
    """Repeat requests at once."""
    monkeypatch.setattr(requests, "_FIRST_BACKOFF_SECONDS", 0)
