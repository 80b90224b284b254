"""Requests that show whether a role has a permission, without changing anything if it has.

Writes have a condition that is never true, and functions are not run.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.stacks.permission_table import FUNCTIONS, INDEXES, PREFIXES, TABLES

KEY = {"pk": {"S": "nobody#QUERY"}, "sk": {"S": "none"}}
NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)"


@dataclass(frozen=True)
class Call:
    """One request, with the action and the resource that it needs, as named in the table of permissions."""

    action: str
    what: str
    service: str
    method: str
    arguments: dict[str, Any]


def table_calls(name):
    item = {"TableName": f"agent-memory-{TABLES[name]}"}
    asks = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": KEY["pk"]}}
    unmet = {"ConditionExpression": NEVER}
    methods = {
        "GetItem": {"Key": KEY},
        "PutItem": {"Item": KEY, **unmet},
        "UpdateItem": {"Key": KEY, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"N": "1"}}}
        | unmet,
        "DeleteItem": {"Key": KEY, **unmet},
        "Query": asks,
        "Scan": {"Limit": 1},
        "DeleteTable": {},
        "UpdateTable": {"DeletionProtectionEnabled": False},
        "UpdateTimeToLive": {"TimeToLiveSpecification": {"Enabled": False, "AttributeName": "ttl"}},
    }
    calls = [
        Call(f"dynamodb:{action}", f"table {name}", "dynamodb", snake(action), {**item, **arguments})
        for action, arguments in methods.items()
    ]
    batch = {"RequestItems": {item["TableName"]: {"Keys": [KEY]}}}
    return [*calls, Call("dynamodb:BatchGetItem", f"table {name}", "dynamodb", "batch_get_item", batch)]


def index_call(index):
    partition = {
        "by_context": "agent_context",
        "by_context_keys": "agent_context_keys",
        "by_confidence": "pk",
        "by_change": "change_log",
    }[index]
    arguments = {
        "TableName": f"agent-memory-{TABLES[INDEXES[index]]}",
        "IndexName": index,
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": partition},
        "ExpressionAttributeValues": {":p": {"S": "nobody"}},
    }
    return Call("dynamodb:Query", f"index {index}", "dynamodb", "query", arguments)


def object_calls(bucket, prefix):
    what, key = f"objects {prefix}/", {"Bucket": bucket, "Key": f"{prefix}/permissions"}
    return [
        Call("s3:GetObject", what, "s3", "get_object", key),
        Call("s3:PutObject", what, "s3", "put_object", {**key, "Body": b"{}"}),
        Call("s3:DeleteObject", what, "s3", "delete_object", key),
    ]


def other_calls(bucket, outputs):
    closed = json.dumps({"Version": "2012-10-17", "Statement": []})
    yield Call("s3:ListBucket", "bucket", "s3", "list_objects_v2", {"Bucket": bucket, "MaxKeys": 1})
    yield Call("s3:PutBucketPolicy", "bucket", "s3", "put_bucket_policy", {"Bucket": bucket, "Policy": closed})
    yield Call("s3:DeleteBucket", "bucket", "s3", "delete_bucket", {"Bucket": bucket})
    for name in FUNCTIONS:
        function = {"FunctionName": f"agent-memory-{name}"}
        changed = {**function, "Description": "changed"}
        what = f"function {name}"
        yield Call("lambda:UpdateFunctionConfiguration", what, "lambda", "update_function_configuration", changed)
        yield Call("lambda:InvokeFunction", what, "lambda", "invoke", {**function, "InvocationType": "DryRun"})
    machine = {"stateMachineArn": outputs["NightlyStateMachineArn"]}
    no_agents = {**machine, "input": json.dumps({"date": "2026-11-01", "agents": []})}
    yield Call("states:StartExecution", "state machine", "stepfunctions", "start_execution", no_agents)
    yield Call("states:DeleteStateMachine", "state machine", "stepfunctions", "delete_state_machine", machine)
    message = {"TopicArn": outputs["AlarmTopicArn"], "Message": "x"}
    yield Call("sns:Publish", "topic of alarms", "sns", "publish", message)
    admin = {"RoleName": "admin", "PolicyName": "more", "PolicyDocument": closed}
    yield Call("iam:PutRolePolicy", "a role", "iam", "put_role_policy", admin)
    yield Call("ssm:GetParameter", "a parameter", "ssm", "get_parameter", {"Name": "/local-cloud/deployed-assembly"})


def snake(action):
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in action).lstrip("_")


def all_calls(outputs):
    bucket = outputs["ArchiveBucketName"]
    return [
        *(call for name in TABLES for call in table_calls(name)),
        *map(index_call, INDEXES),
        *(call for prefix in PREFIXES for call in object_calls(bucket, prefix)),
        *other_calls(bucket, outputs),
    ]
