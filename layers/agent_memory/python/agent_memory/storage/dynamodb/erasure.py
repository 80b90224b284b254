"""Removes every item of one agent from a table, in all partitions."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.core.concurrency import chunks
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import translated_errors
from agent_memory.storage.dynamodb.batches import scan_pages
from agent_memory.storage.dynamodb.items import Item, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DELETES_PER_REQUEST = 25


def _one(_item: Item) -> int:
    return 1


def erase_items(
    client: "DynamoDBClient",
    table: str,
    agent_id: str,
    *,
    dry_run: bool,
    count: Callable[[Item], int] = _one,
    attributes: Sequence[str] = (),
) -> int:
    """Delete an agent's items, or only count them; returns how many.

    Args:
        client: of DynamoDB.
        table: the full name of the table.
        agent_id: the agent.
        dry_run: whether they are only counted.
        count: what each item counts for, by its key and these attributes.
        attributes: attributes that `count` needs.

    The table is scanned, because nothing else finds all partitions: those of sharded decisions, of links and of the
    histories of removed memories. Erasure is rare enough for that.

    Raises:
        Unavailable: DynamoDB did not respond; a retry erases the rest.
    """
    # No agent id contains a "#", so that no other agent's partitions begin in the same way.
    pages = scan_pages(
        client,
        table,
        FilterExpression="pk = :own OR begins_with(pk, :partitions)",
        ExpressionAttributeValues={":own": text(agent_id), ":partitions": text(f"{agent_id}#")},
        ProjectionExpression=", ".join(("pk", "sk", *attributes)),
        ConsistentRead=True,
    )
    erased = 0
    for page in pages:
        for items in chunks(page, _DELETES_PER_REQUEST):
            if not dry_run:
                _delete(client, table, [{"pk": item["pk"], "sk": item["sk"]} for item in items])
            erased += sum(map(count, items))
    return erased


def _delete(client: "DynamoDBClient", table: str, keys: Sequence[Item]) -> None:
    pending: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys]}

    def delete() -> bool:
        nonlocal pending
        with translated_errors("DynamoDB", table):
            pending = client.batch_write_item(RequestItems=pending).get("UnprocessedItems")
        return bool(pending)

    retry_while_pending(delete, why="DynamoDB left deletions unprocessed: the table is throttled")
