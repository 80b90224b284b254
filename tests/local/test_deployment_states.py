"""A first deployment that fails and is repeated, and settings that are changed later, with the real command line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent_memory import AgentMemoryClient
from agent_memory.storage.schema import TABLES
from local import LocalCloud, LocalCloudError, environment
from local.emulator import ROOT_KEYS
from local.layout import ROOT, Layout
from tests.local.broken_deployments import KEEP, broken, create, deployment_broken
from tests.local.doc_commands import blocks_of, run
from tests.local.inventory import added, inventory

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

STORAGE = "agent-memory-storage"
PAGE = ROOT / "docs" / "changing-a-deployment.md"
DEPLOY = ("deploy", "--all", "--require-approval=never", "--concurrency=4")
# A value of each setting that a local deployment uses, other than its default.
CHANGED = {
    "alarm_email": "ops@example.com",
    "api_burst": "77",
    "api_requests_per_second": "33",
    "api_search_burst": "7",
    "api_search_requests_per_second": "3",
    "dashboard": "true",
    "decisions_expected_hours": "3",
    "log_level": "WARNING",
    "log_retention_days": "14",
    "map_concurrency": "3",
    "metrics_namespace": "Desk/Memory",
    "nightly_time": "03:25",
    "time_zone": "Europe/Berlin",
    "write_shards": "4",
}


def statuses(cloud):
    stacks = cloud.boto_session().client("cloudformation").describe_stacks()["Stacks"]
    return {one["StackName"].removeprefix("agent-memory-"): one["StackStatus"] for one in stacks}


def is_protected(cloud):
    (stack,) = cloud.boto_session().client("cloudformation").describe_stacks(StackName=STORAGE)["Stacks"]
    dynamodb = cloud.boto_session().client("dynamodb")
    tables = [dynamodb.describe_table(TableName=one.full_name("agent-memory"))["Table"] for one in TABLES]
    return stack["EnableTerminationProtection"], {one["DeletionProtectionEnabled"] for one in tables}


def variables(cloud):
    """The environment variables of each function."""
    functions = cloud.boto_session().client("lambda").list_functions()["Functions"]
    return {
        one["FunctionName"].removeprefix("agent-memory-"): one["Environment"]["Variables"]
        for one in functions
        if one["FunctionName"].startswith("agent-memory-")
    }


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A local cloud with the synthesized stacks, none of which is deployed."""
    cloud = LocalCloud(Layout(state=tmp_path_factory.mktemp("states") / "state"), context=KEEP).start()
    try:
        cloud.diff()
        cloud.cdk("bootstrap", "aws://000000000000/us-east-1")
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="module")
def failed(empty):
    """After two first deployments that failed: at the last table, then at the API's function."""
    before = inventory(empty)
    with deployment_broken(empty, STORAGE, "ArchiveDA4CB258"), pytest.raises(LocalCloudError, match="timed out"):
        empty.cdk(*DEPLOY)
    first = statuses(empty), added(before, inventory(empty))
    with (
        deployment_broken(empty, "agent-memory-api", "ApiF70053CD"),
        pytest.raises(LocalCloudError, match="timed out"),
    ):
        empty.cdk(*DEPLOY)
    return first, statuses(empty), is_protected(empty)


@pytest.fixture(scope="module")
def deployed(empty, failed):
    """The deployment repeated once more without a failure, by what `make cdk` runs; and what that said."""
    keys = environment.of_clients(empty.endpoint_url, **ROOT_KEYS)
    command = [sys.executable, "-m", "local.cdk", *DEPLOY, "--app", str(empty.layout.assembly)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **keys}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    protected = is_protected(empty)
    empty.deploy()
    return empty, protected, done.stderr


@pytest.fixture(scope="module")
def changed(deployed):
    cloud, _, _ = deployed
    cloud.deploy(**CHANGED)
    return cloud


# --- the first deployment ------------------------------------------------------------------------------


def test_a_first_deployment_that_fails_leaves_nothing(failed):
    (stacks, left), _, _ = failed
    assert stacks["storage"] == "ROLLBACK_COMPLETE"
    assert left == {"cloudformation describe_stacks": {STORAGE}}


def test_a_repeated_deployment_continues_where_the_first_one_failed(failed):
    _, stacks, protected = failed
    assert (stacks["storage"], stacks["api"]) == ("CREATE_COMPLETE", "ROLLBACK_COMPLETE")
    assert "operations" not in stacks
    assert protected == (False, {False})


def test_the_page_removes_what_the_first_deployment_of_an_earlier_version_left(empty, failed, tmp_path):
    """It protected and retained everything from the beginning. Under another prefix here, since a stack has a name."""
    template = json.loads(
        (empty.layout.assembly / f"{STORAGE}.template.json").read_text().replace("agent-memory", "old")
    )
    for resource in template["Resources"].values():
        resource["DeletionPolicy"] = "Retain"
        if resource["Type"] == "AWS::DynamoDB::Table":
            resource["Properties"]["DeletionProtectionEnabled"] = True
    before = inventory(empty)
    assert create(empty, "old-storage", broken(template, "ArchiveDA4CB258")) == "ROLLBACK_COMPLETE"
    cloudformation = empty.boto_session().client("cloudformation")
    cloudformation.update_termination_protection(StackName="old-storage", EnableTerminationProtection=True)
    assert len(added(before, inventory(empty))["dynamodb list_tables"]) == 3
    shell(empty, tmp_path, "describe-stack-events", "--no-deletion-protection-enabled", prefix="old")
    assert added(before, inventory(empty)) == {}


async def test_a_deployment_that_failed_twice_succeeds_and_is_protected_then(deployed):
    cloud, protected, said = deployed
    assert set(statuses(cloud).values()) == {"CREATE_COMPLETE"}
    assert protected == (True, {True})
    assert said.count("is protected from deletion") == 1 + len(TABLES)
    async with AgentMemoryClient(cloud.api_url, "hunter", session=cloud.boto_session()) as client:
        await client.log_decision("QUERY", {"market": {"trend": "up"}}, {})


# --- settings that are changed later -------------------------------------------------------------------


def test_every_function_sees_the_changed_settings(changed):
    for values in variables(changed).values():
        assert values["POWERTOOLS_LOG_LEVEL"] == "WARNING"
        assert values["POWERTOOLS_METRICS_NAMESPACE"] == "Desk/Memory"
    assert variables(changed)["api"]["AGENT_MEMORY_WRITE_SHARDS"] == "4"


def test_alarms_schedule_logs_and_throttles_see_the_changed_settings(changed):
    session = changed.boto_session()
    alarms = session.client("cloudwatch").describe_alarms(AlarmNamePrefix="agent-memory-")["MetricAlarms"]
    own = {one["AlarmName"]: one["Namespace"] for one in alarms if not one["Namespace"].startswith("AWS/")}
    assert set(own.values()) == {"Desk/Memory"}
    assert "agent-memory-decisions-stopped-critical" in own
    schedule = session.client("scheduler").get_schedule(Name="agent-memory-nightly")
    assert schedule["ScheduleExpression"] == "cron(25 3 * * ? *)"
    groups = session.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/agent-memory-")["logGroups"]
    assert {one["retentionInDays"] for one in groups} == {14}
    machines = session.client("stepfunctions")
    machine = machines.describe_state_machine(stateMachineArn=changed.outputs["NightlyStateMachineArn"])
    assert '"MaxConcurrency":3' in machine["definition"].replace(" ", "")
    # The emulator does not keep throttles; the deployed template has them.
    api = session.client("cloudformation").get_template(StackName="agent-memory-api")["TemplateBody"]
    assert {'"ThrottlingBurstLimit": 77', '"ThrottlingBurstLimit": 7'} <= set(
        re.findall(r'"ThrottlingBurstLimit": \d+', json.dumps(api))
    )
    topic = changed.outputs["AlarmTopicArn"]
    subscriptions = session.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [one["Endpoint"] for one in subscriptions] == ["ops@example.com"]
    assert session.client("cloudwatch").list_dashboards()["DashboardEntries"]


def test_the_cache_is_turned_off_its_stack_removed_and_on_again(changed, tmp_path):
    changed.deploy(cache="off")
    said = changed.layout.log("cdk-deploy").read_text()
    assert "aws cloudformation delete-stack --stack-name agent-memory-cache" in said
    assert not any("AGENT_MEMORY_REDIS_ENDPOINT" in values for values in variables(changed).values())
    alarms = changed.boto_session().client("cloudwatch").describe_alarms(AlarmNamePrefix="agent-memory-cache")
    assert alarms["MetricAlarms"] == []
    assert statuses(changed)["cache"] == "CREATE_COMPLETE"
    shell(changed, tmp_path, "delete-stack --stack-name agent-memory-cache")
    assert "cache" not in statuses(changed)
    changed.deploy(cache="on")
    assert variables(changed)["api"]["AGENT_MEMORY_REDIS_ENDPOINT"] == changed.redis_endpoint
    assert statuses(changed)["cache"] == "CREATE_COMPLETE"


def test_another_bucket_is_refused_and_changes_nothing(changed):
    bucket = changed.outputs["ArchiveBucketName"]
    with pytest.raises(LocalCloudError, match=r"ArchiveBucket\w+ cannot be deleted as it is in use by"):
        changed.deploy(archive_bucket="acme-archive")
    assert {values.get("AGENT_MEMORY_ARCHIVE_BUCKET", bucket) for values in variables(changed).values()} == {bucket}
    assert "acme-archive" not in json.dumps(
        [one["Name"] for one in changed.boto_session().client("s3").list_buckets()["Buckets"]]
    )


def shell(cloud, folder, *commands, prefix="agent-memory"):
    """Run the blocks of the page on deployments that have these commands."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables_of_shell = {"PATH": path, "HOME": "/nowhere", "LANG": "C.UTF-8", **cloud.environment()}
    blocks = [one for one in blocks_of(PAGE) if one.runs_locally]
    blocks = [one for one in blocks if any(command in one.commands for command in commands)]
    assert blocks
    preamble = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\naws sts get-caller-identity > /dev/null'
    for block in blocks:
        block.commands = block.commands.replace("agent-memory", prefix)
    run(blocks, preamble=preamble, environment=variables_of_shell, folder=folder)
