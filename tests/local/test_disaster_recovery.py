"""The commands of the page on disaster recovery, run against the deployed local cloud after real losses."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemoryClient
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import archive_prefix
from local.stores import stores_of
from tests.local.doc_commands import blocks_of, run
from tests.local.nightly_job import run_nightly_job
from tests.outcomes import known_at_once

DOCS = Path(__file__).parents[2] / "docs"
AGENT = "lost-and-found"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

pytestmark = [pytest.mark.slow, pytest.mark.local_cloud]


async def log_history(cloud):
    async with AgentMemoryClient(cloud.api_url, AGENT, session=cloud.boto_session()) as client:
        for days in (35, 32, 1):
            at = TODAY - timedelta(days=days) + timedelta(hours=9)
            ids = [decision_id_for("QUERY", at + timedelta(minutes=k), f"recovery {k}") for k in range(5)]
            await client.log_decisions(
                [{"decision_id": i, "decision_type": "QUERY", "context": {"n": 1.0}, "reasoning": {}} for i in ids]
            )
            await client.log_outcomes(known_at_once({"decision_id": i, "outcome": {}, "success": True} for i in ids))
        await client.store_ltm("TEAMS_OWN", "kept", {"confidence": 0.5})
        await client.save_state({"cycle": 7})


async def read_all(cloud):
    async with AgentMemoryClient(cloud.api_url, AGENT, session=cloud.boto_session()) as client:
        return (
            await client.query_decisions("QUERY", (TODAY - timedelta(days=40), TODAY)),
            await client.get_ltm_history("TEAMS_OWN", "kept"),
            await client.load_state(),
        )


def lose_the_items(cloud):
    stores = stores_of(cloud)
    for store in (stores.decisions, stores.memories, stores.states):
        assert store.erase(AGENT, dry_run=False)


def lose_decisions(cloud):
    assert stores_of(cloud).decisions.erase(AGENT, dry_run=False)


def lose_the_archive(cloud):
    s3, bucket = cloud.boto_session().client("s3"), cloud.outputs["ArchiveBucketName"]
    for key in stores_of(cloud).blobs.list_keys(archive_prefix(AGENT)):
        s3.delete_object(Bucket=bucket, Key=key)


LOSSES = {
    "agent-memory import --agent": lose_the_items,
    "agent-memory restore --agent": lose_decisions,
    "aws s3api list-object-versions": lose_the_archive,
}
"""What is lost before the first block with these commands."""


def test_every_loss_is_recovered_by_the_commands_of_the_page(local_cloud, tmp_path):
    asyncio.run(log_history(local_cloud))
    yesterday = (TODAY - timedelta(days=1)).date().isoformat()
    assert run_nightly_job(local_cloud, {"date": yesterday})["status"] == "SUCCEEDED"
    before = asyncio.run(read_all(local_cloud))
    assert len(before[0]) == 15
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": "/nowhere", "LANG": "C.UTF-8", **local_cloud.environment()}
    shared = [one.commands for one in blocks_of(DOCS / "runbooks" / "README.md")[:2]]
    local_aws = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
    preamble = "\n".join([local_aws, *shared, f"export AGENT={AGENT} RESTORED=restored TABLE=agent_memory_ltm"])
    losses, pending = dict(LOSSES), []

    def run_pending():
        if pending:
            run(pending, preamble=preamble, environment=environment, folder=tmp_path)
            pending.clear()

    for block in blocks_of(DOCS / "disaster-recovery.md"):
        if not block.runs_locally:
            continue
        for first in [one for one in losses if one in block.commands and "export" not in block.commands]:
            run_pending()
            losses.pop(first)(local_cloud)
        pending.append(block)
    run_pending()
    assert losses == {}
    after = asyncio.run(read_all(local_cloud))
    lost = [one for one in before[0] if one not in after[0]]
    # Those of yesterday are in no archive; they were lost with the table on purpose, after the first recovery.
    assert {one["timestamp"][:10] for one in lost} == {yesterday}
    assert after[1:] == before[1:]
