"""`python -m local.protection`: protect the tables of a deployment, and the stack that has them, from deletion.

It follows a deployment that has succeeded. CloudFormation could not roll back a first deployment that fails, nor delete
what is left of it, if stack and tables were protected from the beginning.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.assembly import Assembly, Stack
from local.layout import ROOT

OUTPUT = ROOT / "cdk.out"
"""The folder into which `cdk` writes the stacks, by default."""

_DEPLOYED = frozenset(
    {
        *("CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"),
        *("UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"),
    }
)
_DEFAULT_REGION = "us-east-1"  # of CDK, where neither settings nor credentials name one
_KEPT = frozenset({"Retain", "RetainExceptOnCreate"})


def protect(stack: Stack, session: boto3.Session, *, only_again: bool = False) -> list[str]:
    """Protect a stack that keeps its tables, and these tables; other stacks are left as they are.

    Args:
        stack: the stack; it may or may not be deployed.
        session: a session of the stack's account and region.
        only_again: protect only a stack that was protected before, as one of its tables shows.

    Returns:
        The names of the stack and the tables that were not protected before.
    """
    tables = list(_kept_tables(stack))
    if not tables:
        return []
    cloudformation = session.client("cloudformation")
    deployed = _describe(cloudformation, stack.name)
    if deployed is None:
        return []
    dynamodb = session.client("dynamodb")
    unprotected = [table for table in tables if not _is_protected(dynamodb, table)]
    if only_again and len(unprotected) == len(tables):
        return []
    protected = []
    if not deployed.get("EnableTerminationProtection"):
        cloudformation.update_termination_protection(StackName=stack.name, EnableTerminationProtection=True)
        protected.append(stack.name)
    for table in unprotected:
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
        protected.append(table)
    return protected


def protect_assembly(folder: Path, *, profile: str | None = None, only_again: bool = False) -> None:
    """Protect the deployed stacks of an assembly with the caller's credentials, and print what was protected.

    With `only_again`, only those that were protected before.

    Raises:
        SystemExit: AWS refused it; the message says what to do.
    """
    for stack in Assembly(folder).stacks():
        try:
            session = _session(stack, profile)
            _check_account(stack, session)
            protected = protect(stack, session, only_again=only_again)
        except (BotoCoreError, ClientError) as error:
            sys.exit(
                f"Error: {stack.name} and its tables are not protected from deletion: {error}. Allow "
                "cloudformation:UpdateTerminationProtection and dynamodb:UpdateTable, then run make protect"
            )
        for name in protected:
            print(f"{name} is protected from deletion", file=sys.stderr)


def _session(stack: Stack, profile: str | None) -> boto3.Session:
    """A session of the region into which CDK deploys a stack, which boto3 alone may take for another one."""
    region = stack.region or os.environ.get("AWS_REGION")
    session = boto3.Session(profile_name=profile, region_name=region)
    return session if session.region_name else boto3.Session(profile_name=profile, region_name=_DEFAULT_REGION)


def _check_account(stack: Stack, session: boto3.Session) -> None:
    """End the program if the stack is of another account, into which CDK deploys with a role of that account."""
    if stack.account is None or not any(_kept_tables(stack)):
        return
    account = session.client("sts").get_caller_identity()["Account"]
    if account != stack.account:
        sys.exit(
            f"Error: {stack.name} and its tables are not protected from deletion: they are in the account "
            f"{stack.account}, and these credentials are of {account}. Run make protect with credentials of "
            f"{stack.account}"
        )


def _kept_tables(stack: Stack) -> Iterator[str]:
    for resource in stack.template.get("Resources", {}).values():
        if resource["Type"] == "AWS::DynamoDB::Table" and resource.get("DeletionPolicy") in _KEPT:
            yield resource["Properties"]["TableName"]


def _is_protected(dynamodb: Any, table: str) -> bool:
    return bool(dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"))


def _describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """The stack if it is deployed; None if there is none, or its first deployment failed."""
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return stack if stack["StackStatus"] in _DEPLOYED else None


if __name__ == "__main__":
    protect_assembly(OUTPUT)
