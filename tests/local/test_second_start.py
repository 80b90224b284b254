"""EventBridge Scheduler delivers a start at least once: a second delivery is worked for once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.core.keys import nightly_agents_key
from tests.local.nightly_job import run_nightly_job

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

# A day that no other test starts: the cloud is shared.
DAY = (datetime.now(UTC) - timedelta(days=6)).date()


def runs_that_listed(cloud, executions):
    bucket = cloud.outputs["ArchiveBucketName"]
    client = cloud.boto_session().client("s3")
    listed = client.list_objects_v2(Bucket=bucket, Prefix="nights/")["Contents"]
    keys = {one["Key"] for one in listed}
    return [one["name"] for one in executions if nightly_agents_key(DAY, one["name"]) in keys]


def test_two_starts_at_once_both_succeed_and_one_works(local_cloud):
    start = {"scheduled_time": f"{DAY + timedelta(days=1):%Y-%m-%d}T00:10:00Z"}
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: run_nightly_job(local_cloud, start), range(2)))
    assert [one["status"] for one in both] == ["SUCCEEDED"] * 2
    (worked,) = runs_that_listed(local_cloud, both)
    later = run_nightly_job(local_cloud, start)
    assert later["status"] == "SUCCEEDED"
    assert runs_that_listed(local_cloud, [*both, later]) == [worked], "a delivery that comes late changes nothing"
    assert json.loads(later["output"])["agents"] == 0
    by_hand = [run_nightly_job(local_cloud, {"date": DAY.isoformat()}) for _ in range(2)]
    assert [one["status"] for one in by_hand] == ["SUCCEEDED"] * 2
    assert runs_that_listed(local_cloud, by_hand) == [one["name"] for one in by_hand]


def test_the_input_of_a_start_whose_run_has_failed_can_be_started_again(local_cloud):
    """A run that Step Functions does not know is one that has failed, and so long ago that it is forgotten."""
    today = (DAY + timedelta(days=1)).isoformat()
    key = f"nights/date={today}/start=00%3A11%3A00.000Z.json"
    local_cloud.boto_session().client("s3").put_object(
        Bucket=local_cloud.outputs["ArchiveBucketName"], Key=key, Body=b'{"run": "forgotten"}'
    )
    again = run_nightly_job(local_cloud, {"scheduled_time": f"{today}T00:11:00Z"})
    assert runs_that_listed(local_cloud, [again]) == [again["name"]]
