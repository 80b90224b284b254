"""Reads of many items: by key, a hundred per request, and by queries and scans, page by page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import translated_errors
from agent_memory.storage.dynamodb.answers import items_as_json
from agent_memory.storage.dynamodb.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS_PER_REQUEST = 100
LATER_PAGES_FACTOR = 4
_MAX_LIMIT = 100_000  # more than a page of a megabyte has; DynamoDB refuses what is no 32-bit integer

NextLimit = Callable[[int, Mapping[str, Any]], int]
"""The limit of a query's next request, from the one before and its answer."""


def get_items(client: "DynamoDBClient", table: str, keys: Sequence[Item], *, consistent: bool = True) -> list[Item]:
    """The items with these keys, in no particular order; missing ones are left out.

    Raises:
        Unavailable: DynamoDB did not respond, or repeatedly left keys unprocessed.
    """

    def get_chunk(chunk: Sequence[Item]) -> list[Item]:
        return _get_chunk(client, table, chunk, consistent=consistent)

    groups = map_concurrently(get_chunk, list(chunks(keys, KEYS_PER_REQUEST)))
    return [item for group in groups for item in group]


def _get_chunk(client: "DynamoDBClient", table: str, keys: Sequence[Item], *, consistent: bool) -> list[Item]:
    pending: Any = {table: {"Keys": keys, "ConsistentRead": consistent}}
    items: list[Item] = []

    def read() -> bool:
        nonlocal pending
        with translated_errors("DynamoDB", table):
            response = client.batch_get_item(RequestItems=pending)
        items.extend(cast("list[Item]", response["Responses"].get(table, [])))
        pending = response.get("UnprocessedKeys")
        return bool(pending)

    retry_while_pending(read, why="DynamoDB left keys unprocessed: the table is throttled")
    return items


def query_pages(client: "DynamoDBClient", table: str, **request: Any) -> Iterator[list[Item]]:
    """The pages of a query, each read when it is consumed. With a `Limit`, it grows from page to page.

    Raises:
        Unavailable: DynamoDB did not respond.
    """
    return (items for items, _ in query_answers(client, table, **request))


def query_answers(
    client: "DynamoDBClient", table: str, *, next_limit: NextLimit | None = None, **request: Any
) -> Iterator[tuple[list[Item], Item | None]]:
    """The pages of a query, each with the key up to which it was read, None for the last one; see `query_pages`."""
    return _answers(client.query, {"TableName": table, **request}, next_limit or _grown)


def json_answers(
    client: "DynamoDBClient", table: str, *, next_limit: NextLimit | None = None, **request: Any
) -> Iterator[tuple[list[Any], Item | None]]:
    """As `query_answers`; where the client can do so, each item is its JSON, a `msgspec.Raw`."""

    def read(**request: Any) -> Any:
        with items_as_json():
            return client.query(**request)

    return _answers(read, {"TableName": table, **request}, next_limit or _grown)


def partition_pages(client: "DynamoDBClient", table: str, pk: str, **request: Any) -> Iterator[list[Item]]:
    """The pages of all items with a partition key, read consistently; see `query_pages`."""
    return query_pages(client, table, **partition_query(pk), **request)


def partition_query(pk: str) -> dict[str, Any]:
    """The query for all items with a partition key, read consistently."""
    values = {":pk": {"S": pk}}
    return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values, "ConsistentRead": True}


def scan_pages(client: "DynamoDBClient", table: str, **request: Any) -> Iterator[list[Item]]:
    """The pages of a scan of the table, each read when it is consumed.

    Raises:
        Unavailable: DynamoDB did not respond.
    """
    return (items for items, _ in _answers(client.scan, {"TableName": table, **request}, _grown))


def _grown(limit: int, _: Mapping[str, Any]) -> int:
    return limit * LATER_PAGES_FACTOR


def _answers(
    read: Callable[..., Any], request: dict[str, Any], next_limit: NextLimit
) -> Iterator[tuple[list[Item], Item | None]]:
    while True:
        with translated_errors("DynamoDB", request["TableName"]):
            page = read(**request)
        yield cast("list[Item]", page["Items"]), page.get("LastEvaluatedKey")
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        if "Limit" in request:
            request["Limit"] = min(next_limit(request["Limit"], page), _MAX_LIMIT)
