"""Each Lambda function with its handler file, its example event and its environment, on moto."""

import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from agent_memory.api import nightly
from agent_memory.api.deployment import deployment as api_deployment
from agent_memory.api.observability import metrics
from agent_memory.core.errors import InvalidInput
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.storage.factory import open_stores
from tests.aws_tables import create_tables
from tests.contract.statements import StatementsAsItemCalls
from tests.http_events import Context
from tests.outcomes import known_at_once

LAMBDAS = Path(__file__).parents[2] / "lambdas"
AGENT = "market-hunter"
DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def deployment(monkeypatch):
    """The tables, bucket and environment of the functions; yields stores to inspect their effects."""
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AGENT_MEMORY_TABLE_PREFIX": "agent-memory",
        "AGENT_MEMORY_ARCHIVE_BUCKET": "archive-bucket",
        "POWERTOOLS_METRICS_NAMESPACE": "BTCAgent/Memory",
        "POWERTOOLS_SERVICE_NAME": "test",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        dynamodb, s3 = StatementsAsItemCalls(boto3.client("dynamodb")), boto3.client("s3")
        create_tables(dynamodb, "agent-memory")
        s3.create_bucket(Bucket="archive-bucket")
        stores = open_stores(archive_bucket="archive-bucket", dynamodb_client=dynamodb, s3_client=s3)
        for cached in (nightly.stores, api_deployment):
            cached.cache_clear()
        monkeypatch.setattr(nightly, "stores", lambda: stores)
        monkeypatch.setattr(metrics, "namespace", "BTCAgent/Memory")
        monkeypatch.setattr(metrics, "service", "test")
        metrics.clear_metrics()  # of tests of routes, which are not flushed
        yield stores
        api_deployment.cache_clear()


def handler_of(name):
    spec = importlib.util.spec_from_file_location(f"lambda_{name}", LAMBDAS / name / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def invoke(name, event=None):
    example = json.loads((LAMBDAS / name / "event.json").read_text())
    return handler_of(name)(example if event is None else event, Context(function_name=name))


def emitted(capsys):
    """The metrics that were emitted in the embedded metric format, by name."""
    values = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "BTCAgent/Memory"
            found = {metric["Name"]: document[metric["Name"]][0] for metric in directive["Metrics"]}
            dimensions = {"service", "decision_type"} if "SuccessRate" in found else {"service"}
            assert [set(one) for one in directive["Dimensions"]] == [dimensions]
            values |= found
    return values


def log_days(stores, days, per_day=4):
    log = DecisionLog(AGENT, stores)
    for n in range(days):
        times = [DAY - timedelta(days=n) + timedelta(hours=k) for k in range(per_day)]
        results = log.log(
            [{"decision_type": "SIGNAL_GENERATION", "context": {}, "reasoning": {}, "timestamp": at} for at in times]
        )
        log.record_outcomes(
            known_at_once(
                {"decision_id": result.decision_id, "outcome": {}, "success": k % 2 == 0}
                for k, result in enumerate(results)
            )
        )


def test_the_api_logs_the_example_decision(deployment, capsys):
    response = invoke("api")
    assert response["statusCode"] == 201
    (logged,) = DecisionLog(AGENT, deployment).page(DecisionFilter()).decisions
    assert logged.decision_id == json.loads(response["body"])["decision_id"]
    values = emitted(capsys)
    assert values.pop("DecisionLatency") > 0
    assert values == {}


def test_the_counter_counts_the_example_decision(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "BTCAgent/Memory")
    assert invoke("counter") is None
    (document,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (document["DecisionsLogged"], document["decision_types"]) == (1, {"QUERY": 1})


@pytest.mark.slow
def test_the_nightly_job_from_agents_to_report(deployment, capsys):
    log_days(deployment, 34)
    listed = invoke("agents")
    assert (listed["date"], listed["agents"]) == ("2026-11-20", 1)
    (entry,) = json.loads(deployment.blobs.read(listed["list"]))
    assert entry == {"agent_id": AGENT, "date": "2026-11-20"}
    consolidated = invoke("consolidation", entry)
    assert (consolidated["decisions_read"], consolidated["evidence_rows"], consolidated["active"]) == (136, 136, 0)
    assert invoke("pruning", entry)["pruned"] == 0
    assert invoke("archival", entry)["decisions"] == 4 * 4
    reported = invoke("analytics", entry)
    (queries,) = reported["by_type"].values()
    assert (queries["with_outcome"], queries["succeeded"], queries["success_rate"]) == (4, 2, 0.5)
    values = emitted(capsys)
    assert values["DecisionsArchived"] == 16.0
    assert values["SuccessRate"] == 50.0
    assert values["PatternsLearned"] == 0.0
    assert values["DecisionsInfluenced"] == 0.0
    assert values["ConsolidationSuccess"] == 100.0


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"agent_id": "Bad!", "date": "2026-11-20"}, "agent_id"),
        ({"agent_id": AGENT, "date": "yesterday"}, "date"),
        ({"agent_id": AGENT}, "date"),
    ],
)
@pytest.mark.parametrize("name", ["consolidation", "pruning", "archival", "analytics"])
def test_a_malformed_event_is_rejected_with_the_field(deployment, name, event, field):
    with pytest.raises(InvalidInput) as caught:
        invoke(name, event)
    assert caught.value.field == field


def test_the_list_of_agents(deployment):
    key = "nights/date=2026-11-19/run=r%2F1/agents.json"
    event = {"date": "2026-11-19", "agents": ["b", "a"], "run": "r/1"}
    assert invoke("agents", event) == {"date": "2026-11-19", "agents": 2, "list": key}
    listed = [{"agent_id": "b", "date": "2026-11-19"}, {"agent_id": "a", "date": "2026-11-19"}]
    assert json.loads(deployment.blobs.read(key)) == listed
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert invoke("agents", {"run": "r"})["date"] in {
        yesterday,
        (datetime.now(UTC) - timedelta(days=1)).date().isoformat(),
    }
    for invalid in ({"agents": "all"}, {"date": "x"}, {"scheduled_time": "x"}, {"agents": ["A#B"]}, {"run": None}):
        with pytest.raises(InvalidInput):
            invoke("agents", {"run": "r", **invalid})


def test_a_start_that_is_delivered_twice_lists_agents_once(deployment, monkeypatch):
    monkeypatch.setenv("AGENT_MEMORY_NIGHTLY_EXECUTIONS", "arn:aws:states:us-east-1:1:execution:agent-memory-nightly")
    status = ["RUNNING"]
    monkeypatch.setattr(nightly.Executions, "has_failed", lambda *called: (called[1], status[0]) == ("one", "FAILED"))
    log_days(deployment, 1)
    event = {"scheduled_time": "2026-11-21T00:10:00Z"}
    listed = {"date": "2026-11-20", "agents": 1}
    for _ in range(2):  # Lambda may repeat the first one, too
        assert invoke("agents", {**event, "run": "one"}).items() >= listed.items()
        repeated = invoke("agents", {**event, "run": "two"})
        assert repeated == {"date": "2026-11-20", "agents": 0, "list": None, "repeats": "one"}
    assert invoke("agents", {"date": "2026-11-20", "run": "by hand"})["agents"] == 1
    assert invoke("agents", {**event, "date": "2026-11-20", "run": "by hand"})["agents"] == 1
    assert invoke("agents", {"scheduled_time": "2026-11-21T01:10:00+01:00", "run": "three"})["repeats"] == "one"
    status[0] = "FAILED"
    assert invoke("agents", {**event, "run": "by hand, with the same input"})["agents"] == 1
    assert invoke("agents", {**event, "run": "four"})["repeats"] == "by hand, with the same input"
