"""Refuses, as CloudFormation does and the emulator does not, to remove an export that another stack imports."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from local.assembly import Stack
from local.errors import LocalCloudError
from local.session import LocalSession


def check_exports(session: LocalSession, stacks: Iterable[Stack]) -> None:
    """Compare the exports of deployed stacks with those that a deployment would leave.

    Raises:
        LocalCloudError: an export would be removed that a deployed stack imports; the message names both.
    """
    cloudformation = session.client("cloudformation")
    for stack in stacks:
        stays = {
            output["Export"]["Name"] for output in stack.template.get("Outputs", {}).values() if "Export" in output
        }
        for export in _exports(cloudformation, stack.name):
            if export not in stays and (users := _importing(cloudformation, export)):
                raise LocalCloudError(
                    f"{stack.name}: Export {export} cannot be deleted as it is in use by {', '.join(users)}; "
                    "docs/changing-a-deployment.md says what to do"
                )


def _exports(cloudformation: Any, stack: str) -> list[str]:
    try:
        (deployed,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return []
        raise
    return [output["ExportName"] for output in deployed.get("Outputs", []) if output.get("ExportName")]


def _importing(cloudformation: Any, export: str) -> list[str]:
    try:
        return list(cloudformation.list_imports(ExportName=export)["Imports"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # no stack imports it
            return []
        raise
