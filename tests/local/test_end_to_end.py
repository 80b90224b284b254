"""The deployed stacks from outside: signed HTTP, the nightly state machine, tables, archive and report."""

import asyncio
import json
import random
import time
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import AgentMemoryClient, DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.core.ids import decision_id_for, new_decision_id
from agent_memory.core.keys import nightly_agents_key, report_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.pricing import mean_decision_units
from agent_memory.storage.schema import DECISIONS, TABLES
from local.stores import stores_of
from tests.local.nightly_job import run_nightly_job
from tests.outcomes import known_at_once

pytestmark = pytest.mark.local_cloud

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = 34
DECISIONS_PER_DAY = 40
LEARNING, CHANCE, POISONED = "learning-agent", "chance-agent", "poisoned-agent"


def client_of(cloud, agent_id):
    return AgentMemoryClient(cloud.api_url, agent_id, session=cloud.boto_session())


@pytest.fixture(scope="module")
def stores(local_cloud):
    return stores_of(local_cloud)


def run_day(cloud, day, agents, machine_arn=None):
    """Run the nightly job of one day for these agents; the execution's description."""
    return run_nightly_job(cloud, {"date": day.date().isoformat(), "agents": agents}, machine_arn)


async def log_history(cloud, agent_id, *, has_pattern):
    """34 days of signals; where `has_pattern`, those in high volatility succeed 35 points more often."""
    chance = random.Random(11)
    async with client_of(cloud, agent_id) as client:
        for n in range(DAYS):
            decisions, outcomes = [], []
            for k in range(DECISIONS_PER_DAY):
                at = TODAY - timedelta(days=DAYS - n) + timedelta(minutes=30 * k)
                volatility = chance.choice(["low", "normal", "high"])
                decision_id = decision_id_for("SIGNAL_GENERATION", at, f"{k}")
                decisions.append(
                    {
                        "decision_id": decision_id,
                        "decision_type": "SIGNAL_GENERATION",
                        "context": {"market": {"volatility": volatility, "trend": chance.choice(["up", "down"])}},
                        "reasoning": {"selected": [chance.choice(["momentum", "volume"])], "score": 1.0},
                    }
                )
                rate = 0.8 if volatility == "high" else 0.45
                outcomes.append({"decision_id": decision_id, "outcome": {"k": k}, "success": chance.random() < rate})
            if not has_pattern:
                successes = [outcome["success"] for outcome in outcomes]
                chance.shuffle(successes)
                outcomes = [{**one, "success": s} for one, s in zip(outcomes, successes, strict=True)]
            assert {r["status"] for r in await client.log_decisions(decisions)} == {"created"}
            assert {r["status"] for r in await client.log_outcomes(known_at_once(outcomes))} == {"recorded"}


@pytest.fixture(scope="module")
def history(local_cloud):
    """Two agents' histories, and a run for every second day of them: a run reads two days."""
    for agent_id in (LEARNING, CHANCE):
        asyncio.run(log_history(local_cloud, agent_id, has_pattern=agent_id == LEARNING))
    for n in range(1, DAYS, 2):
        execution = run_day(local_cloud, TODAY - timedelta(days=DAYS - n), [LEARNING, CHANCE])
        assert execution["status"] == "SUCCEEDED", execution


def report_of(stores, agent_id, day):
    return json.loads(stores.blobs.read(report_key(agent_id, day.date())))


# --- the nightly job -------------------------------------------------------------------------------


def test_a_pattern_is_learned_and_chance_is_not(history, stores):
    learned = [
        m.data["features"] for m in stores.memories.by_confidence(LEARNING, "PATTERN") if m.data["status"] == "active"
    ]
    assert ["context.market.volatility=high"] in learned
    assert list(stores.memories.by_confidence(CHANCE, "PATTERN")) == []
    reports = [report_of(stores, agent_id, TODAY - timedelta(days=1)) for agent_id in (LEARNING, CHANCE)]
    assert [report["active_patterns"] for report in reports] == [len(learned), 0]


def test_the_archive_holds_the_days_older_than_thirty_and_nothing_is_lost(history, stores):
    for agent_id in (LEARNING, CHANCE):
        days = stores.archive.days(agent_id)
        expected = [(TODAY - timedelta(days=n)).date() for n in range(DAYS, 30, -1)]
        assert days == expected
        log = DecisionLog(agent_id, stores)
        found = list(log.stream(DecisionFilter(), newest_first=False))
        assert len(found) == DAYS * DECISIONS_PER_DAY
        assert len({d.decision_id for d in found}) == DAYS * DECISIONS_PER_DAY
        archived = [d for day in days for d in stores.archive.read_day(agent_id, day)]
        in_table = {d.decision_id: d for d in found}
        assert all(in_table[d.decision_id] == d for d in archived)


def test_only_archived_items_expire(history, local_cloud):
    table = DECISIONS.full_name(local_cloud.outputs["TablePrefix"])
    pages = local_cloud.boto_session().client("dynamodb").get_paginator("scan").paginate(TableName=table)
    limit = (TODAY - timedelta(days=30)).timestamp()
    for item in (item for page in pages for item in page["Items"]):
        if item.get("agent_id", {}).get("S") in (LEARNING, CHANCE):  # links have no such attribute
            logged_at = float(item["timestamp"]["N"])
            assert ("ttl" in item) == (logged_at < limit)
            if "ttl" in item:
                assert int(item["ttl"]["N"]) == int(logged_at) + 90 * 86_400


def test_running_a_day_twice_changes_nothing(history, local_cloud, stores):
    def memories():
        return list(stores.memories.by_confidence(LEARNING, "PATTERN"))

    before = memories()
    execution = run_day(local_cloud, TODAY - timedelta(days=1), [LEARNING])
    assert execution["status"] == "SUCCEEDED"
    assert memories() == before


def test_one_agent_that_fails_does_not_stop_the_others(history, local_cloud, stores):
    stores.blobs.write(f"evidence/agent_id={POISONED}/evidence.parquet", b"not a Parquet file")
    execution = run_day(local_cloud, TODAY - timedelta(days=1), [POISONED, LEARNING])
    assert (execution["status"], execution["error"]) == ("FAILED", "AgentsFailed")
    cause = json.loads(execution["cause"])
    ((agent_id, error),) = [(one["agent_id"], one["error"]) for one in cause["agents"]]
    assert (cause["failed"], cause["of"], agent_id, error["step"]) == (1, 2, POISONED, "consolidation")
    assert "No magic bytes" in error["cause"]
    assert report_of(stores, LEARNING, TODAY - timedelta(days=1))["active_patterns"] > 0
    assert executions_of_agents(local_cloud, execution) == {(POISONED, "SUCCEEDED"), (LEARNING, "SUCCEEDED")}


# What a distributed map returns in AWS for an execution that failed.
DESCRIBED = {"Status": "FAILED", "Input": '{"agent_id":"chance-agent"}', "Error": "Broken", "Cause": "off"}


def executions_of_agents(cloud, execution):
    """Each agent and the status of its execution."""
    machine = cloud.boto_session().client("stepfunctions")
    (run,) = machine.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    assert machine.describe_map_run(mapRunArn=run["mapRunArn"])["maxConcurrency"] == 5
    ended = machine.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    described = [machine.describe_execution(executionArn=one["executionArn"]) for one in ended]
    return {(json.loads(one["input"])["agent_id"], one["status"]) for one in described}


@pytest.mark.parametrize("result", [None, DESCRIBED], ids=["without a result", "described, as in AWS"])
def test_an_agent_whose_execution_breaks_off_fails_the_run(history, local_cloud, result):
    machine = local_cloud.boto_session().client("stepfunctions")
    deployed = machine.describe_state_machine(stateMachineArn=local_cloud.outputs["NightlyStateMachineArn"])
    definition = json.loads(deployed["definition"])
    ending = {"Type": "Pass", "Result": result, "End": True} if result else {"Type": "Fail", "Error": "Broken"}
    definition["States"]["EachAgent"]["ItemProcessor"]["States"]["AgentDone"] = ending
    broken = machine.create_state_machine(
        name="breaks-off", definition=json.dumps(definition), roleArn=deployed["roleArn"]
    )["stateMachineArn"]
    execution = run_day(local_cloud, TODAY - timedelta(days=1), [CHANCE], machine_arn=broken)
    error = {"step": "FAILED", "error": "Broken", "cause": "off"}
    agents = [{"agent_id": DESCRIBED["Input"], "error": error}] if result else []
    assert (execution["status"], execution["error"]) == ("FAILED", "AgentsFailed")
    assert json.loads(execution["cause"]) == {"failed": len(agents), "of": 1, "agents": agents}
    machine.delete_state_machine(stateMachineArn=broken)


def test_a_run_for_no_agents_succeeds(local_cloud):
    execution = run_day(local_cloud, TODAY - timedelta(days=1), [])
    assert (execution["status"], json.loads(execution["output"])["agents"]) == ("SUCCEEDED", 0)


def test_a_run_without_a_date_is_for_yesterday_and_every_agent(history, local_cloud, stores):
    execution = run_nightly_job(local_cloud, {"scheduled_time": f"{TODAY:%Y-%m-%d}T00:10:00Z"})
    output = json.loads(execution["output"])
    assert output["date"] == (TODAY - timedelta(days=1)).date().isoformat()
    listed = json.loads(stores.blobs.read(nightly_agents_key((TODAY - timedelta(days=1)).date(), execution["name"])))
    assert {LEARNING, CHANCE} <= {agent["agent_id"] for agent in listed}
    assert output["agents"] == len(listed)


# --- the report ------------------------------------------------------------------------------------


async def test_numbers_of_the_report_can_be_recomputed_from_the_tables(history, local_cloud, stores):
    memory = MemoryManager(LEARNING, stores=stores)
    report = await MemoryAnalytics(
        DecisionLogger(LEARNING, memory_manager=memory), memory
    ).generate_performance_report()
    dynamodb = local_cloud.boto_session().client("dynamodb")
    table = DECISIONS.full_name(local_cloud.outputs["TablePrefix"])
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{LEARNING}#SIGNAL_GENERATION"}},
    )
    items = [item for page in pages for item in page["Items"]]
    assert report["totals"]["decisions"] == len(items)
    (signals,) = report["success_by_type"]
    assert signals["succeeded"] == sum(item["success"]["BOOL"] for item in items)
    market = f"{LEARNING}#trend=up|volatility=high"
    by_context = [item for item in items if item.get("agent_context", item.get("agent_context_keys")) == {"S": market}]
    (row,) = [r for r in report["success_by_context"] if r["context_type"] == "trend=up|volatility=high"]
    assert (row["with_outcome"], row["succeeded"]) == (
        len(by_context),
        sum(item["success"]["BOOL"] for item in by_context),
    )
    a_day = (TODAY - timedelta(days=5)).date().isoformat()
    (day,) = [r for r in report["decisions_per_day"] if r["date"] == a_day]
    assert day["decisions"] == sum(item["iso_timestamp"]["S"].startswith(a_day) for item in items) == DECISIONS_PER_DAY
    archived = next(level for level in report["levels"] if level["level"] == "archive")
    now = datetime.fromisoformat(report["generated_at"]).timestamp()
    assert archived["decisions"] == sum(now - float(item["timestamp"]["N"]) >= 30 * 86_400 for item in items)
    assert report["control"]["promoted"] == 0


# --- the deployment --------------------------------------------------------------------------------


def test_what_the_emulator_ignores_is_set_after_the_deployment(local_cloud):
    session = local_cloud.boto_session()
    for table in TABLES:
        described = session.client("dynamodb").describe_time_to_live(
            TableName=table.full_name(local_cloud.outputs["TablePrefix"])
        )["TimeToLiveDescription"]
        assert (described["TimeToLiveStatus"], described["AttributeName"]) == ("ENABLED", "ttl")
    rules = session.client("s3").get_bucket_lifecycle_configuration(Bucket=local_cloud.outputs["ArchiveBucketName"])
    assert any(t["StorageClass"] == "GLACIER" for rule in rules["Rules"] for t in rule.get("Transitions", []))


def test_computed_write_units_are_the_units_that_are_charged(local_cloud, stores):
    """Measured with the emulator, which counts write units including indexes as DynamoDB does."""
    from agent_memory.model.decisions import Decision, Outcome
    from agent_memory.storage.dynamodb.items import decision_item, decision_key_item, headline_attributes

    now_ms = int(time.time() * 1000)
    context = {"market": {"volatility": "high", "trend": "bullish"}, "text": "x" * 1500}
    outcome = Outcome(True, {"r": 1}, {}, now_ms)
    one = Decision("units", new_decision_id("QUERY", now_ms), "QUERY", now_ms, context, {"n": 1}, {}, outcome)
    key = one.key
    dynamodb = local_cloud.boto_session().client("dynamodb")
    table = DECISIONS.full_name(local_cloud.outputs["TablePrefix"])
    logged = dynamodb.put_item(TableName=table, Item=decision_item(one), ReturnConsumedCapacity="INDEXES")
    added = headline_attributes(one.outcome)
    updated = dynamodb.update_item(
        TableName=table,
        Key=decision_key_item(key),
        UpdateExpression="SET " + ", ".join(f"#{i} = :{i}" for i in range(len(added))),
        ExpressionAttributeNames={f"#{i}": name for i, name in enumerate(added)},
        ExpressionAttributeValues={f":{i}": value for i, value in enumerate(added.values())},
        ReturnConsumedCapacity="INDEXES",
    )
    units = mean_decision_units([[one]])
    assert logged["ConsumedCapacity"]["CapacityUnits"] == units.log_units
    assert updated["ConsumedCapacity"]["CapacityUnits"] == units.outcome_units
