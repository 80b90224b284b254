"""Removes every item of one agent from a table, whatever partitions they are in."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from agent_memory.core.concurrency import chunks
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import unavailable
from agent_memory.storage.dynamodb.items import Item, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DELETES_PER_REQUEST = 25


def erase_items(client: "DynamoDBClient", table: str, agent_id: str, *, dry_run: bool) -> int:
    """Delete an agent's items, or only count them; returns how many.

    The table is scanned: partitions of sharded decisions, of links and of removed memories' histories are found
    whether anything refers to them or not. Erasure is rare enough for that.

    Raises:
        Unavailable: DynamoDB did not answer; erasing again goes on where it stopped.
    """
    erased = 0
    for page in _pages(client, table, agent_id):
        for keys in chunks(page, _DELETES_PER_REQUEST):
            if not dry_run:
                _delete(client, table, keys)
            erased += len(keys)
    return erased


def _pages(client: "DynamoDBClient", table: str, agent_id: str) -> Iterator[list[Item]]:
    # An agent id holds no "#", so that no other agent's partitions begin the same way.
    request: dict[str, Any] = {
        "TableName": table,
        "FilterExpression": "pk = :own OR begins_with(pk, :partitions)",
        "ExpressionAttributeValues": {":own": text(agent_id), ":partitions": text(f"{agent_id}#")},
        "ProjectionExpression": "pk, sk",
        "ConsistentRead": True,
    }
    while True:
        with unavailable("DynamoDB"):
            page = client.scan(**request)
        yield cast("list[Item]", page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _delete(client: "DynamoDBClient", table: str, keys: Sequence[Item]) -> None:
    pending: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys]}

    def delete() -> bool:
        nonlocal pending
        with unavailable("DynamoDB"):
            pending = client.batch_write_item(RequestItems=pending).get("UnprocessedItems")
        return bool(pending)

    retry_while_pending(delete, why="DynamoDB left deletions unprocessed: the table is throttled")
