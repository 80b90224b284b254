"""Many items: by key, a hundred a request, and by query, page after page."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import unavailable
from agent_memory.storage.dynamodb.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS_PER_REQUEST = 100
_LATER_PAGES_FACTOR = 4


def get_items(client: "DynamoDBClient", table: str, keys: Sequence[Item]) -> list[Item]:
    """The items with these keys, in no order; what does not exist is left out. Reads are consistent.

    Raises:
        Unavailable: DynamoDB did not answer, or kept leaving keys unprocessed.
    """

    def get_chunk(chunk: Sequence[Item]) -> list[Item]:
        return _get_chunk(client, table, chunk)

    groups = map_concurrently(get_chunk, list(chunks(keys, KEYS_PER_REQUEST)))
    return [item for group in groups for item in group]


def _get_chunk(client: "DynamoDBClient", table: str, keys: Sequence[Item]) -> list[Item]:
    pending: Any = {table: {"Keys": keys, "ConsistentRead": True}}
    items: list[Item] = []

    def read() -> bool:
        nonlocal pending
        with unavailable("DynamoDB"):
            answer = client.batch_get_item(RequestItems=pending)
        items.extend(cast("list[Item]", answer["Responses"].get(table, [])))
        pending = answer.get("UnprocessedKeys")
        return bool(pending)

    retry_while_pending(read, why="DynamoDB left keys unprocessed: the table is throttled")
    return items


def query_pages(client: "DynamoDBClient", table: str, **request: Any) -> Iterator[list[Item]]:
    """The pages of a query, each read when it is taken. With a `Limit`, later pages are larger: more is wanted.

    Raises:
        Unavailable: DynamoDB did not answer.
    """
    while True:
        with unavailable("DynamoDB"):
            page = client.query(TableName=table, **request)
        yield cast("list[Item]", page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        if "Limit" in request:
            request["Limit"] *= _LATER_PAGES_FACTOR
