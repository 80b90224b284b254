"""Alarms of a deployment on the overview: those of CloudWatch, and what could not be asked is said."""

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from agent_memory.cli.console.alarms import Alarms
from agent_memory.cli.doctor.deployment import Deployment
from agent_memory.storage.store_urls import aws_deployment
from tests.console.client import Client
from tests.console.data import AGENT, console_of

REGION = "us-east-1"


@pytest.fixture
def session(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        session = boto3.Session(region_name=REGION)
        cloudwatch = session.client("cloudwatch")
        for name in ("agent-memory-api-slow", "agent-memory-nightly-job-failed", "other-api-slow"):
            cloudwatch.put_metric_alarm(
                AlarmName=name,
                AlarmDescription=f"{name} <b>is</b> bad. Runbook: docs/runbooks/api-slow.md",
                Namespace="AgentMemory",
                MetricName="X",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
            )
        yield session


def client_of(stores, session):
    return Client(console_of(stores, alarms=Alarms(Deployment(session, "agent-memory"))))


async def test_alarms_are_those_of_the_deployment(fresh, session):
    client = client_of(fresh, session)
    assert f"/agents/{AGENT}/alarms" in (await client.page("")).text
    page = await client.page("/alarms")
    assert "None of 2 alarms is active" in page.visible
    session.client("cloudwatch").set_alarm_state(
        AlarmName="agent-memory-api-slow", StateValue="ALARM", StateReason="a test"
    )
    page = await client.page("/alarms")
    assert "1 alarm of 2 is active" in page.visible
    (active,) = page.rows("active")
    assert active["alarm"] == "agent-memory-api-slow"
    assert active["what"] == "agent-memory-api-slow <b>is</b> bad."
    assert active["runbook"] == "docs/runbooks/api-slow.md"
    assert [one["alarm"] for one in page.rows("alarms")] == ["agent-memory-api-slow", "agent-memory-nightly-job-failed"]


@pytest.mark.parametrize(
    ("code", "said"), [("AccessDenied", "cloudwatch:DescribeAlarms"), ("Throttling", "Throttling")]
)
async def test_what_could_not_be_asked_is_not_no_alarm(fresh, session, monkeypatch, code, said):
    def refuse(_self, operation, _parameters):
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    page = await client_of(fresh, session).page("/alarms")
    assert "Whether an alarm is active is not known" in page.visible
    assert said in page.visible
    assert "is active." not in page.visible.replace("is active is not known", "")


async def test_a_file_has_no_alarms(fresh):
    client = Client(console_of(fresh))
    assert "/alarms" not in (await client.page("")).text
    assert "only a deployment on AWS has alarms" in (await client.page("/alarms", status=400)).visible


def test_the_deployment_is_that_of_the_options():
    assert aws_deployment("aws://mine?region=eu-west-1", None) == ("mine", "eu-west-1")
    assert aws_deployment("aws://", "own") == ("own", None)
    assert aws_deployment(None, None) == ("agent-memory", None)
    assert aws_deployment("sqlite:///memory.db", "own") is None
