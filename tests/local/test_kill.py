"""A process that logs through a buffer is killed at 200 random moments; each decision is stored exactly once."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from agent_memory.storage.dynamodb.items import decision_from
from agent_memory.storage.schema import DECISIONS
from tests.aws_tables import create_tables

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


def stored(dynamodb, prefix):
    pages = dynamodb.get_paginator("scan").paginate(TableName=DECISIONS.full_name(prefix), ConsistentRead=True)
    return [decision_from(item) for page in pages for item in page["Items"]]


@pytest.mark.parametrize(("kills", "total", "faults"), [(200, 2_000, 0.0), (60, 400, 0.3)])
def test_no_decision_is_lost_or_stored_twice(local_cloud, tmp_path, kills, total, faults):
    """Also while three requests in ten are throttled or lose their answer."""
    dynamodb = local_cloud.boto_session().client("dynamodb")
    prefix = f"kill-{secrets.token_hex(4)}"
    create_tables(dynamodb, prefix)
    reported = tmp_path / "reported"
    script = [sys.executable, "-m", "tests.local.killed_loggers"]
    command = [*script, tmp_path / "buffer", reported, prefix, kills, total, faults]
    subprocess.run(
        list(map(str, command)),
        cwd=Path(__file__).parents[2],
        env=os.environ | local_cloud.environment(),
        check=True,
        timeout=150,
    )
    nonces = dict(line.split() for line in reported.read_text().splitlines())
    decisions = stored(dynamodb, prefix)
    found = {decision.decision_id: decision.context["nonce"] for decision in decisions}
    assert len(nonces) == total
    assert {decision_id: found.get(decision_id) for decision_id in nonces} == nonces
    assert len(set(found.values())) == len(decisions) == len(found)
    # A kill between the write and the report leaves a decision that the caller does not know.
    assert len(decisions) - total <= kills
    assert not (tmp_path / "buffer" / "rejected.jsonl").exists()
