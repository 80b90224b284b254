"""PartiQL statements on the table of decisions, 25 per request, each with its own result."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import translated_errors
from agent_memory.storage.dynamodb.attribute_values import AttributeValue
from agent_memory.storage.dynamodb.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

_STATEMENTS_PER_REQUEST = 25
_REFUSAL_CODES = frozenset({"DuplicateItem", "ConditionalCheckFailed"})
_RETRYABLE_CODES = frozenset(
    {"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "InternalServerError"}
    | {"TransactionConflict"}
)


class Statements:
    """Writes to one table with PartiQL: an INSERT is refused if the key exists, an UPDATE if its condition fails."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def insert(self, item: Item) -> "BatchStatementRequestTypeDef":
        """The statement that writes an item unless its key exists."""
        fields = ", ".join(f"'{name}': ?" for name in item)
        return {"Statement": f'INSERT INTO "{self._table}" VALUE {{{fields}}}', "Parameters": list(item.values())}

    def update(
        self, key: Item, values: "dict[str, AttributeValue]", condition: str = "", *compared: AttributeValue
    ) -> "BatchStatementRequestTypeDef":
        """The statement that sets attributes of an existing item that meets a condition; `compared` are its `?`."""
        assignments = " ".join(f'SET "{name}"=?' for name in values)
        return {
            "Statement": f'UPDATE "{self._table}" {assignments} WHERE "pk"=? AND "sk"=?{condition}',
            "Parameters": [*values.values(), key["pk"], key["sk"], *compared],
        }

    def run(self, statements: "Sequence[BatchStatementRequestTypeDef]") -> list[bool]:
        """Run the statements; returns whether each was refused, in order.

        A retry is safe: a statement that took effect is refused when it is repeated, and the caller then finds that the
        stored item is equal.

        Raises:
            InvalidInput: DynamoDB cannot store a value. Unavailable: it did not respond, or kept throttling.
        """
        results = map_concurrently(self._run_chunk, list(chunks(statements, _STATEMENTS_PER_REQUEST)))
        return [was_refused for result in results for was_refused in result]

    def _run_chunk(self, statements: "Sequence[BatchStatementRequestTypeDef]") -> list[bool]:
        refused: dict[int, bool] = {}
        pending = list(range(len(statements)))

        def execute() -> bool:
            nonlocal pending
            with translated_errors("DynamoDB"):
                response = self._client.batch_execute_statement(Statements=[statements[index] for index in pending])
            codes = dict(zip(pending, map(_error_code, response["Responses"]), strict=True))
            refused.update(
                {index: code in _REFUSAL_CODES for index, code in codes.items() if code not in _RETRYABLE_CODES}
            )
            pending = [index for index in pending if index not in refused]
            return bool(pending)

        retry_while_pending(execute, why="DynamoDB kept throttling the statements of a batch")
        return [refused[index] for index in range(len(statements))]


def _error_code(response: "BatchStatementResponseTypeDef") -> str | None:
    error = response.get("Error")
    if error is None:
        return None
    code = str(error.get("Code", ""))
    if code in _REFUSAL_CODES or code in _RETRYABLE_CODES:
        return code
    if code == "ValidationError":
        raise InvalidInput("decision", error.get("Message", "DynamoDB refused it"))
    raise Unavailable(f"DynamoDB refused a statement: {code}")
