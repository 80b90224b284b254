"""A process that logs through a buffer is killed at 200 random moments; each decision is stored exactly once."""

import pytest

from tests.trials.kills import kill_buffered_loggers

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


@pytest.mark.parametrize(("kills", "decisions", "faults"), [(200, 2_000, 0.0), (60, 400, 0.3)])
def test_no_decision_is_lost_or_stored_twice(local_cloud, tmp_path, kills, decisions, faults):
    """Also while three requests in ten are throttled or lose their answer."""
    result = kill_buffered_loggers(local_cloud, tmp_path, kills=kills, decisions=decisions, faults=faults)
    assert result.passed, result
    assert result.tried == decisions
    # A kill between the write and the report leaves a decision that the caller does not know.
    assert result.details["unreported"] <= kills
    assert result.details["refused"] == 0
