"""The decision log in DynamoDB.

One decision is one conditional put; a batch goes out as PartiQL statements, 25 a request, because
a PartiQL INSERT refuses an existing key and an UPDATE can be told to meet no outcome yet. (A
BatchWriteItem put would wipe an outcome that was logged meanwhile.)
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from agent_memory.clock import Clock, SystemClock, to_iso
from agent_memory.codec import AttributeValue
from agent_memory.errors import InvalidInput, Unavailable
from agent_memory.keys import decision_pk
from agent_memory.models import Decision, Outcome
from agent_memory.schema import DECISIONS
from agent_memory.stores.aws_errors import unavailable
from agent_memory.stores.base import DecisionKey, Span, Written
from agent_memory.stores.concurrently import chunks, map_concurrently
from agent_memory.stores.dynamodb_batches import get_items
from agent_memory.stores.dynamodb_items import (
    Item,
    decision_from,
    decision_item,
    decision_key_item,
    outcome_attributes,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

_STATEMENTS_A_REQUEST = 25
_REFUSED = frozenset({"DuplicateItem", "ConditionalCheckFailed"})


class DynamoDBDecisions:
    """`DecisionStore` on the table `agent_decisions`. Retries are botocore's."""

    def __init__(self, client: "DynamoDBClient", table_prefix: str, clock: Clock | None = None) -> None:
        self._client = client
        self._table = DECISIONS.full_name(table_prefix)
        self._clock = clock or SystemClock()

    def insert(self, decisions: Sequence[Decision]) -> list[Written]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order."""
        if len(decisions) == 1:
            return [self._put(decisions[0])]
        statements = [self._insert_statement(decision_item(decision)) for decision in decisions]
        taken = [code in _REFUSED for code in self._execute(statements)]
        present = self._present([DecisionKey.of(d) for d, is_taken in zip(decisions, taken, strict=True) if is_taken])
        return [
            _compare(present.get(d.decision_id), d) if is_taken else Written.CREATED
            for d, is_taken in zip(decisions, taken, strict=True)
        ]

    def record_outcomes(self, outcomes: Sequence[tuple[DecisionKey, Outcome]]) -> list[Written]:
        """Add each outcome unless there is one: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        if len(outcomes) == 1:
            return [self._update(*outcomes[0])]
        statements = [self._outcome_statement(key, outcome) for key, outcome in outcomes]
        refused = [code in _REFUSED for code in self._execute(statements)]
        present = self._present([key for (key, _), was in zip(outcomes, refused, strict=True) if was])
        return [
            self._settle(present.get(key.decision_id), key, outcome) if was else Written.CREATED
            for (key, outcome), was in zip(outcomes, refused, strict=True)
        ]

    def get(self, keys: Sequence[DecisionKey]) -> list[Decision | None]:
        """The decisions with these keys, in order; None for what is not here."""
        if len(keys) == 1:
            return [self._get_one(keys[0])]
        present = self._present(keys)
        return [present.get(key.decision_id) for key in keys]

    def scan_type(
        self, agent_id: str, decision_type: str, span: Span, *, newest_first: bool = True
    ) -> Iterator[Decision]:
        """Decisions of one type in a span, ordered by time and id; read page by page as they are taken."""
        if span.start_ms >= span.end_ms:
            return
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": decision_pk(agent_id, decision_type)},
                ":first": {"S": to_iso(span.start_ms)},
                ":last": {"S": to_iso(span.end_ms - 1) + "#~"},
            },
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
        }
        while True:
            with unavailable("DynamoDB"):
                page = self._client.query(**request)
            yield from (decision_from(item) for item in self._living(cast("list[Item]", page["Items"])))
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def expire(self, keys: Sequence[DecisionKey], at_ms: Sequence[int]) -> None:
        """Let each decision vanish from its own moment on. What is not here any more is passed over."""
        statements: list[BatchStatementRequestTypeDef] = [
            {
                "Statement": f'UPDATE "{self._table}" SET "ttl"=? WHERE "pk"=? AND "sk"=?',  # noqa: S608  our own name
                "Parameters": [{"N": str(moment // 1000)}, *decision_key_item(key).values()],
            }
            for key, moment in zip(keys, at_ms, strict=True)
        ]
        self._execute(statements)

    def _put(self, decision: Decision) -> Written:
        try:
            with unavailable("DynamoDB"):
                self._client.put_item(
                    TableName=self._table,
                    Item=decision_item(decision),
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            return _compare(self._refused_by(error), decision)
        return Written.CREATED

    def _update(self, key: DecisionKey, outcome: Outcome) -> Written:
        added = outcome_attributes(key, outcome)
        names = {f"#{index}": name for index, name in enumerate(added)}
        values = {f":{name[1:]}": added[names[name]] for name in names}
        try:
            with unavailable("DynamoDB"):
                self._client.update_item(
                    TableName=self._table,
                    Key=decision_key_item(key),
                    UpdateExpression="SET " + ", ".join(f"{name} = :{name[1:]}" for name in names),
                    ConditionExpression="attribute_exists(pk) AND attribute_not_exists(success) "
                    "AND (attribute_not_exists(#ttl) OR #ttl > :now)",
                    ExpressionAttributeNames={**names, "#ttl": "ttl"},
                    ExpressionAttributeValues={**values, ":now": self._now()},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            return _compare_outcome(self._refused_by(error), outcome)
        return Written.CREATED

    def _refused_by(self, error: ClientError) -> Decision | None:
        """The decision that stood in a conditional write's way."""
        item = cast("dict[str, Any]", error.response).get("Item")
        living = self._living([item] if item else [])
        return decision_from(living[0]) if living else None

    def _get_one(self, key: DecisionKey) -> Decision | None:
        with unavailable("DynamoDB"):
            answer = self._client.get_item(TableName=self._table, Key=decision_key_item(key), ConsistentRead=True)
        living = self._living([cast("Item", answer["Item"])] if "Item" in answer else [])
        return decision_from(living[0]) if living else None

    def _insert_statement(self, item: Item) -> "BatchStatementRequestTypeDef":
        fields = ", ".join(f"'{name}': ?" for name in item)
        statement = f'INSERT INTO "{self._table}" VALUE {{{fields}}}'
        return {"Statement": statement, "Parameters": list(item.values())}

    def _outcome_statement(self, key: DecisionKey, outcome: Outcome) -> "BatchStatementRequestTypeDef":
        added = outcome_attributes(key, outcome)
        assignments = " ".join(f'SET "{name}"=?' for name in added)
        return {
            "Statement": f'UPDATE "{self._table}" {assignments} WHERE "pk"=? AND "sk"=? '
            'AND "success" IS MISSING AND "ttl" IS MISSING',
            "Parameters": [*added.values(), *decision_key_item(key).values()],
        }

    def _settle(self, present: Decision | None, key: DecisionKey, outcome: Outcome) -> Written:
        """What became of an outcome whose statement was refused.

        Statements pass over decisions that have an expiry, because PartiQL cannot ask whether that has come; a
        late outcome is one conditional update of its own.
        """
        if present is not None and present.outcome is None:
            return self._update(key, outcome)
        return _compare_outcome(present, outcome)

    def _execute(self, statements: "Sequence[BatchStatementRequestTypeDef]") -> list[str | None]:
        """Run statements, 25 a request; each one's error code, None where it took effect.

        A repeated request is safe: what took effect the first time is refused the second time, and the
        comparison with what is stored then says UNCHANGED.
        """
        answers = map_concurrently(self._execute_request, list(chunks(statements, _STATEMENTS_A_REQUEST)))
        return [_code_of(response) for answer in answers for response in answer]

    def _execute_request(
        self, statements: "Sequence[BatchStatementRequestTypeDef]"
    ) -> "Sequence[BatchStatementResponseTypeDef]":
        with unavailable("DynamoDB"):
            return self._client.batch_execute_statement(Statements=statements)["Responses"]

    def _present(self, keys: Sequence[DecisionKey]) -> dict[str, Decision]:
        if not keys:
            return {}
        unique = {key.decision_id: decision_key_item(key) for key in keys}
        found = self._living(get_items(self._client, self._table, list(unique.values())))
        return {item["decision_id"]["S"]: decision_from(item) for item in found}

    def _now(self) -> AttributeValue:
        return {"N": str(self._clock.now_ms() // 1000)}

    def _living(self, items: list[Item]) -> list[Item]:
        """Items that have not expired: DynamoDB deletes them late, up to days."""
        now_seconds = self._clock.now_ms() / 1000
        return [item for item in items if "ttl" not in item or float(item["ttl"]["N"]) > now_seconds]


def _code_of(response: "BatchStatementResponseTypeDef") -> str | None:
    error = response.get("Error")
    if error is None:
        return None
    code = str(error.get("Code", ""))
    if code in _REFUSED:
        return code
    if code == "ValidationError":
        raise InvalidInput("decision", error.get("Message", "DynamoDB refused it"))
    raise Unavailable(f"DynamoDB refused a statement: {code}")


def _compare(present: Decision | None, wanted: Decision) -> Written:
    if present is None:
        # It was there when the write was refused and has expired since: its id stays taken.
        return Written.CONFLICT
    return Written.UNCHANGED if present.content() == wanted.content() else Written.CONFLICT


def _compare_outcome(present: Decision | None, wanted: Outcome) -> Written:
    if present is None or present.outcome is None:
        return Written.NOT_FOUND
    return Written.UNCHANGED if present.outcome.content() == wanted.content() else Written.CONFLICT
