"""Processes are killed at random moments while they log decisions, hunt, or run nightly jobs."""

import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis import Redis

from agent_memory.core.clock import DAY_MS, Span, day_start_ms
from agent_memory.storage.dynamodb.items import decision_from
from agent_memory.storage.parquet.evidence import ParquetEvidence
from agent_memory.storage.s3.blobs import S3Blobs
from agent_memory.storage.schema import BY_CHANGE, DECISIONS, TABLES
from tests.aws_tables import create_tables
from tests.local.killed_hunters import AGENT as HUNTER
from tests.local.killed_hunters import INTERVAL
from tests.local.killed_nightly_jobs import AGENTS
from tests.trials.results import compare, timed

ROOT = Path(__file__).parents[2]
RUNS = 4


def kill_buffered_loggers(cloud, folder, *, kills, decisions, faults=0.0):
    """Kill a process that logs through a buffer; with `faults`, a share of the requests is throttled or cut.

    A kill between the write and the report to the caller leaves a decision that the caller does not know: there may be
    as many of these as kills.
    """
    name = f"buffer with {faults:.0%} faults" if faults else "buffer"
    description = f"a process that logs through the buffer is killed {kills} times"
    if faults:
        description += f", while {faults:.0%} of its requests are throttled or lose their response"
    with timed(name, description) as result:
        dynamodb = cloud.boto_session().client("dynamodb")
        prefix = f"kill-{secrets.token_hex(4)}"
        create_tables(dynamodb, prefix)
        reported = folder / f"reported-{prefix}"
        buffer = folder / f"buffer-{prefix}"
        _run(cloud, "tests.local.killed_loggers", buffer, reported, prefix, kills, decisions, faults)
        nonces = dict(line.split() for line in reported.read_text().splitlines())
        pages = dynamodb.get_paginator("scan").paginate(TableName=DECISIONS.full_name(prefix), ConsistentRead=True)
        stored = [decision_from(item) for page in pages for item in page["Items"]]
        compare(result, nonces, {one.decision_id: one.context["nonce"] for one in stored})
        copies = Counter(one.context["nonce"] for one in stored)
        result.doubled += len(stored) - len(copies)
        result.details = {
            "kills": kills,
            "reported": len(nonces),
            "unreported": len(stored) - len(nonces),
            "refused": _lines(buffer / "rejected.jsonl"),
        }
    return result


def kill_nightly_jobs(cloud, *, kills, undisturbed=None):
    """Kill nightly jobs of twenty agents, and compare the final data with that of undisturbed jobs.

    `undisturbed` is the world of such jobs if there is one already.
    """
    description = f"nightly jobs of {len(AGENTS)} agents are killed {kills} times; all items and objects are compared"
    with timed("nightly job", description) as result:
        undisturbed, killed = undisturbed or World(cloud, 0), World(cloud, kills)
        expected, actual = undisturbed.contents(), killed.contents()
        compare(result, expected, actual)
        result.doubled += len(actual.keys() - expected.keys())
        result.details = {"kills": killed.killed, "objects": len(undisturbed.objects())}
    return result


def kill_hunters(cloud, *, kills, cycles):
    """Kill a market hunter at random moments of its cycles, and compare all items with those of an undisturbed one.

    What differs by nature is not compared: when an item was written, and how often a checkpoint was.
    """
    description = f"a market hunter is killed {kills} times over {cycles} cycles; all items are compared"
    with timed("market hunter", description) as result:
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2) - cycles * INTERVAL
        started = time.monotonic()
        expected, _ = _hunt(cloud, cycles, start, kills=0, cycle_seconds=0)
        actual, (killed, left) = _hunt(
            cloud, cycles, start, kills=kills, cycle_seconds=(time.monotonic() - started) / cycles
        )
        compare(result, expected, actual)
        result.doubled += len(actual.keys() - expected.keys())
        result.details = {"kills": killed, "cycles": cycles, "cycles after the last kill": left}
    return result


def _hunt(cloud, cycles, start, *, kills, cycle_seconds):
    """All items after the cycles of a hunter, and what its process printed."""
    dynamodb = cloud.boto_session().client("dynamodb")
    prefix = f"hunter-{secrets.token_hex(4)}"
    create_tables(dynamodb, prefix)
    with Redis.from_url(f"redis://{cloud.environment()['REDIS_ENDPOINT']}") as cache:
        for key in cache.scan_iter(f"stm:{{{HUNTER}}}:*"):
            cache.delete(key)
    arguments = (prefix, cycles, start.isoformat(), kills, cycle_seconds)
    printed = _run(cloud, "tests.local.killed_hunters", *arguments).stdout.splitlines()[-1]
    return {key: _timeless(item) for key, item in _items(dynamodb, prefix).items()}, map(int, printed.split())


def _timeless(item):
    """An item without the time at which it was written, and a checkpoint without its version."""
    is_checkpoint = item["sk"].get("S", "").startswith("CHECKPOINT#")
    others = {"last_updated", "registered_at"} | ({"version"} if is_checkpoint else set())
    return {name: value for name, value in item.items() if name not in others}


def _items(dynamodb, prefix):
    """All items by table and key, without what names the write of each version of a memory in the log of changes."""
    found = {}
    for table in TABLES:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table.full_name(prefix)):
            for item in page["Items"]:
                item.pop(BY_CHANGE.sort.name, None)
                found[table.name, item["pk"]["S"], item["sk"]["S"]] = item
    return found


class World:
    """Tables and a bucket with the decisions of twenty agents, after nightly jobs that were killed `kills` times."""

    def __init__(self, cloud, kills):
        session = cloud.boto_session()
        self.dynamodb, self.s3 = session.client("dynamodb"), session.client("s3")
        self.prefix = f"nightly-{secrets.token_hex(4)}"
        self.bucket = f"{self.prefix}-archive"
        create_tables(self.dynamodb, self.prefix)
        self.s3.create_bucket(Bucket=self.bucket)
        # Late enough that nothing expires before the end, early enough that days are due for the archive.
        self.first_day = (datetime.now(UTC) - timedelta(days=20)).date()
        ended = _run(
            cloud,
            "tests.local.killed_nightly_jobs",
            *(self.prefix, self.bucket, self.first_day.isoformat(), RUNS, kills),
        )
        self.killed = int(ended.stdout)

    def contents(self):
        """All items and objects, and the evidence of each agent, whose file may be in another order."""
        evidence = {("evidence", agent_id): self.evidence(agent_id) for agent_id in AGENTS}
        files = {key: body for key, body in self.objects().items() if not key.startswith("evidence/")}
        return {**self.items(), **files, **evidence}

    def items(self):
        return _items(self.dynamodb, self.prefix)

    def objects(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def evidence(self, agent_id):
        span = Span(0, day_start_ms(self.first_day) + (RUNS + 1) * DAY_MS)
        return list(ParquetEvidence(S3Blobs(self.s3, self.bucket)).read(agent_id, span))


def _run(cloud, module, *arguments):
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | cloud.environment(),
        check=True,
        timeout=600,
        stdout=subprocess.PIPE,
        text=True,
    )


def _lines(file):
    return len(file.read_text().splitlines()) if file.exists() else 0
