"""PartiQL statements on the table of decisions, 25 per request, each with its own result."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import is_failed_condition, is_transient, service_error, translated_errors
from agent_memory.storage.dynamodb.attribute_values import AttributeValue
from agent_memory.storage.dynamodb.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

_STATEMENTS_PER_REQUEST = 25


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
            with translated_errors("DynamoDB", self._table):
                response = self._client.batch_execute_statement(Statements=[statements[index] for index in pending])
            results = dict(zip(pending, map(self._was_refused, response["Responses"]), strict=True))
            refused.update({index: one for index, one in results.items() if one is not None})
            pending = [index for index in pending if index not in refused]
            return bool(pending)

        retry_while_pending(execute, why="DynamoDB kept throttling the statements of a batch")
        return [refused[index] for index in range(len(statements))]

    def _was_refused(self, response: "BatchStatementResponseTypeDef") -> bool | None:
        """Whether what is stored refused a statement; None if it has to be sent again."""
        error = response.get("Error")
        if error is None:
            return False
        code = str(error.get("Code", ""))
        if is_failed_condition(code):
            return True
        if is_transient(code):
            return None
        where = f"DynamoDB {self._table}"
        operation = "dynamodb:PartiQLInsert and dynamodb:PartiQLUpdate"
        raise service_error(code, str(error.get("Message", "")), where, operation=operation, field="decision")
