"""The tables and the bucket in an emulator whose CloudFormation does not create them."""

from collections.abc import Iterable
from typing import Any

from agent_memory.core.errors import AgentMemoryError
from agent_memory.storage.provisioning import create_tables_if_not_exist
from local.answers import REFUSALS, reason_of
from local.assembly import Stack
from local.session import LocalSession


def ensure_storage(session: LocalSession, stacks: Iterable[Stack], outputs: dict[str, str]) -> list[str]:
    """Create the tables and the bucket that are missing, through the services' APIs, so that clients can use them.

    What an earlier call has created is found again.

    Args:
        session: a session of the emulator.
        stacks: all stacks, of which the one with the output `TablePrefix` defines the storage.
        outputs: the outputs of the deployed stacks; `TablePrefix` and `ArchiveBucketName` are added where missing.

    Returns:
        A line for what was created now, or refused.
    """
    prefix = outputs.get("TablePrefix") or _constant_output(stacks, "TablePrefix")
    if prefix is None:  # an app without the product's storage
        return []
    lines = _ensure_tables(session, prefix, outputs)
    try:
        return lines + _ensure_bucket(session, prefix, outputs)
    except REFUSALS as error:
        outputs.pop("ArchiveBucketName", None)
        return [*lines, f"archive: no bucket can be created: {reason_of(error)}"]


def _ensure_tables(session: LocalSession, prefix: str, outputs: dict[str, str]) -> list[str]:
    try:
        created = create_tables_if_not_exist(session.client("dynamodb"), prefix)
    except (AgentMemoryError, *REFUSALS) as error:
        return [f"tables: {reason_of(error)}"]
    outputs["TablePrefix"] = prefix
    return [f"tables: created through DynamoDB itself: {', '.join(created)}"] if created else []


def _ensure_bucket(session: LocalSession, prefix: str, outputs: dict[str, str]) -> list[str]:
    s3 = session.client("s3")
    present = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    if outputs.get("ArchiveBucketName") in present:
        return []
    name = f"{prefix}-archive-local"
    outputs["ArchiveBucketName"] = name
    if name in present:
        return []
    s3.create_bucket(Bucket=name)
    return [f"archive: created through S3 itself: {name}"]


def _constant_output(stacks: Iterable[Stack], key: str) -> str | None:
    values: list[Any] = [stack.template.get("Outputs", {}).get(key, {}).get("Value") for stack in stacks]
    return next((value for value in values if isinstance(value, str)), None)
