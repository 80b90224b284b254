"""Adjusts a local deployment, where the emulator differs from AWS, through the services' own APIs.

- The emulator's CloudFormation silently ignores table TTL and bucket lifecycles. They are set here, TTL from the
  product's schema and lifecycles from the synthesized templates, so that there is no second definition.
- It enforces bucket policies that refuse requests without TLS, but its endpoint has no TLS. They are removed.
- AWS requires `dynamodb:PartiQLInsert` and the like on a table, where the emulator requires
  `dynamodb:BatchExecuteStatement` on everything. Roles with the former get the latter, too.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from agent_memory.storage.schema import TABLES
from local.answers import REFUSALS
from local.assembly import Stack
from local.session import LocalSession

_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
_PARTIQL = {
    "Effect": "Allow",
    "Action": ["dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement"],
    "Resource": "*",
}
_WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def adjust(
    session: LocalSession,
    stacks: Iterable[Stack],
    outputs: dict[str, str],
    *,
    on_refusal: Callable[[str, Exception], None] | None = None,
) -> None:
    """Set TTL and lifecycles, and allow requests without TLS; may be repeated.

    Args:
        session: a session of the account's root, which no bucket policy refuses.
        stacks: the deployed stacks.
        outputs: their outputs, of which `TablePrefix` names the tables.
        on_refusal: called with what the emulator refuses and its error; without it the error is raised.
    """
    for what, step in _steps(session, stacks, outputs):
        try:
            step()
        except REFUSALS as error:
            if on_refusal is None:
                raise
            on_refusal(what, error)


def _steps(
    session: LocalSession, stacks: Iterable[Stack], outputs: dict[str, str]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each adjustment with its description."""
    if "TablePrefix" in outputs:
        yield "the tables' time to live", partial(_set_time_to_live, session, outputs["TablePrefix"])
    for stack in stacks:
        for logical_id, properties in stack.resources("AWS::S3::Bucket"):
            rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
            yield (
                f"lifecycle and policy of the bucket {logical_id}",
                partial(_adjust_bucket, session, stack, logical_id, rules),
            )
        yield f"permissions for PartiQL in {stack.name}", partial(_allow_partiql, session, stack)


def _adjust_bucket(session: LocalSession, stack: Stack, logical_id: str, rules: list[dict[str, Any]]) -> None:
    bucket = _physical_name(session, stack, logical_id)
    _set_lifecycle(session, bucket, rules)
    _allow_plain_http(session, bucket)


def lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Translate a lifecycle rule of a template into the format of `PutBucketLifecycleConfiguration`."""
    translated: dict[str, Any] = {"ID": rule.get("Id", ""), "Status": rule["Status"], "Filter": _filter(rule)}
    if expiration := _expiration(rule):
        translated["Expiration"] = expiration
    if transitions := rule.get("Transitions"):
        translated["Transitions"] = [
            _renamed(step, {"TransitionInDays": "Days", "TransitionDate": "Date"}) for step in transitions
        ]
    if noncurrent := rule.get("NoncurrentVersionTransitions"):
        translated["NoncurrentVersionTransitions"] = [
            _renamed(step, {"TransitionInDays": "NoncurrentDays"}) for step in noncurrent
        ]
    if days := rule.get("NoncurrentVersionExpirationInDays"):
        translated["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    for same in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if same in rule:
            translated[same] = rule[same]
    return translated


def _set_time_to_live(session: LocalSession, prefix: str) -> None:
    dynamodb = session.client("dynamodb")
    for table in TABLES:
        name = table.full_name(prefix)
        state = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if state["TimeToLiveStatus"] != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
            )


def _physical_name(session: LocalSession, stack: Stack, logical_id: str) -> str:
    cloudformation = session.client("cloudformation")
    resource = cloudformation.describe_stack_resource(StackName=stack.name, LogicalResourceId=logical_id)
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def _set_lifecycle(session: LocalSession, bucket: str, rules: list[dict[str, Any]]) -> None:
    if rules:
        session.client("s3").put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [lifecycle_rule(rule) for rule in rules]}
        )


def _allow_plain_http(session: LocalSession, bucket: str) -> None:
    s3 = session.client("s3")
    try:
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return
        raise
    kept = [statement for statement in policy["Statement"] if statement.get("Condition") != _WITHOUT_TLS]
    if kept == policy["Statement"]:
        return
    if kept:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy | {"Statement": kept}))
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def _allow_partiql(session: LocalSession, stack: Stack) -> None:
    for _logical_id, policy in stack.resources("AWS::IAM::Policy"):
        if "dynamodb:PartiQL" not in json.dumps(policy["PolicyDocument"]):
            continue
        for role in policy.get("Roles", []):
            session.client("iam").put_role_policy(
                RoleName=_physical_name(session, stack, role["Ref"]),
                PolicyName="emulator-partiql",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [_PARTIQL]}),
            )


def _filter(rule: dict[str, Any]) -> dict[str, Any]:
    conditions: dict[str, Any] = {name: int(rule[name]) for name in _SIZES if name in rule}
    if prefix := rule.get("Prefix"):
        conditions["Prefix"] = prefix
    tags = rule.get("TagFilters", [])
    if len(tags) + len(conditions) > 1:
        return {"And": conditions | ({"Tags": tags} if tags else {})}
    return {"Tag": tags[0]} if tags else conditions or {"Prefix": ""}


def _expiration(rule: dict[str, Any]) -> dict[str, Any]:
    names = {
        "ExpirationInDays": "Days",
        "ExpirationDate": "Date",
        "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    }
    return {names[name]: rule[name] for name in names if name in rule}


def _renamed(step: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in step.items()}
