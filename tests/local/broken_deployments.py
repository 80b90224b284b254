"""First deployments that fail: `python -m tests.local.broken_deployments` breaks each resource of each stack in turn.

A resource is broken by a wait condition that fails before it, and after everything that does not depend on it: what can
have been created by then is there, and has to be gone after the roll-back.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local import LocalCloud
from local.assembly import Assembly, Stack
from local.emulator import ROOT_KEYS
from local.environment import REGION
from local.layout import Layout
from local.session import LocalSession
from tests.local.inventory import added, inventory

KEEP = {"keep_data": "true"}
STACKS = ("storage", "cache", "api", "nightly", "query", "operations")  # in the order of deployment
_FAILURE = {
    "Failing": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
    "Failure": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": "Failing"}, "Timeout": "1", "Count": 1},
    },
}


def broken(template: dict[str, Any], logical_id: str) -> dict[str, Any]:
    """The template with a failure right before one resource."""
    copy: dict[str, Any] = json.loads(json.dumps(template)) | {}
    resources = copy["Resources"]
    later = _dependent_on(template, logical_id)
    failure = json.loads(json.dumps(_FAILURE))
    failure["Failure"]["DependsOn"] = [name for name in resources if name not in later]
    before = resources[logical_id].get("DependsOn", [])
    resources[logical_id]["DependsOn"] = ["Failure", *([before] if isinstance(before, str) else before)]
    resources |= failure
    return copy


@contextmanager
def deployment_broken(cloud: LocalCloud, stack: str, logical_id: str) -> Iterator[None]:
    """Break a resource of a stack that was synthesized, for the command line within this block."""
    file = cloud.layout.assembly / f"{stack}.template.json"
    template = file.read_text()
    file.write_text(json.dumps(broken(json.loads(template), logical_id)))
    _upload_templates_again(cloud)
    try:
        yield
    finally:
        file.write_text(template)
        _upload_templates_again(cloud)


def create(cloud: LocalCloud, name: str, template: dict[str, Any]) -> str:
    """Create a stack, and return its status in the end."""
    cloudformation = cloud.boto_session().client("cloudformation")
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    while (status := _status(cloudformation, name)).endswith("IN_PROGRESS"):
        time.sleep(0.1)
    return status


def try_each_resource(cloud: LocalCloud, stack: Stack) -> Iterator[tuple[str, str, set[str]]]:
    """Create a stack as often as it has resources, breaking another one each time.

    Yields:
        The broken resource, the stack's status, and the resources that were created and not removed again.
    """
    cloudformation = cloud.boto_session().client("cloudformation")
    for logical_id in stack.template["Resources"]:
        status = create(cloud, stack.name, broken(stack.template, logical_id))
        yield logical_id, status, _left(cloudformation, stack.name)
        cloudformation.delete_stack(StackName=stack.name)
        while _status(cloudformation, stack.name) != "DELETED":
            time.sleep(0.1)


def _status(cloudformation: Any, name: str) -> str:
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError:
        return "DELETED"


def _left(cloudformation: Any, name: str) -> set[str]:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    events = [event for page in pages for event in page["StackEvents"]]
    by_status = {
        status: {event["LogicalResourceId"] for event in events if event["ResourceStatus"] == status}
        for status in ("CREATE_COMPLETE", "DELETE_COMPLETE")
    }
    return by_status["CREATE_COMPLETE"] - by_status["DELETE_COMPLETE"]


def _dependent_on(template: dict[str, Any], logical_id: str) -> set[str]:
    """The resource and all that cannot be created before it."""
    found = {logical_id}
    while True:
        more = {
            name
            for name, resource in template["Resources"].items()
            if name not in found and any(_refers(resource, one) for one in found)
        }
        if not more:
            return found
        found |= more


def _refers(value: Any, name: str) -> bool:
    match value:
        case {"Ref": target} | {"Fn::GetAtt": [target, *_]} if target == name:
            return True
        case dict():
            depends = value.get("DependsOn", [])
            return name in ([depends] if isinstance(depends, str) else depends) or any(
                _refers(one, name) for one in value.values()
            )
        case list():
            return any(_refers(one, name) for one in value)
    return False


def _upload_templates_again(cloud: LocalCloud) -> None:
    """Forget the uploaded templates: the command line uploads nothing whose name the bucket has already."""
    # As the root user: the bucket's policy refuses requests without TLS.
    s3 = LocalSession(endpoint_url=cloud.endpoint_url, region=REGION, **ROOT_KEYS).client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith("cdk-hnb659fds-assets-"):
            for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                if one["Key"].endswith(".json"):
                    s3.delete_object(Bucket=bucket["Name"], Key=one["Key"])


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Break each resource of each stack in a local cloud of its own, and end with 1 if one leaves something behind."""
    failed = []
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Layout(state=Path(folder, "state"))) as cloud:
        # A deployment that keeps nothing: it uploads the functions' code, and the account is empty again after it.
        cloud.cdk("destroy", "--all", "--force")
        before = inventory(cloud)
        cloud.diff(**KEEP)  # synthesizes
        for name in STACKS:
            (stack,) = [one for one in Assembly(cloud.layout.assembly).stacks() if one.name == f"agent-memory-{name}"]
            for logical_id, status, left in try_each_resource(cloud, stack):
                _print(f"{stack.name} {logical_id}: {status}, {f'left: {sorted(left)}' if left else 'nothing is left'}")
                failed += [logical_id] if left or status != "ROLLBACK_COMPLETE" else []
            if name == STACKS[0] and (rest := added(before, inventory(cloud))):
                sys.exit(f"left: {rest}")
            status = create(cloud, stack.name, stack.template)
            failed += [stack.name] if status != "CREATE_COMPLETE" else []
            _print(f"{stack.name}: {status}")
    sys.exit(f"failed: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
