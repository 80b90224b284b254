"""What every test may use."""

import sys
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from agent_memory.core.clock import FixedClock

# Machines that run tests are busy: how long an example takes says nothing about the code.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")


def pytest_collection_modifyitems(items):
    """All tests of the deployed cloud run in one worker, so that one cloud serves them all."""
    for item in items:
        if item.get_closest_marker("local_cloud"):
            item.add_marker(pytest.mark.xdist_group("local_cloud"))


@pytest.fixture
def clock():
    """A clock that stands at 2026-11-20 12:00 UTC."""
    return FixedClock(int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000))


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory):
    """The product's own stacks, deployed for real into a local cloud with an empty state."""
    from local import LocalCloud
    from local.layout import Layout

    with LocalCloud(Layout(state=tmp_path_factory.mktemp("cloud") / "state")) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def no_metrics_left_behind():
    """Metrics gather in the process until a function's end flushes them; tests of routes never come to that end."""
    yield
    observability = sys.modules.get("agent_memory.api.observability")
    if observability is not None:
        observability.metrics.provider.clear_metrics()
