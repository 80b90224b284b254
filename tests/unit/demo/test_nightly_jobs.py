import asyncio
import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from agent_memory.core.keys import LEARNING_PROGRESS, report_key
from agent_memory.storage.factory import in_memory_stores
from demo.nightly_jobs import NightlyJobs
from tests.unit.demo.replay_fakes import at
from trading_agents.demo.errors import DemoError

DAY = at("2026-11-19").date()


class FakeStepFunctions:
    """Answers RUNNING once, then with the result."""

    def __init__(self, **end):
        self.end, self.started, self.stopped, self.asked = end, [], [], 0

    def start_execution(self, **request):
        self.started.append(request)
        return {"executionArn": "arn:execution"}

    def describe_execution(self, *, executionArn):  # noqa: N803  # boto3's name
        assert executionArn == "arn:execution"
        self.asked += 1
        return {"status": "RUNNING"} if self.asked == 1 or not self.end else self.end

    def stop_execution(self, **request):
        self.stopped.append(request["executionArn"])


FAILED = {"agent_id": "market-hunter", "error": {"step": "archival", "error": "E", "cause": "no\n bucket"}}
OUTPUT = json.dumps({"date": "2026-11-19", "agents": 1})


def stores_with(agent_id="market-hunter", patterns=0):
    stores = in_memory_stores()
    report = json.dumps({"active_patterns": patterns}).encode()
    stores.bucket().blobs.write(report_key(agent_id, DAY), report)
    return stores


def jobs_of(client, agent_id="market-hunter", patterns=0):
    return NightlyJobs(client, "arn:machine", agent_id, stores_with(agent_id, patterns))


def learned(stores, day=DAY):
    """Say that the agent has learned through a day."""
    before = stores.states.get("market-hunter", LEARNING_PROGRESS)
    stores.states.put(
        "market-hunter",
        LEARNING_PROGRESS,
        {"learned_through": day.isoformat()},
        expected_version=before.version if before else 0,
        now_ms=0,
    )


async def run(jobs):
    """Run a job to its end."""
    return await (await jobs.learn(DAY))


async def test_a_job_is_started_for_its_day_and_waited_for():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    one = await run(jobs_of(client, patterns=7))
    assert (one.day, one.active_patterns) == (DAY, 7)
    assert one.seconds >= 0.05
    (request,) = client.started
    assert request["stateMachineArn"] == "arn:machine"
    assert json.loads(request["input"]) == {"date": "2026-11-19", "agents": ["market-hunter"]}
    assert request["name"].startswith("market-hunter-2026-11-19-")


async def test_a_job_can_be_run_again_under_a_new_name():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    jobs = jobs_of(client, "a" * 63)
    await run(jobs)
    await run(jobs)
    names = {request["name"] for request in client.started}
    assert len(names) == 2
    assert max(map(len, names)) <= 80


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (
            {
                "status": "FAILED",
                "error": "AgentsFailed",
                "cause": json.dumps({"failed": 1, "of": 1, "agents": [FAILED]}),
            },
            "FAILED: market-hunter, archival: no bucket",
        ),
        ({"status": "FAILED", "error": "States.Runtime", "cause": "line\nline"}, "FAILED: line line"),
        ({"status": "TIMED_OUT"}, "TIMED_OUT: no cause is known"),
        ({"status": "FAILED", "cause": "x" * 1000}, "FAILED: " + "x" * 299 + "…"),
        ({"status": "FAILED", "cause": '{"errorMessage": "boom"}'}, 'FAILED: {"errorMessage": "boom"}'),
    ],
)
async def test_the_cause_of_a_failed_job_is_one_line(end, message):
    with pytest.raises(DemoError) as caught:
        await run(jobs_of(FakeStepFunctions(**end)))
    assert str(caught.value) == f"the nightly job of 2026-11-19 ended as {message}"


class EndedStepFunctions(FakeStepFunctions):
    """Its execution ends before it can be stopped."""

    def stop_execution(self, **request):
        super().stop_execution(**request)
        raise ClientError({"Error": {"Code": "ValidationException"}}, "StopExecution")


@pytest.mark.parametrize("client", [FakeStepFunctions(), EndedStepFunctions()], ids=["running", "ended"])
async def test_a_cancelled_job_is_stopped_unless_it_has_ended(client):
    job = asyncio.create_task(jobs_of(client).learn(DAY))
    await asyncio.sleep(0.2)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert client.stopped == ["arn:execution"]


async def test_the_next_day_can_begin_once_the_agent_has_learned():
    client, stores = FakeStepFunctions(), stores_with()
    jobs = NightlyJobs(client, "arn:machine", "market-hunter", stores)
    learned(stores, DAY - timedelta(days=1))
    learning = asyncio.create_task(jobs.learn(DAY))
    await asyncio.sleep(0.2)
    assert not learning.done()
    learned(stores)
    rest = await learning
    await asyncio.sleep(0.2)
    assert not rest.done()
    client.end = {"status": "SUCCEEDED", "output": OUTPUT}
    assert (await rest).day == DAY


async def test_a_job_that_fails_after_it_has_learned_is_an_error():
    client, stores = FakeStepFunctions(status="TIMED_OUT"), stores_with()
    learned(stores)
    rest = await NightlyJobs(client, "arn:machine", "market-hunter", stores).learn(DAY)
    with pytest.raises(DemoError, match="ended as TIMED_OUT"):
        await rest


async def test_what_remains_of_a_job_can_be_cancelled():
    client, stores = FakeStepFunctions(), stores_with()
    learned(stores)
    rest = await NightlyJobs(client, "arn:machine", "market-hunter", stores).learn(DAY)
    await asyncio.sleep(0.1)
    rest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rest
    assert client.stopped == ["arn:execution"]


async def test_the_next_job_is_not_polled_before_it_can_be_over():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    jobs = jobs_of(client)
    first = await run(jobs)
    asked = client.asked
    second = await run(jobs)
    assert client.asked == asked + 2
    assert second.seconds > 0.6 * first.seconds


async def test_a_job_without_a_report_is_an_error():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    with pytest.raises(DemoError, match="wrote no report"):
        await run(NightlyJobs(client, "arn:machine", "market-hunter", in_memory_stores()))
