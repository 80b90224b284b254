"""Every command of the runbooks, run against the deployed local cloud, where possible with the failure present."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemoryClient
from agent_memory.core.ids import decision_id_for
from agent_memory.memory.long_term import LongTermMemory
from local.stores import stores_of
from tests.local.doc_commands import blocks_of, run
from tests.local.nightly_job import run_nightly_job
from tests.outcomes import known_at_once

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = sorted(page.stem for page in RUNBOOKS.glob("*.md") if page.stem != "README")
SHARED_BLOCKS = 2  # the first blocks of README.md, which every page builds on
AGENT = "market-hunter"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
EVIDENCE = f"evidence/agent_id={AGENT}/evidence.parquet"

pytestmark = [pytest.mark.slow, pytest.mark.local_cloud]


def run_of_yesterday(cloud):
    """The status of a run of the nightly job for yesterday."""
    return run_nightly_job(cloud, {"date": (TODAY - timedelta(days=1)).date().isoformat()})["status"]


async def log_history(cloud):
    """Decisions of yesterday and of a day that is due for the archive, and agents whose outcomes have stopped."""
    async with AgentMemoryClient(cloud.api_url, AGENT, session=cloud.boto_session()) as client:
        for days in (31, 1):
            at = TODAY - timedelta(days=days) + timedelta(hours=9)
            ids = [decision_id_for("QUERY", at + timedelta(minutes=k), f"runbooks {k}") for k in range(5)]
            context = {"market": {"trend": "bullish"}}
            await client.log_decisions(
                [{"decision_id": i, "decision_type": "QUERY", "context": context, "reasoning": {}} for i in ids]
            )
            await client.log_outcomes(known_at_once({"decision_id": i, "outcome": {}, "success": True} for i in ids))
    await log_signals(cloud, AGENT, days=9, days_without_outcomes=1)
    await log_signals(cloud, "quiet-hunter", days=16, days_without_outcomes=8)


async def log_signals(cloud, agent, *, days, days_without_outcomes):
    """Signals of the last days, whose outcomes stopped some days ago."""
    async with AgentMemoryClient(cloud.api_url, agent, session=cloud.boto_session()) as client:
        for ago in range(days, 0, -1):
            at = TODAY - timedelta(days=ago) + timedelta(hours=8)
            ids = [decision_id_for("SIGNAL_GENERATION", at + timedelta(minutes=k), f"signals {k}") for k in range(12)]
            await client.log_decisions(
                [{"decision_id": i, "decision_type": "SIGNAL_GENERATION", "context": {}, "reasoning": {}} for i in ids]
            )
            if ago > days_without_outcomes:
                await client.log_outcomes(
                    known_at_once({"decision_id": i, "outcome": {}, "success": True} for i in ids)
                )


@pytest.fixture(scope="module")
def deployed(local_cloud):
    """The local cloud with an agent that has a history, after a run of the nightly job."""
    asyncio.run(log_history(local_cloud))
    assert run_of_yesterday(local_cloud) == "SUCCEEDED"
    return local_cloud


def corrupt_the_evidence(cloud):
    bucket = cloud.outputs["ArchiveBucketName"]
    cloud.boto_session().client("s3").put_object(Bucket=bucket, Key=EVIDENCE, Body=b"not a Parquet file")
    assert run_of_yesterday(cloud) == "FAILED"


def disable_the_schedule(cloud):
    scheduler = cloud.boto_session().client("scheduler")
    schedule = scheduler.get_schedule(Name="agent-memory-nightly")
    kept = ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: schedule[name] for name in kept}, State="DISABLED")
    assert scheduler.get_schedule(Name="agent-memory-nightly")["State"] == "DISABLED"


def fail_to_start(cloud):
    queues = cloud.boto_session().client("sqs")
    queue = queues.get_queue_url(QueueName="agent-memory-nightly-missed-starts")["QueueUrl"]
    queues.send_message(
        QueueUrl=queue,
        MessageBody=json.dumps({"scheduled_time": f"{TODAY:%Y-%m-%d}T00:10:00Z"}),
        MessageAttributes={"ERROR_CODE": {"DataType": "String", "StringValue": "AccessDeniedException"}},
    )


def throttle(cloud):
    cloud.boto_session().client("cloudwatch").set_alarm_state(
        AlarmName="agent-memory-decisions-writes-throttled-warning", StateValue="ALARM", StateReason="a test"
    )


async def poison(cloud):
    """A memory that an intruder changed past the API, and decisions that an agent based on it."""
    async with AgentMemoryClient(cloud.api_url, AGENT, session=cloud.boto_session()) as client:
        await client.store_ltm("PATTERN", "whales", {"text": "follow whales in bullish markets", "confidence": 0.7})
        stores = stores_of(cloud)
        intruder = LongTermMemory(AGENT, stores.memories, stores.clock, writer="intruder")
        intruder.put("PATTERN", "whales", {"text": "always buy what whales sell", "confidence": 1.0})
        at = TODAY - timedelta(hours=10)
        ids = [decision_id_for("QUERY", at + timedelta(minutes=k), f"poisoned {k}") for k in range(3)]
        await client.log_decisions(
            [
                {"decision_id": i, "decision_type": "QUERY", "context": {}, "reasoning": {}, "memory_ids": ["whales"]}
                for i in ids
            ]
        )
        await client.log_outcomes(known_at_once({"decision_id": i, "outcome": {}, "success": True} for i in ids))
    assert run_of_yesterday(cloud) == "SUCCEEDED"


async def crowd(cloud):
    """Agents that act on one memory of a pool within an hour, all in the same way."""
    at = TODAY - timedelta(hours=9)
    for n in range(6):
        agent = f"crowd-{n}"
        async with AgentMemoryClient(cloud.api_url, agent, session=cloud.boto_session()) as client:
            await client.log_decision(
                "SIGNAL_GENERATION",
                {},
                {"direction": "long"},
                decision_id=decision_id_for("SIGNAL_GENERATION", at + timedelta(minutes=n), agent),
                memory_ids=["breakouts"],
            )
    assert run_of_yesterday(cloud) == "SUCCEEDED"


# What breaks the deployment before the commands of a page are run.
FAULTS = {
    "memory-crowded": lambda cloud: asyncio.run(crowd(cloud)),
    "nightly-job-failed": corrupt_the_evidence,
    "nightly-job-missed": disable_the_schedule,
    "nightly-job-start-failed": fail_to_start,
    "poisoned-memory": lambda cloud: asyncio.run(poison(cloud)),
    "tables-throttled": throttle,
}


@pytest.fixture
def shell(deployed):
    """Environment and preamble of a shell in which the pages' commands run."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": "/nowhere", "LANG": "C.UTF-8", **deployed.environment()}
    local_first = ['aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }']
    shared = [one.commands for one in blocks_of(RUNBOOKS / "README.md")[:SHARED_BLOCKS]]
    return {"environment": environment, "preamble": "\n".join(local_first + shared)}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_runbook_run_and_print_what_the_page_shows(page, deployed, shell, tmp_path):
    if page in FAULTS:
        FAULTS[page](deployed)
    blocks = [block for block in blocks_of(RUNBOOKS / f"{page}.md") if block.runs_locally]
    assert blocks
    run(blocks, folder=tmp_path, **shell)


def test_active_alarms_can_be_listed(shell, tmp_path):
    block = blocks_of(RUNBOOKS / "README.md")[-1]
    assert "--state-value ALARM" in block.commands
    run([block], folder=tmp_path, **shell)


def test_few_commands_need_a_real_account():
    blocks = [block for page in PAGES for block in blocks_of(RUNBOOKS / f"{page}.md")]
    in_aws_only = [block.commands for block in blocks if not block.runs_locally]
    others = [commands for commands in in_aws_only if not commands.startswith("make cdk")]
    assert len(others) <= 9
    assert len(blocks) - len(in_aws_only) > 3 * len(others)
