"""Long-term memory in DynamoDB: current versions by key, every version in a partition of its own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from agent_memory.errors import Conflict
from agent_memory.keys import history_pk, memory_pk
from agent_memory.models import Memory
from agent_memory.schema import BY_CONFIDENCE, MEMORIES
from agent_memory.stores.aws_errors import unavailable
from agent_memory.stores.dynamodb_batches import get_items
from agent_memory.stores.dynamodb_items import Item, history_item, memory_from, memory_item, number, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDBMemories:
    """`MemoryStore` on the table `agent_memory_ltm`."""

    def __init__(self, client: "DynamoDBClient", table_prefix: str) -> None:
        self._client = client
        self._table = MEMORIES.full_name(table_prefix)

    def put(self, memory: Memory) -> None:
        """Write version n, given that n - 1 is the current one; else `Conflict`. Every version is kept."""
        current: Any = {
            "TableName": self._table,
            "Item": memory_item(memory),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if memory.version > 1:
            current["ConditionExpression"] = "version = :before"
            current["ExpressionAttributeValues"] = {":before": number(memory.version - 1)}
        kept: Any = {"TableName": self._table, "Item": history_item(memory)}
        try:
            with unavailable("DynamoDB"):
                self._client.transact_write_items(TransactItems=[{"Put": current}, {"Put": kept}])
        except ClientError as error:
            raise Conflict(
                f"{memory.memory_type} {memory.pattern_id}: another writer came first; "
                f"version {memory.version} does not follow the current one"
            ) from error

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        key = {"pk": text(memory_pk(agent_id, memory_type)), "sk": text(pattern_id)}
        with unavailable("DynamoDB"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return memory_from(cast("Item", answer["Item"])) if "Item" in answer else None

    def by_confidence(self, agent_id: str, memory_type: str, min_confidence: float = 0.0) -> Iterator[Memory]:
        """Memories of a type, most confident first."""
        pages = self._pages(
            IndexName=BY_CONFIDENCE.name,
            KeyConditionExpression="pk = :pk AND confidence >= :least",
            ExpressionAttributeValues={
                ":pk": text(memory_pk(agent_id, memory_type)),
                ":least": number(min_confidence),
            },
            ScanIndexForward=False,
        )
        for page in pages:
            keys = [{"pk": entry["pk"], "sk": entry["sk"]} for entry in page]
            found = {item["sk"]["S"]: item for item in get_items(self._client, self._table, keys)}
            yield from (memory_from(found[key["sk"]["S"]]) for key in keys if key["sk"]["S"] in found)

    def history(self, agent_id: str, memory_type: str, pattern_id: str) -> list[Memory]:
        """Every version of a memory, oldest first."""
        pages = self._pages(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :pattern)",
            ExpressionAttributeValues={
                ":pk": text(history_pk(agent_id, memory_type)),
                ":pattern": text(f"{pattern_id}#"),
            },
            ConsistentRead=True,
        )
        return [memory_from(item) for page in pages for item in page]

    def delete(self, memory: Memory) -> None:
        """Remove a memory, given that this is still its version; else `Conflict`. Its history stays."""
        try:
            with unavailable("DynamoDB"):
                self._client.delete_item(
                    TableName=self._table,
                    Key={"pk": text(memory_pk(memory.agent_id, memory.memory_type)), "sk": text(memory.pattern_id)},
                    ConditionExpression="attribute_not_exists(pk) OR version = :version",
                    ExpressionAttributeValues={":version": number(memory.version)},
                )
        except ClientError as error:
            raise Conflict(f"{memory.memory_type} {memory.pattern_id} has changed meanwhile") from error

    def _pages(self, **request: Any) -> Iterator[list[Item]]:
        while True:
            with unavailable("DynamoDB"):
                page = self._client.query(TableName=self._table, **request)
            yield cast("list[Item]", page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
