"""Removes every item of one agent from a table, whatever partitions they lie in."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from agent_memory.core.concurrency import chunks
from agent_memory.core.errors import Unavailable
from agent_memory.storage.aws_errors import unavailable
from agent_memory.storage.dynamodb.items import Item, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DELETES_A_REQUEST = 25
_ROUNDS = 8
_FIRST_PAUSE_SECONDS = 0.05


def erase_items(client: "DynamoDBClient", table: str, agent_id: str, *, dry_run: bool) -> int:
    """Delete an agent's items, or only count them; returns how many.

    The whole table is read: partitions of sharded decisions, of links and of removed memories' histories are found
    whether anybody remembers them or not. Forgetting is rare enough for that.

    Raises:
        Unavailable: DynamoDB did not answer; erasing again goes on where it stopped.
    """
    erased = 0
    for page in _pages(client, table, agent_id):
        for keys in chunks(page, _DELETES_A_REQUEST):
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
    wanted: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys]}
    for round_number in range(_ROUNDS):
        with unavailable("DynamoDB"):
            wanted = client.batch_write_item(RequestItems=wanted).get("UnprocessedItems")
        if not wanted:
            return
        time.sleep(_FIRST_PAUSE_SECONDS * 2**round_number)
    raise Unavailable("DynamoDB left deletions unprocessed: the table is throttled")
