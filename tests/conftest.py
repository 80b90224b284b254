"""Fixtures for all tests."""

import os
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from agent_memory.core.clock import FixedClock

# The machines that run tests are busy, so the time of an example says nothing about the code.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")


# As the functions and the command have it, before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in this hook, too
def pytest_collection_modifyitems(items):
    """Run the tests that share a local cloud in one worker; modules that start clouds of their own may use another."""
    for item in items:
        if item.get_closest_marker("local_cloud"):
            shares = not {"local_cloud", "stores"}.isdisjoint(item.fixturenames)
            item.add_marker(pytest.mark.xdist_group("local_cloud" if shares else item.module.__name__))


@pytest.fixture
def clock():
    """A clock that is fixed at 2026-11-20 12:00 UTC."""
    return FixedClock(int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000))


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory):
    """A local cloud with an empty state, into which the product's stacks are deployed."""
    from local import LocalCloud
    from local.layout import Layout

    with LocalCloud(Layout(state=tmp_path_factory.mktemp("cloud") / "state")) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def clear_metrics():
    """Clear the metrics that tests of routes leave, which a function would flush when it ends."""
    yield
    observability = sys.modules.get("agent_memory.api.observability")
    if observability is not None:
        observability.metrics.provider.clear_metrics()
