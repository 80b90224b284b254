"""Each check of `agent-memory doctor` on answers that a local cloud does not give, and without credentials."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import boto3
import pytest
from moto import mock_aws

from agent_memory.cli import main
from agent_memory.cli.doctor import checks_data, checks_running, checks_stacks
from agent_memory.cli.doctor.deployment import CannotLook, Deployment, Resource, StackView
from agent_memory.cli.doctor.examination import examine, exit_code
from agent_memory.cli.doctor.findings import Finding, State


class Answers(Deployment):
    """A deployment whose services give fixed answers."""

    is_local = False

    def __init__(self, **answers):
        super().__init__(None, "agent-memory")
        self.stacks = {}
        self._answers = answers

    def of_type(self, kind):
        return [Resource("storage", "Key", kind, "own-key", {})] if kind == "AWS::KMS::Key" else super().of_type(kind)

    @property
    def region(self):
        return "eu-central-1"

    def ask(self, _service, operation, **_parameters):
        answer = self._answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service, operation, member, **_parameters):
        return iter(self.ask(service, operation)[member])

    def output(self, _short, _name):
        return "arn:aws:sns:eu-central-1:000000000000:alarms"


def resource(**properties):
    return Resource("storage", "One", "AWS::Any::Thing", "agent-memory-one", properties, is_retained=True)


def pitr(status):
    recovery = {"PointInTimeRecoveryStatus": status}
    return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}


ON = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
AGO = datetime.now(UTC) - timedelta(days=3)


def ran(status):
    """Answers with one execution of the nightly job."""
    return {"list_executions": {"executions": [{"status": status, "startDate": AGO}]}}


RULES = {
    "LifecycleConfiguration": {
        "Rules": [{"Id": "one", "Status": "Enabled", "Prefix": "reports/", "ExpirationInDays": 10}]
    }
}


def lifecycle(**rule):
    """Answers with one lifecycle rule."""
    one = {"ID": "one", "Status": "Enabled", "Filter": {"Prefix": "reports/"}, **rule}
    return {"get_bucket_lifecycle_configuration": {"Rules": [one]}}


ENCRYPTED_BY_KMS = {
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    }
}
CASES = [
    (checks_data.point_in_time_recovery, ON, {"describe_continuous_backups": pitr("DISABLED")}, "off, although"),
    (checks_data.point_in_time_recovery, ON, {"describe_continuous_backups": pitr("ENABLED")}, None),
    (
        checks_data.deletion_protection,
        {"DeletionProtectionEnabled": True},
        {"describe_table": {"Table": {}}},
        "off; `make protect`",
    ),
    (
        checks_data.status,
        {},
        {"describe_table": {"Table": {"TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS"}}},
        "is IN",
    ),
    (
        checks_data.throttles,
        {},
        {
            "get_metric_statistics": {"Datapoints": [{"Sum": 4.0}]},
            "describe_table": {"Table": {"OnDemandThroughput": {"MaxReadRequestUnits": 5}}},
        },
        "8 throttled requests in the last hour; it is capped at {'MaxReadRequestUnits': 5}",
    ),
    (
        checks_data.key_state,
        {},
        {"describe_key": {"KeyMetadata": {"KeyState": "PendingDeletion", "DeletionDate": "2026-12-01"}}},
        "will be deleted on 2026-12-01",
    ),
    (
        checks_data.key_state,
        {},
        {"describe_key": {"KeyMetadata": {"KeyState": "Disabled"}}},
        "is Disabled: no data can be read",
    ),
    (
        checks_data.key_state,
        {},
        {
            "describe_key": {"KeyMetadata": {"KeyState": "Enabled"}},
            "get_key_rotation_status": {"KeyRotationEnabled": False},
        },
        "is not rotated",
    ),
    (
        checks_data.bucket_lock,
        {"ObjectLockConfiguration": {}},
        {"get_object_lock_configuration": {}},
        "is off, although",
    ),
    (
        checks_data.bucket_encryption,
        ENCRYPTED_BY_KMS,
        {
            "get_bucket_encryption": {
                "ServerSideEncryptionConfiguration": {
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                }
            }
        },
        "is AES256, and its stack has aws:kms",
    ),
    (
        checks_data.bucket_encryption,
        ENCRYPTED_BY_KMS,
        {
            "get_bucket_encryption": {
                "ServerSideEncryptionConfiguration": {
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
                }
            }
        },
        "is by a key of AWS, not by that of the deployment",
    ),
    (
        checks_data.table_encryption,
        {"SSESpecification": {"KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}},
        {
            "describe_table": {
                "Table": {"SSEDescription": {"KMSMasterKeyArn": "arn:aws:kms:eu-central-1:1:key/own-key"}}
            }
        },
        None,
    ),
    (
        checks_data.table_encryption,
        {"SSESpecification": {"KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}},
        {"describe_table": {"Table": {"SSEDescription": {"KMSMasterKeyArn": "arn:aws:kms:eu-central-1:1:key/other"}}}},
        "is by arn:aws:kms:eu-central-1:1:key/other, not by that of the deployment",
    ),
    (
        checks_data.status,
        {"GlobalSecondaryIndexes": [{"IndexName": "by-time"}]},
        {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}},
        "lacks the index by-time",
    ),
    (
        checks_data.throttles,
        {},
        {
            "get_metric_statistics": {"Datapoints": [{"Sum": 1.0}]},
            "describe_table": {"Table": {"GlobalSecondaryIndexes": [{"IndexName": "by-time"}]}},
        },
        "4 throttled requests",
    ),
    (checks_data.bucket_lifecycle, RULES, lifecycle(Expiration={"Days": 10}), None),
    (checks_data.bucket_lifecycle, RULES, lifecycle(Expiration={"Days": 9}), "rules one are changed; run `make cdk"),
    (checks_data.bucket_lifecycle, RULES, lifecycle(Filter={}, Expiration={"Days": 10}), "rules one are changed"),
    (checks_data.bucket_lifecycle, RULES, lifecycle(Status="Disabled"), "rules one are missing or off"),
    (checks_data.bucket_lifecycle, {}, lifecycle(Expiration={"Days": 1}), "rules one are not of the stack"),
    (
        checks_running.function_state,
        {},
        {"get_function_configuration": {"State": "Failed", "StateReason": "no subnet"}},
        "is Failed: no subnet",
    ),
    (
        checks_running.function_state,
        {},
        {"get_function_configuration": {"LastUpdateStatus": "Failed"}},
        "its last update failed",
    ),
    (
        checks_running.function_settings,
        {"Runtime": "python3.13", "Layers": [1, 2]},
        {"get_function_configuration": {"Runtime": "python3.9", "Layers": [{}]}},
        "runs on python3.9 instead of python3.13; has 1 layers instead of 2",
    ),
    (
        checks_running.function_concurrency,
        {"ReservedConcurrentExecutions": 9},
        {"get_function_concurrency": {}},
        "None are reserved instead of 9",
    ),
    (
        checks_running.last_run,
        {},
        ran("FAILED"),
        "failed",
    ),
    (
        checks_running.last_run,
        {},
        ran("TIMED_OUT"),
        "timed out",
    ),
    (
        checks_running.last_run,
        {},
        ran("SUCCEEDED"),
        "the last run was that of",
    ),
    (
        checks_running.alarms,
        {},
        {"describe_alarms": {"MetricAlarms": [{"StateValue": "OK", "ActionsEnabled": False}]}},
        "its actions are disabled",
    ),
    (checks_running.alarms, {}, {"describe_alarms": {}}, "there is no such alarm"),
    (
        checks_running.cache,
        {},
        {"describe_replication_groups": {"ReplicationGroups": [{"Status": "create-failed"}]}},
        "is create-failed",
    ),
]


@pytest.mark.parametrize(("check", "properties", "answers", "message"), CASES)
def test_a_broken_resource_is_found(check, properties, answers, message):
    seen = check(Answers(**answers), resource(**properties))
    if message is None:
        assert seen.state is State.FINE
        return
    assert seen.state is State.WRONG
    assert message in seen.message
    assert seen.page.startswith("docs/")


def test_the_account_the_alarms_and_the_clock():
    new = {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}
    assert "runs 10 functions at once" in checks_running.account_concurrency(Answers(get_account_settings=new)).message
    for found, message in (
        ([], "nobody receives alarms"),
        ([{"SubscriptionArn": "PendingConfirmation", "Endpoint": "a@b.c"}], "a@b.c has to"),
    ):
        seen = checks_running.subscriptions(Answers(list_subscriptions_by_topic={"Subscriptions": found}))
        assert (seen.state, message in seen.message) == (State.WRONG, True)
    late = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sat, 01 Jan 2022 00:00:00 GMT"}}}
    assert "seconds off" in checks_stacks.clock(Answers(get_caller_identity=late)).message


@pytest.mark.parametrize(
    ("status", "state", "message"),
    [
        ("ROLLBACK_COMPLETE", State.WRONG, "its first deployment failed, and it cannot be updated"),
        ("UPDATE_ROLLBACK_FAILED", State.WRONG, "continue-update-rollback"),
        ("UPDATE_ROLLBACK_COMPLETE", State.WRONG, "the version before it runs"),
        ("DELETE_FAILED", State.WRONG, "its removal failed"),
        ("SOMETHING_NEW", State.WRONG, "did not succeed"),
        ("UPDATE_IN_PROGRESS", State.NOTE, "a deployment is running"),
        ("UPDATE_COMPLETE", State.FINE, "UPDATE_COMPLETE"),
    ],
)
def test_the_status_of_a_stack(status, state, message):
    deployment = Answers()
    deployment.stacks = {"api": StackView("agent-memory-api", status, "why")}
    seen = checks_stacks.stack(deployment, "api")
    assert (seen.state, message in seen.message) == (state, True)


@pytest.mark.parametrize("status", ["DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_FAILED"])
def test_what_a_roll_back_removed_is_not_looked_for(status):
    one = {"LogicalResourceId": "States", "ResourceType": "AWS::DynamoDB::Table", "ResourceStatus": status}
    if status != "CREATE_FAILED":
        one["PhysicalResourceId"] = "agent-memory-agent_state"
    deployment = Answers(list_stack_resources={"StackResourceSummaries": [one]}, get_template={"TemplateBody": {}})
    deployment.stacks = {"storage": StackView("agent-memory-storage", "ROLLBACK_COMPLETE", "")}
    assert deployment.resources == []


@pytest.mark.parametrize(("is_retained", "state"), [(True, State.WRONG), (False, State.NOTE)])
def test_a_stack_that_is_not_protected_from_termination(is_retained, state):
    deployment = Answers()
    deployment.resources = [Resource("storage", "States", "AWS::DynamoDB::Table", "lab", {}, is_retained)]
    deployment.stacks = {"storage": StackView("agent-memory-storage", "CREATE_COMPLETE", "")}
    assert checks_stacks.termination_protection(deployment).state is state
    deployment.stacks = {"storage": StackView("agent-memory-storage", "CREATE_COMPLETE", "", is_protected=True)}
    assert checks_stacks.termination_protection(deployment).state is State.FINE


@pytest.mark.parametrize("suffix", ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws"])
def test_the_endpoints_of_every_partition_are_those_of_aws(suffix):
    class Client:
        class meta:  # noqa: N801  of boto3
            endpoint_url = f"https://cloudformation.a-region-1.{suffix}"

    class Session:
        def client(self, _service):
            return Client

    assert not Deployment(Session(), "agent-memory").is_local


def test_the_time_of_the_last_run_is_in_utc():
    start = datetime(2026, 1, 2, 0, 10, tzinfo=timezone(timedelta(hours=2)))  # boto3 returns this computer's zone
    answers = {"list_executions": {"executions": [{"status": "FAILED", "startDate": start}]}}
    assert (
        "the last run, of 2026-01-01 22:10 UTC, failed"
        in checks_running.last_run(Answers(**answers), resource()).message
    )


def test_stacks_of_different_stages():
    deployment = Answers()
    deployment.stacks = {
        short: StackView(short, "CREATE_COMPLETE", "", tags={"environment": stage})
        for short, stage in (("api", "prod"), ("storage", "dev"))
    }
    seen = checks_stacks.same_deployment(deployment)
    assert (seen.state, "environment (dev: storage; prod: api)" in seen.message) == (State.WRONG, True)


def test_settings_that_differ_from_the_code(tmp_path):
    deployment = Answers(
        get_template={"TemplateBody": {"Resources": {"Api": {"Properties": {"Memory": 1, "A": 1}}, "Old": {}}}}
    )
    deployment.stacks = {"api": StackView("agent-memory-api", "CREATE_COMPLETE", "")}
    code = {"Resources": {"Api": {"Properties": {"Memory": 2, "A": 1}}, "New": {}}}
    (tmp_path / "agent-memory-api.template.json").write_text(json.dumps(code))
    seen = checks_stacks.settings(deployment, "api", tmp_path)
    assert seen.state is State.WRONG
    assert "in Api.Memory, New (not deployed), Old (no longer in the code)" in seen.message
    assert checks_stacks.settings(deployment, "storage", tmp_path).state is State.NOTE


def test_exit_codes():
    def code(*states):
        return exit_code([Finding("a", "b", one, "") for one in states])

    assert code(State.FINE, State.NOTE, State.NOT_OFFERED) == 0
    assert code(State.NOT_ALLOWED, State.WRONG) == 1
    assert code(State.FINE, State.NOT_ALLOWED) == 2
    assert code(State.NO_ANSWER) == 2


def test_an_answer_that_is_not_understood_is_not_fine():
    deployment = Answers(get_caller_identity={"Account": "1"})
    (found,) = examine(deployment, lambda _: None)
    assert (found.state, "was not understood" in found.message) == (State.NO_ANSWER, True)
    down = Answers(get_caller_identity=CannotLook("sts did not respond"))
    assert [one.state for one in examine(down, lambda _: None)] == [State.NO_ANSWER]


@pytest.fixture
def account(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "API_URL", "AGENT_MEMORY_TABLE_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.slow
def test_an_account_without_a_deployment(account, capsys):
    with mock_aws():
        assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "WRONG    stack, agent-memory-storage: there is no such stack in us-east-1" in printed
    assert "[docs/deployment.md]" in printed


def test_without_a_region(account, monkeypatch, capsys):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert main(["doctor"]) == 2
    assert "set AWS_DEFAULT_REGION" in capsys.readouterr().err


def test_a_real_table_without_what_its_stack_says(account):
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="agent-memory-agent_state",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        deployment = Deployment(boto3.Session(), "agent-memory")
        name = "agent-memory-agent_state"
        table = Resource("storage", "States", "AWS::DynamoDB::Table", name, ON, is_retained=True)
        looks = (checks_data.deletion_protection, checks_data.point_in_time_recovery, checks_data.time_to_live)
        assert [look(deployment, table).state for look in looks] == [State.WRONG] * 3
        lost = Resource("storage", "States", "AWS::DynamoDB::Table", "agent-memory-lost", {})
        assert "it was deleted" in checks_data.status(deployment, lost).message


@pytest.mark.parametrize(
    ("units_in_a_minute", "configured", "advice"),
    [
        (41_000, "1", None),  # 683 a second
        (60_000, "1", "up to 1,000 write units a second .* set write_shards to 2; it is 1"),
        (60_000, "2", None),
        (600_000, "2", "set write_shards to 15; it is 2"),
    ],
)
def test_more_write_shards_are_advised_for_a_busy_agent(units_in_a_minute, configured, advice):
    deployment = Answers(
        get_metric_statistics={"Datapoints": [{"Sum": 60.0}, {"Sum": float(units_in_a_minute)}]},
        describe_table={"Table": {"GlobalSecondaryIndexes": [{"IndexName": "by_context"}]}},
    )
    variables = {"Environment": {"Variables": {"AGENT_MEMORY_WRITE_SHARDS": configured}}}
    deployment.of_type = lambda kind: [Resource("api", "Api", kind, "agent-memory-api", variables)]
    table = Resource("storage", "Decisions", "AWS::DynamoDB::Table", "agent-memory-agent_decisions", {})
    seen = checks_data.write_rate(deployment, table)
    if advice is None:
        assert seen.state is State.FINE
    else:
        assert seen.state is State.NOTE
        assert re.search(advice, seen.message)
        assert seen.page.endswith("tables-throttled.md")


def test_tables_without_decisions_need_no_write_shards():
    assert checks_data.write_rate(Answers(), resource()).state is State.FINE
