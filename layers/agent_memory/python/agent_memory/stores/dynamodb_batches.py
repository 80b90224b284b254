"""Items by key, a hundred a request."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from agent_memory.errors import Unavailable
from agent_memory.stores.aws_errors import unavailable
from agent_memory.stores.concurrently import chunks, map_concurrently
from agent_memory.stores.dynamodb_items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS_A_REQUEST = 100
_ROUNDS = 8
_FIRST_PAUSE_SECONDS = 0.025


def get_items(client: "DynamoDBClient", table: str, keys: Sequence[Item]) -> list[Item]:
    """The items with these keys, in no order; what does not exist is left out. Reads are consistent.

    Raises:
        Unavailable: DynamoDB did not answer, or kept leaving keys unprocessed.
    """

    def get_chunk(chunk: Sequence[Item]) -> list[Item]:
        return _get_chunk(client, table, chunk)

    groups = map_concurrently(get_chunk, list(chunks(keys, KEYS_A_REQUEST)))
    return [item for group in groups for item in group]


def _get_chunk(client: "DynamoDBClient", table: str, keys: Sequence[Item]) -> list[Item]:
    wanted: Any = {table: {"Keys": keys, "ConsistentRead": True}}
    items: list[Item] = []
    for round_number in range(_ROUNDS):
        with unavailable("DynamoDB"):
            answer = client.batch_get_item(RequestItems=wanted)
        items += cast("list[Item]", answer["Responses"].get(table, []))
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return items
        time.sleep(_FIRST_PAUSE_SECONDS * 2**round_number)
    raise Unavailable("DynamoDB left keys unprocessed: the table is throttled")
