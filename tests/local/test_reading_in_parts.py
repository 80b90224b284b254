"""A day with more decisions than one machine is to read: the deployed job reads it in parts and learns the same."""

import random
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import decisions_read_prefix
from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.factory import open_stores
from tests.local.nightly_job import run_nightly_job
from tests.outcomes import known_at_once

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

AGENTS = ("single-reader", "several-readers")
VARIABLE = "AGENT_MEMORY_DECISIONS_PER_PART"
TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=n) for n in (3, 2, 1)]
PER_DAY = 60


@contextmanager
def decisions_per_part(cloud, count):
    """The deployed function with another limit."""
    client = cloud.boto_session().client("lambda")
    names = [one["FunctionName"] for one in client.list_functions()["Functions"]]
    (name,) = [one for one in names if one.endswith("-consolidation")]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {"Variables": {**variables, VARIABLE: str(count)}}
    client.update_function_configuration(FunctionName=name, Environment=changed)
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def log_days(agent_id, stores):
    for day in DAYS:
        chance = random.Random(day.isoformat())
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        log = DecisionLog(agent_id, stores, FixedClock(day_start_ms(day) + 20 * 3_600_000))
        ids = [decision_id_for("QUERY", start + timedelta(minutes=15 * k), f"{day} {k}") for k in range(PER_DAY)]
        high = [chance.random() < 0.5 for _ in ids]
        decisions = [
            {
                "decision_id": decision_id,
                "decision_type": "QUERY",
                "context": {"market": {"volatility": "high" if one else "low"}},
                "reasoning": {"selected": ["whales"], "confidence": 0.7},
                "metadata": {"strategy": "trend"},
            }
            for decision_id, one in zip(ids, high, strict=True)
        ]
        outcomes = [
            {"decision_id": decision_id, "outcome": {}, "success": chance.random() < (0.95 if one else 0.2)}
            for decision_id, one in zip(ids, high, strict=True)
        ]
        for start in range(0, PER_DAY, 20):
            log.log(decisions[start : start + 20])
            log.record_outcomes(known_at_once(outcomes[start : start + 20]))


def memories(agent_id, stores):
    kinds = ("PATTERN", "STRATEGY", "SOURCE_PERFORMANCE", "ARCHETYPE")
    return {
        kind: [(one.pattern_id, one.data) for one in stores.memories.all_versions(agent_id, kind)] for kind in kinds
    }


def test_a_day_read_in_parts_ends_in_the_same_memories(local_cloud):
    session, outputs = local_cloud.boto_session(), local_cloud.outputs
    clients = {"dynamodb_client": session.client("dynamodb"), "s3_client": session.client("s3")}
    stores = open_stores(table_prefix=outputs["TablePrefix"], archive_bucket=outputs["ArchiveBucketName"], **clients)
    for agent_id in AGENTS:
        log_days(agent_id, stores)
    single, several = AGENTS
    for day in DAYS:
        event = {"date": day.isoformat()}
        assert run_nightly_job(local_cloud, {**event, "agents": [single]})["status"] == "SUCCEEDED"
        with decisions_per_part(local_cloud, 20):
            assert run_nightly_job(local_cloud, {**event, "agents": [several]})["status"] == "SUCCEEDED"
    assert len(stores.blobs.list_keys(decisions_read_prefix(several, DAYS[-1]))) >= 6
    assert stores.blobs.list_keys(decisions_read_prefix(several, DAYS[-2])) == []
    assert stores.blobs.list_keys(decisions_read_prefix(single)) == []
    assert memories(several, stores) == memories(single, stores)
    assert memories(single, stores)["STRATEGY"]
