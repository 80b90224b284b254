"""What is deployed of a prefix: the properties of each resource as its service's own API returns them."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.session import LocalSession

# What differs after each deployment, whatever was changed.
_VOLATILE = frozenset(
    {
        *("CodeSha256", "CodeSize", "LastModified", "RevisionId", "ResponseMetadata", "Version", "CreatedDate"),
        *("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp", "StateValue"),
        *("CreationDateTime", "TableSizeBytes", "ItemCount", "LatestStreamLabel", "LatestRestorableDateTime"),
        *("EarliestRestorableDateTime", "storedBytes", "creationTime", "LastModificationDate", "CreationDate"),
        *("LastUpdatedDate", "creationDate", "updateDate", "revisionId", "CreateTime", "UpdateTime", "CreationTime"),
        *("StateReason", "StateReasonData", "LastModifiedTimestamp", "CreatedTimestamp"),
        *("State", "LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode", "StateReasonCode"),
    }
)

_BUCKET_SETTINGS = ("bucket_encryption", "bucket_policy", "bucket_versioning", "object_lock_configuration")

Resources = Mapping[str, Any]
"""Properties by kind and name, as "function: agent-memory-api"."""


def deployed_resources(session: LocalSession, prefix: str) -> Resources:
    """The deployed resources whose names begin with the prefix, those of its stacks, and the stacks' templates."""
    found: dict[str, Any] = {}
    for read in _READERS:
        for name, properties in read(session, f"{prefix}-"):
            found[name] = _stable(properties)
    return found


def physical_ids(session: LocalSession, prefix: str) -> dict[str, str]:
    """The physical id of each resource in the stacks, by stack and logical id."""
    cloudformation = session.client("cloudformation")
    return {
        f"{stack['StackName']}/{one['LogicalResourceId']}": one["PhysicalResourceId"]
        for stack in cloudformation.describe_stacks()["Stacks"]
        if stack["StackName"].startswith(f"{prefix}-")
        for one in _all(cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=stack["StackName"])
    }


def differences(before: Resources, after: Resources) -> list[str]:
    """The resources that were added, removed or changed, each with a sign."""
    signs = {name: "-" if name not in after else "+" if name not in before else "~" for name in {**before, **after}}
    return sorted(f"{sign}{name}" for name, sign in signs.items() if before.get(name) != after.get(name))


Found = Iterator[tuple[str, Any]]


def _functions(session: LocalSession, beginning: str) -> Found:
    client = session.client("lambda")
    for one in _all(client, "list_functions", "Functions"):
        name = one["FunctionName"]
        if name.startswith(beginning):
            properties = client.get_function_configuration(FunctionName=name)
            concurrency = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
            yield f"function: {name}", {**properties, "ReservedConcurrentExecutions": concurrency}


def _policies(session: LocalSession, beginning: str) -> Found:
    client = session.client("iam")
    for role in _all(client, "list_roles", "Roles"):
        name = role["RoleName"]
        if not name.startswith(beginning):
            continue
        yield f"role: {name}", role
        for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
            document = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            yield f"policy: {name} {policy}", document
        yield f"policies of: {name}", client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]


def _alarms(session: LocalSession, beginning: str) -> Found:
    for one in _all(session.client("cloudwatch"), "describe_alarms", "MetricAlarms", AlarmNamePrefix=beginning):
        yield f"alarm: {one['AlarmName']}", one


def _dashboards(session: LocalSession, beginning: str) -> Found:
    client = session.client("cloudwatch")
    for one in client.list_dashboards(DashboardNamePrefix=beginning.rstrip("-"))["DashboardEntries"]:
        body = client.get_dashboard(DashboardName=one["DashboardName"])["DashboardBody"]
        yield f"dashboard: {one['DashboardName']}", json.loads(body)


def _tables(session: LocalSession, beginning: str) -> Found:
    client = session.client("dynamodb")
    for name in client.list_tables()["TableNames"]:
        if name.startswith(beginning):
            yield f"table: {name}", client.describe_table(TableName=name)["Table"]
            backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
            yield f"backups of: {name}", backups


def _buckets(session: LocalSession, beginning: str) -> Found:
    client = session.client("s3")
    for one in client.list_buckets()["Buckets"]:
        if one["Name"].startswith(beginning):
            settings = {name: _or_none(getattr(client, f"get_{name}"), Bucket=one["Name"]) for name in _BUCKET_SETTINGS}
            yield f"bucket: {one['Name']}", settings


def _schedules(session: LocalSession, beginning: str) -> Found:
    client = session.client("scheduler")
    for one in client.list_schedules()["Schedules"]:
        if one["Name"].startswith(beginning):
            yield f"schedule: {one['Name']}", client.get_schedule(Name=one["Name"])


def _machines(session: LocalSession, beginning: str) -> Found:
    client = session.client("stepfunctions")
    for one in client.list_state_machines()["stateMachines"]:
        if one["name"].startswith(beginning):
            found = client.describe_state_machine(stateMachineArn=one["stateMachineArn"])
            yield f"state machine: {one['name']}", {**found, "definition": json.loads(found["definition"])}


def _log_groups(session: LocalSession, beginning: str) -> Found:
    for one in _all(session.client("logs"), "describe_log_groups", "logGroups"):
        if any(part.startswith((beginning, beginning.rstrip("-"))) for part in one["logGroupName"].split("/")):
            yield f"log group: {one['logGroupName']}", one


def _apis(session: LocalSession, beginning: str) -> Found:
    client = session.client("apigatewayv2")
    for one in client.get_apis()["Items"]:
        if one["Name"].startswith(beginning):
            for stage in client.get_stages(ApiId=one["ApiId"])["Items"]:
                yield f"stage: {one['Name']} {stage['StageName']}", stage


def _caches(session: LocalSession, beginning: str) -> Found:
    client = session.client("elasticache")
    of_stacks = {one for stack, one in physical_ids(session, beginning.rstrip("-")).items() if "-cache/" in stack}
    for one in client.describe_replication_groups()["ReplicationGroups"]:
        if one["ReplicationGroupId"] in of_stacks:
            yield f"cache: {one['ReplicationGroupId']}", one


def _topics(session: LocalSession, beginning: str) -> Found:
    client = session.client("sns")
    for one in client.list_topics()["Topics"]:
        name = one["TopicArn"].rsplit(":", 1)[1]
        if name.startswith(beginning):
            yield f"topic: {name}", client.get_topic_attributes(TopicArn=one["TopicArn"])["Attributes"]
            found = client.list_subscriptions_by_topic(TopicArn=one["TopicArn"])["Subscriptions"]
            yield f"subscriptions of: {name}", sorted(subscription["Endpoint"] for subscription in found)


def _queries(session: LocalSession, beginning: str) -> Found:
    database = f"{beginning.replace('-', '_')}archive"
    for one in session.client("athena").list_work_groups()["WorkGroups"]:
        if one["Name"].startswith(beginning):
            found = session.client("athena").get_work_group(WorkGroup=one["Name"])["WorkGroup"]
            yield f"workgroup: {one['Name']}", found
    glue = session.client("glue")
    for one in (_or_none(glue.get_tables, DatabaseName=database) or {}).get("TableList", []):
        yield f"table of the archive: {database}", one


def _endpoints(session: LocalSession, beginning: str) -> Found:
    of_stacks = set(physical_ids(session, beginning.rstrip("-")).values())
    for one in session.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]:
        if one["VpcEndpointId"] in of_stacks:
            yield f"VPC endpoint: {one['ServiceName'].rsplit('.', 1)[1]}", one


def _stacks(session: LocalSession, beginning: str) -> Found:
    client = session.client("cloudformation")
    for one in client.describe_stacks()["Stacks"]:
        if one["StackName"].startswith(beginning):
            yield f"template: {one['StackName']}", client.get_template(StackName=one["StackName"])["TemplateBody"]
            yield f"outputs of: {one['StackName']}", {o["OutputKey"]: o["OutputValue"] for o in one.get("Outputs", [])}
            yield f"tags of: {one['StackName']}", {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}


_READERS: tuple[Callable[[LocalSession, str], Found], ...] = (
    _functions,
    _policies,
    _alarms,
    _dashboards,
    _tables,
    _buckets,
    _schedules,
    _machines,
    _log_groups,
    _caches,
    _apis,
    _topics,
    _queries,
    _endpoints,
    _stacks,
)


def _all(client: Any, operation: str, place: str, **options: Any) -> list[dict[str, Any]]:
    return [one for page in client.get_paginator(operation).paginate(**options) for one in page[place]]


def _or_none(call: Callable[..., Any], **options: Any) -> Any:
    """The response; None where there is nothing of the kind."""
    try:
        found = call(**options)
    except ClientError:
        return None
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def _stable(value: Any) -> Any:
    match value:
        case dict():
            return {key: _stable(one) for key, one in value.items() if key not in _VOLATILE}
        case list() | tuple():
            return [_stable(one) for one in value]
        case str() | int() | float() | bool() | None:
            return value
    return str(value)
