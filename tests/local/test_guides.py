"""The commands and programs of the guides, run against the deployed local cloud in the order of the page."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemoryClient
from tests.local.doc_commands import blocks_of, run

DOCS = Path(__file__).parents[2] / "docs"
LEAVING = "leaving-agent"

pytestmark = [pytest.mark.slow, pytest.mark.local_cloud]


@pytest.fixture
def environment(local_cloud):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": "/nowhere", "LANG": "C.UTF-8", **local_cloud.environment()}


AWS = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'


def test_from_the_stacks_to_the_first_decision_and_the_nightly_job(environment, tmp_path):
    blocks = [block for block in blocks_of(DOCS / "deployment.md") if block.runs_locally]
    assert any("log_decision" in block.commands for block in blocks)
    run(blocks, preamble=AWS, environment=environment, folder=tmp_path)


async def log_some(cloud):
    async with AgentMemoryClient(cloud.api_url, LEAVING, session=cloud.boto_session()) as client:
        for hours in range(5):
            at = datetime.now(UTC) - timedelta(hours=hours)
            await client.log_decision("QUERY", {"market": {"trend": "up"}}, {"n": hours}, timestamp=at)
        await client.store_ltm("PATTERN", "kept", {"text": "until it is forgotten"})


def test_an_agent_is_exported_and_forgotten(local_cloud, environment, tmp_path):
    asyncio.run(log_some(local_cloud))
    blocks = [block for block in blocks_of(DOCS / "data-retention.md") if block.runs_locally]
    preamble = f"{AWS}\nexport AGENT={LEAVING} PREFIX=agent-memory"
    run(blocks, preamble=preamble, environment=environment, folder=tmp_path)
    assert (tmp_path / f"{LEAVING}.zip").stat().st_size > 500
