import asyncio
import json

import pytest

from agent_memory.core.keys import report_key
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from demo.errors import DemoError
from demo.nights import Nights
from tests.unit.demo.replay_fakes import at

DAY = at("2026-11-19").date()


class FakeStepFunctions:
    """Answers RUNNING once, then as told."""

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


def nights_of(client, agent_id="market-hunter", patterns=0):
    blobs = InMemoryBlobs()
    blobs.write(report_key(agent_id, DAY), json.dumps({"active_patterns": patterns}).encode())
    return Nights(client, "arn:machine", agent_id, blobs)


async def test_a_night_is_started_for_its_day_and_waited_for():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    night = await nights_of(client, patterns=7).run(DAY)
    assert (night.day, night.active_patterns, client.asked) == (DAY, 7, 2)
    assert 0.1 <= night.seconds < 2
    (request,) = client.started
    assert request["stateMachineArn"] == "arn:machine"
    assert json.loads(request["input"]) == {"date": "2026-11-19", "agents": ["market-hunter"]}
    assert request["name"].startswith("market-hunter-2026-11-19-")


async def test_a_night_may_be_run_again_under_a_new_name():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    nights = nights_of(client, "a" * 63)
    await nights.run(DAY)
    await nights.run(DAY)
    names = {request["name"] for request in client.started}
    assert len(names) == 2
    assert max(map(len, names)) <= 80


@pytest.mark.parametrize(
    ("end", "told"),
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
        ({"status": "TIMED_OUT"}, "TIMED_OUT: no cause was given"),
        ({"status": "FAILED", "cause": "x" * 1000}, "FAILED: " + "x" * 299 + "…"),
        ({"status": "FAILED", "cause": '{"errorMessage": "boom"}'}, 'FAILED: {"errorMessage": "boom"}'),
    ],
)
async def test_a_failed_night_tells_its_cause_in_one_line(end, told):
    with pytest.raises(DemoError) as caught:
        await nights_of(FakeStepFunctions(**end)).run(DAY)
    assert str(caught.value) == f"the night of 2026-11-19 ended as {told}"


async def test_a_night_that_is_cancelled_is_stopped():
    client = FakeStepFunctions()
    night = asyncio.create_task(nights_of(client).run(DAY))
    await asyncio.sleep(0.2)
    night.cancel()
    with pytest.raises(asyncio.CancelledError):
        await night
    assert client.stopped == ["arn:execution"]


async def test_the_next_night_is_not_asked_after_before_it_can_be_over():
    client = FakeStepFunctions(status="SUCCEEDED", output=OUTPUT)
    nights = nights_of(client)
    first = await nights.run(DAY)
    second = await nights.run(DAY)
    assert client.asked == 3
    assert second.seconds > 0.6 * first.seconds


async def test_a_night_without_a_report_is_told():
    nights = Nights(
        FakeStepFunctions(status="SUCCEEDED", output=OUTPUT), "arn:machine", "market-hunter", InMemoryBlobs()
    )
    with pytest.raises(DemoError, match="wrote no report"):
        await nights.run(DAY)
