"""Nightly jobs are killed at 200 random moments; the final data is the same as after undisturbed runs."""

import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory.core.clock import DAY_MS, Span, day_start_ms
from agent_memory.storage.parquet.evidence import ParquetEvidence
from agent_memory.storage.s3.blobs import S3Blobs
from agent_memory.storage.schema import TABLES
from tests.aws_tables import create_tables
from tests.local.killed_nightly_jobs import AGENTS, POISONED

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

RUNS, KILLS = 4, 200


class World:
    """Tables and a bucket with the decisions of twenty agents, after nightly jobs that were killed `kills` times."""

    def __init__(self, cloud, kills):
        session = cloud.boto_session()
        self.dynamodb, self.s3 = session.client("dynamodb"), session.client("s3")
        self.prefix = f"nightly-{secrets.token_hex(4)}"
        self.bucket = f"{self.prefix}-archive"
        create_tables(self.dynamodb, self.prefix)
        self.s3.create_bucket(Bucket=self.bucket)
        # Late enough that nothing expires before the test is over, early enough that days are due for the archive.
        self.first_day = (datetime.now(UTC) - timedelta(days=20)).date()
        script = [sys.executable, "-m", "tests.local.killed_nightly_jobs"]
        ended = subprocess.run(
            [*script, self.prefix, self.bucket, self.first_day.isoformat(), str(RUNS), str(kills)],
            cwd=Path(__file__).parents[2],
            env=os.environ | cloud.environment(),
            check=True,
            timeout=400,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.killed = int(ended.stdout)

    def items(self):
        found = {}
        for table in TABLES:
            for page in self.dynamodb.get_paginator("scan").paginate(TableName=table.full_name(self.prefix)):
                found |= {(table.name, one["pk"]["S"], one["sk"]["S"]): one for one in page["Items"]}
        return found

    def objects(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def evidence(self, agent_id):
        span = Span(0, day_start_ms(self.first_day) + (RUNS + 1) * DAY_MS)
        return list(ParquetEvidence(S3Blobs(self.s3, self.bucket)).read(agent_id, span))


def test_killed_runs_end_like_undisturbed_ones(local_cloud):
    undisturbed, killed = World(local_cloud, 0), World(local_cloud, KILLS)
    assert killed.killed > KILLS * 0.9
    expected, found = undisturbed.items(), killed.items()
    assert found.keys() == expected.keys()
    assert {key: one for key, one in found.items() if one != expected[key]} == {}
    expected, found = undisturbed.objects(), killed.objects()
    assert found.keys() == expected.keys()
    files = {key for key in expected if not key.startswith("evidence/")}
    assert {key for key in files if found[key] != expected[key]} == set()
    for agent_id in AGENTS:
        assert killed.evidence(agent_id) == undisturbed.evidence(agent_id)

    # And the runs did something: patterns, archived days, late outcomes, pruned memories, and one agent that failed.
    kinds = {key.split("/")[0] for key in files}
    assert kinds == {"decisions", "pruned", "reports"}
    learned = [key for key in undisturbed.items() if key[1].endswith("#PATTERN")]
    assert len(learned) >= 4
    reports = [key for key in files if key.startswith("reports/")]
    assert len(reports) == len(AGENTS) * RUNS
    assert not any(POISONED in key for key in files)
    rewritten = [key for key in files if key.endswith("_manifest-0002.json")]
    assert len(rewritten) >= len(AGENTS)
