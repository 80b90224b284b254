"""`agent-memory doctor` on the deployed local cloud: healthy, and broken in one part after the other."""

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from agent_memory.cli.doctor.deployment import Deployment
from agent_memory.cli.doctor.examination import examine, exit_code
from agent_memory.cli.doctor.findings import State
from local.stores import stores_of

pytestmark = [pytest.mark.slow, pytest.mark.local_cloud]

STATES = "agent-memory-agent_state"
ALARM = "agent-memory-api-errors-critical"
ROOT = Path(__file__).parents[2]


def examined(cloud, session=None, **options):
    deployment = Deployment(session or cloud.boto_session(), "agent-memory")
    return list(examine(deployment, lambda _prefix: stores_of(cloud), api_url=cloud.api_url, **options))


def wrong(findings):
    return {(one.check, one.subject, one.page) for one in findings if one.state is State.WRONG}


def test_a_healthy_deployment_is_fine(local_cloud):
    command = [str(Path(sys.executable).with_name("agent-memory")), "doctor", "--json"]
    ended = subprocess.run(
        [*command, "--templates", str(local_cloud.layout.assembly)],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", **local_cloud.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(ended.stdout)
    found = {(one["check"], one["state"]) for one in answer["findings"]}
    assert [one for one in answer["findings"] if one["state"] in ("wrong", "not_allowed", "no_answer")] == []
    assert (ended.returncode, answer["exit_code"]) == (0, 0)
    # What the local cloud does not do by itself is said, and not counted as broken; another test may have turned it on.
    assert {("point-in-time recovery", "not_offered"), ("point-in-time recovery", "fine")} & found
    assert {("stack", "fine"), ("requests", "fine"), ("settings", "fine"), ("time to live", "fine")} <= found


# --- what breaks, and how it is mended again -----------------------------------------------------------


@contextmanager
def no_time_to_live(session, cloud):
    db = session.client("dynamodb")
    for enabled in (False, True):
        db.update_time_to_live(TableName=STATES, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "ttl"})
        if not enabled:
            yield


@contextmanager
def no_versions(session, cloud):
    s3, bucket = session.client("s3"), cloud.outputs["ArchiveBucketName"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    yield
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def no_lifecycle(session, cloud):
    s3, bucket = session.client("s3"), cloud.outputs["ArchiveBucketName"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules[1:]})
    yield
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


@contextmanager
def public_bucket(session, cloud):
    s3, bucket = session.client("s3"), cloud.outputs["ArchiveBucketName"]
    before = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**before, "BlockPublicPolicy": False})
    yield
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before)


@contextmanager
def other_bucket(session, cloud):
    client, name = session.client("lambda"), "agent-memory-archival"
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    other = {**before, "AGENT_MEMORY_ARCHIVE_BUCKET": "the-old-one"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": other})
    yield
    client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@contextmanager
def switched_off(session, cloud):
    client, name = session.client("lambda"), "agent-memory-pruning"
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield
    client.delete_function_concurrency(FunctionName=name)


@contextmanager
def no_schedule(session, cloud):
    client = session.client("scheduler")
    schedule = client.get_schedule(Name="agent-memory-nightly")
    kept = {
        name: schedule[name]
        for name in ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    }
    client.update_schedule(**kept, State="DISABLED")
    yield
    client.update_schedule(**kept, State="ENABLED")


@contextmanager
def missed_start(session, cloud):
    client = session.client("sqs")
    queue = client.get_queue_url(QueueName="agent-memory-nightly-missed-starts")["QueueUrl"]
    client.send_message(QueueUrl=queue, MessageBody="{}")
    yield
    client.purge_queue(QueueUrl=queue)


@contextmanager
def active_alarm(session, cloud):
    client = session.client("cloudwatch")
    client.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    yield
    client.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="a test")


BUCKET = "ArchiveBucketName"
RUNBOOKS = "docs/runbooks"
FAULTS = [
    (no_time_to_live, "time to live", STATES, "docs/disaster-recovery.md"),
    (no_versions, "versions", BUCKET, "docs/disaster-recovery.md"),
    (no_lifecycle, "lifecycle", BUCKET, "docs/data-retention.md"),
    (public_bucket, "public access", BUCKET, "docs/security.md"),
    (other_bucket, "settings", "agent-memory-archival", "docs/deployment.md"),
    (switched_off, "concurrency", "agent-memory-pruning", "docs/deployment.md"),
    (no_schedule, "schedule", "agent-memory-nightly", f"{RUNBOOKS}/nightly-job-missed.md"),
    (missed_start, "missed starts", "agent-memory-nightly-missed-starts", f"{RUNBOOKS}/nightly-job-start-failed.md"),
    (active_alarm, "alarm", ALARM, f"{RUNBOOKS}/api-errors.md"),
]


def test_each_fault_is_found_with_the_page_that_mends_it(local_cloud):
    session = local_cloud.boto_session()
    expected = {(check, local_cloud.outputs.get(subject, subject), page) for _fault, check, subject, page in FAULTS}
    with ExitStack() as faults:
        for fault, *_ in FAULTS:
            faults.enter_context(fault(session, local_cloud))
        findings = examined(local_cloud)
    assert wrong(findings) == expected
    assert exit_code(findings) == 1
    assert all((ROOT / one.page).is_file() for one in findings if one.page)


class Denying:
    """A session whose clients are refused an operation, as by a policy."""

    def __init__(self, session, *operations):
        self._session, self._operations = session, operations

    def __getattr__(self, name):
        return getattr(self._session, name)

    def client(self, service, **settings):
        client = self._session.client(service, **settings)
        for operation in self._operations:
            client.meta.events.register(f"before-call.*.{operation}", self._refuse(operation))
        return client

    @staticmethod
    def _refuse(operation):
        def refuse(**_):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

        return refuse


def test_what_may_not_be_seen_is_said_and_never_fine(local_cloud):
    denied = Denying(
        local_cloud.boto_session(), "DescribeTimeToLive", "GetBucketEncryption", "ListExecutions", "GetAccountSettings"
    )
    findings = examined(local_cloud, denied)
    not_allowed = {one.message.rpartition(" ")[2] for one in findings if one.state is State.NOT_ALLOWED}
    assert not_allowed == {
        "dynamodb:DescribeTimeToLive",
        "s3:GetEncryptionConfiguration",
        "states:ListExecutions",
        "lambda:GetAccountSettings",
    }
    assert [one for one in findings if one.check == "time to live" and one.state is State.FINE] == []


def test_without_permission_for_the_stacks_nothing_is_called_fine(local_cloud):
    findings = examined(local_cloud, Denying(local_cloud.boto_session(), "DescribeStacks"))
    assert {one.state for one in findings if one.check not in ("credentials", "clock")} == {
        State.NOT_ALLOWED,
        State.NOTE,
    }
    assert exit_code(findings) == 2


def test_another_prefix_has_no_deployment(local_cloud):
    deployment = Deployment(local_cloud.boto_session(), "elsewhere")
    findings = list(examine(deployment, lambda _prefix: stores_of(local_cloud)))
    assert ("stack", "elsewhere-storage", "docs/deployment.md") in wrong(findings)
    assert exit_code(findings) == 1
