"""Statements on the table of decisions, run 25 a request, each with an answer of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.retries import retry_while_pending
from agent_memory.storage.aws_errors import unavailable
from agent_memory.storage.dynamodb.attribute_values import AttributeValue
from agent_memory.storage.dynamodb.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

_STATEMENTS_PER_REQUEST = 25
_REFUSED = frozenset({"DuplicateItem", "ConditionalCheckFailed"})
_LATER = frozenset(
    {"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "InternalServerError"}
    | {"TransactionConflict"}
)


class Statements:
    """Writes to one table by PartiQL: an INSERT refuses an existing key, an UPDATE a failed condition."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def insert(self, item: Item) -> "BatchStatementRequestTypeDef":
        """Write an item unless its key is taken."""
        fields = ", ".join(f"'{name}': ?" for name in item)
        return {"Statement": f'INSERT INTO "{self._table}" VALUE {{{fields}}}', "Parameters": list(item.values())}

    def update(
        self, key: Item, values: "dict[str, AttributeValue]", condition: str = "", *compared: AttributeValue
    ) -> "BatchStatementRequestTypeDef":
        """Set attributes of an item that is there and meets the condition, whose `?` are the values compared with."""
        assignments = " ".join(f'SET "{name}"=?' for name in values)
        return {
            "Statement": f'UPDATE "{self._table}" {assignments} WHERE "pk"=? AND "sk"=?{condition}',
            "Parameters": [*values.values(), key["pk"], key["sk"], *compared],
        }

    def run(self, statements: "Sequence[BatchStatementRequestTypeDef]") -> list[bool]:
        """Whether each statement was refused, in order.

        A repeated request is safe: what took effect the first time is refused the second time, and the caller's
        comparison with what is stored then says that nothing has changed.

        Raises:
            InvalidInput: DynamoDB cannot store a value. Unavailable: it did not answer, or kept throttling.
        """
        answers = map_concurrently(self._run_chunk, list(chunks(statements, _STATEMENTS_PER_REQUEST)))
        return [refused for answer in answers for refused in answer]

    def _run_chunk(self, statements: "Sequence[BatchStatementRequestTypeDef]") -> list[bool]:
        refused: dict[int, bool] = {}
        pending = list(range(len(statements)))

        def execute() -> bool:
            nonlocal pending
            with unavailable("DynamoDB"):
                answer = self._client.batch_execute_statement(Statements=[statements[index] for index in pending])
            codes = dict(zip(pending, map(_code_of, answer["Responses"]), strict=True))
            refused.update({index: code in _REFUSED for index, code in codes.items() if code not in _LATER})
            pending = [index for index in pending if index not in refused]
            return bool(pending)

        retry_while_pending(execute, why="DynamoDB kept throttling statements of a batch")
        return [refused[index] for index in range(len(statements))]


def _code_of(response: "BatchStatementResponseTypeDef") -> str | None:
    error = response.get("Error")
    if error is None:
        return None
    code = str(error.get("Code", ""))
    if code in _REFUSED or code in _LATER:
        return code
    if code == "ValidationError":
        raise InvalidInput("decision", error.get("Message", "DynamoDB refused it"))
    raise Unavailable(f"DynamoDB refused a statement: {code}")
