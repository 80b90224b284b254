"""The trials at a small size; `make trials` runs them at their full size. Kills have tests of their own."""

import pytest

from tests.redis_servers import BINARY
from tests.trials.cache_outage import lose_the_cache
from tests.trials.faults import send_through_faults
from tests.trials.kills import kill_hunters
from tests.trials.load import load_the_api
from tests.trials.races import race_for_a_limit, race_for_ids, race_for_versions
from tests.trials.results import Result, compare, page

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


def test_what_a_buffer_sends_through_faults_is_stored_or_refused(local_cloud, tmp_path):
    result = send_through_faults(local_cloud, tmp_path, decisions=60)
    assert result.passed, result
    assert result.details["refused"] == 6
    assert result.details["faults"] > 0


def test_a_hunter_that_is_killed_decides_as_if_undisturbed(local_cloud):
    result = kill_hunters(local_cloud, kills=10, cycles=25)
    assert result.passed, result
    assert result.details["kills"] >= 1  # how many end before they are killed depends on the machine


def test_one_of_two_contents_of_an_id_is_stored(local_cloud):
    result = race_for_ids(local_cloud, ids=8)
    assert result.passed, result


def test_one_writer_of_a_version_succeeds(local_cloud):
    result = race_for_versions(local_cloud, versions=5)
    assert result.passed, result


def test_no_more_than_a_rate_limit_is_allowed(local_cloud):
    result = race_for_a_limit(local_cloud, limit=20)
    assert result.passed, result


@pytest.mark.skipif(BINARY is None, reason="no redis-server or valkey-server on this machine")
def test_agents_work_through_an_outage_of_the_cache(local_cloud):
    result = lose_the_cache(local_cloud, outages=1, seconds=0.5)
    assert result.passed, result
    assert result.details["short-term calls without the cache"] > 0


def test_agents_log_at_the_same_time(local_cloud):
    result = load_the_api(local_cloud, agents=4, batches=2)
    assert result.passed, result
    assert result.tried == 800


def test_missing_and_changed_records_are_counted():
    result = Result("name", "description")
    compare(result, {1: "a", 2: "b", 3: "c"}, {1: "a", 2: "x", 4: "d"})
    assert (result.tried, result.survived, result.lost, result.doubled) == (3, 1, 1, 1)
    assert not result.passed
    assert "| name | description | 3 | 1 | 1 | 1 |" in page([result])


def test_a_trial_that_tried_nothing_has_not_passed():
    assert not Result("name", "description").passed
