"""The decision log in DynamoDB.

One decision is one conditional put; a batch goes out as PartiQL statements, 25 a request, because
a PartiQL INSERT refuses an existing key and an UPDATE can be told to meet no outcome yet. (A
BatchWriteItem put would wipe an outcome that was logged meanwhile.)
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from agent_memory.core.clock import DAY_MS, Clock, Span, SystemClock
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Unavailable
from agent_memory.core.keys import link_pk
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import Report, apply_outcome
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.decisions import DecisionKey, Link, Selection, WriteStatus
from agent_memory.storage.aws_errors import unavailable
from agent_memory.storage.dynamodb.attribute_values import AttributeValue
from agent_memory.storage.dynamodb.batches import get_items
from agent_memory.storage.dynamodb.decision_items import (
    OUTCOME_ATTRIBUTES,
    all_outcomes,
    decision_from,
    decision_item,
    decision_key_item,
    first_outcome,
    link_from,
    link_item,
)
from agent_memory.storage.dynamodb.decision_scans import DecisionScans
from agent_memory.storage.dynamodb.erasure import erase_items
from agent_memory.storage.dynamodb.items import Item, text
from agent_memory.storage.dynamodb.large_parts import (
    INSERT_BUDGET_BYTES,
    ITEM_BUDGET_BYTES,
    OUTCOME_BUDGET_BYTES,
    LargeParts,
    with_pointers,
)
from agent_memory.storage.dynamodb.partiql import Statements
from agent_memory.storage.dynamodb.updates import changes
from agent_memory.storage.schema import DECISIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NO_OUTCOME_YET = ' AND "success" IS MISSING AND "ttl" IS MISSING'
_LIVING = "attribute_exists(pk) AND (attribute_not_exists(#ttl) OR #ttl > :now)"
# Writers of different outcomes of one decision that keep meeting each other would be a program gone wild.
_ATTEMPTS = 20


class DynamoDBDecisions:
    """`DecisionStore` on the table `agent_decisions`. Retries are botocore's."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_prefix: str,
        clock: Clock | None = None,
        *,
        blobs: BlobStore | None = None,
    ) -> None:
        self._client = client
        self._table = DECISIONS.full_name(table_prefix)
        self._clock = clock or SystemClock()
        self._large_parts = LargeParts(blobs)
        self._statements = Statements(client, self._table)
        self._scans = DecisionScans(client, self._table)

    # --- writing -------------------------------------------------------------------------------

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order."""
        encoded = [decision_item(decision) for decision in decisions]
        items = [
            self._fitted(DecisionKey.of(one), item, INSERT_BUDGET_BYTES)
            for one, item in zip(decisions, encoded, strict=True)
        ]
        if len(decisions) == 1:
            return [self._put(decisions[0], items[0])]
        taken = self._statements.run([self._statements.insert(item) for item in items])
        present = self._present([DecisionKey.of(d) for d, is_taken in zip(decisions, taken, strict=True) if is_taken])
        return [
            _compare(present.get(d.decision_id), d) if is_taken else WriteStatus.CREATED
            for d, is_taken in zip(decisions, taken, strict=True)
        ]

    def record_outcomes(self, reports: Sequence[tuple[DecisionKey, Report]]) -> list[WriteStatus]:
        """Take in each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        added = [self._first_outcome(key, report) for key, report in reports]
        if len(reports) == 1:
            return [self._update(*reports[0], added[0])]
        refused = self._statements.run(
            [
                self._statements.update(decision_key_item(key), item, _NO_OUTCOME_YET)
                for (key, _), item in zip(reports, added, strict=True)
            ]
        )
        standing = self._raws([key for (key, _), was_refused in zip(reports, refused, strict=True) if was_refused])
        return [
            self._settle(key, report, standing.get(key.decision_id)) if was_refused else WriteStatus.CREATED
            for (key, report), was_refused in zip(reports, refused, strict=True)
        ]

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Let each decision vanish from its own moment on, given that its outcomes are still those at hand."""
        statements = [
            self._statements.update(
                decision_key_item(DecisionKey.of(one)),
                {"ttl": {"N": str(moment // 1000)}},
                *_outcomes_unchanged(one),
            )
            for one, moment in zip(decisions, at_ms, strict=True)
        ]
        refused = self._statements.run(statements)
        return [not was_refused for was_refused in refused]

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that had left, with their outcomes, unless they are here."""
        map_concurrently(self._bring_back, decisions)

    def link(self, links: Sequence[Link]) -> None:
        """Note what came of earlier decisions. The same link again changes nothing."""
        kept_ms = EXPIRE_AFTER_DAYS * DAY_MS
        items = [link_item(one, one.descendant.timestamp_ms + kept_ms) for one in links]
        self._statements.run([self._statements.insert(item) for item in items])

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        return erase_items(self._client, self._table, agent_id, dry_run=dry_run)

    # --- reading -------------------------------------------------------------------------------

    def get(self, keys: Sequence[DecisionKey]) -> list[Decision | None]:
        """The decisions with these keys, in order; None for what is not here."""
        if len(keys) == 1:
            raw = self._raw(keys[0])
            return [self._decisions([raw])[0] if raw else None]
        present = self._present(keys)
        return [present.get(key.decision_id) for key in keys]

    def scan(
        self, wanted: Selection, span: Span, *, newest_first: bool = True, first: int | None = None
    ) -> Iterator[Decision]:
        """Decisions in a span, ordered by time and id; read page by page as they are taken."""
        for item in self._scans.items(wanted, span, newest_first=newest_first, first=first):
            for decision in self._decisions(self._living([item])):
                if wanted.matches(decision):
                    yield decision

    def links_from(self, agent_id: str, ancestor_id: str, *, most: int) -> list[Link]:
        """What came of a decision, oldest first, up to `most` links."""
        with unavailable("DynamoDB"):
            page = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": text(link_pk(agent_id, ancestor_id))},
                Limit=most,
                ConsistentRead=True,
            )
        return [link_from(agent_id, ancestor_id, cast("Item", item)) for item in page["Items"]]

    # --- inside --------------------------------------------------------------------------------

    def _put(self, decision: Decision, item: Item) -> WriteStatus:
        try:
            with unavailable("DynamoDB"):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            raw = self._standing(error)
            return _compare(self._decisions([raw])[0] if raw else None, decision)
        return WriteStatus.CREATED

    def _bring_back(self, decision: Decision) -> None:
        key = DecisionKey.of(decision)
        item = self._fitted(key, decision_item(decision) | all_outcomes(decision), ITEM_BUDGET_BYTES)
        try:
            with unavailable("DynamoDB"):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR #ttl <= :now",
                    ExpressionAttributeNames={"#ttl": "ttl"},
                    ExpressionAttributeValues={":now": {"N": str(self._now_seconds())}},
                )
        except ClientError:
            return  # it is here

    def _fitted(self, key: DecisionKey, item: Item, budget_bytes: int) -> Item:
        return self._large_parts.offload_to_fit(item, budget_bytes, agent_id=key.agent_id, decision_id=key.decision_id)

    def _first_outcome(self, key: DecisionKey, report: Report) -> Item:
        return self._fitted(key, first_outcome(key, report.outcome), OUTCOME_BUDGET_BYTES)

    def _update(self, key: DecisionKey, report: Report, added: Item) -> WriteStatus:
        """Add the first outcome in one request; where something stands already, settle with that."""
        try:
            self._update_item(key, {}, added, "attribute_not_exists(success)", {})
        except ClientError as error:
            return self._settle(key, report, self._standing(error))
        return WriteStatus.CREATED

    def _settle(self, key: DecisionKey, report: Report, raw: Item | None) -> WriteStatus:
        """Take an outcome into a decision that may have outcomes already, against the very item that was read."""
        for _ in range(_ATTEMPTS):
            if raw is None:
                return WriteStatus.NOT_FOUND
            (decision,) = self._decisions([raw])
            new = apply_outcome(decision, report, self._clock.now_ms())
            if new is None:
                return WriteStatus.CONFLICT
            if new is decision:
                return WriteStatus.UNCHANGED
            kept = {name: value for name, value in raw.items() if name not in with_pointers(OUTCOME_ATTRIBUTES)}
            item = self._fitted(key, kept | all_outcomes(new), ITEM_BUDGET_BYTES)
            unchanged, values = "attribute_not_exists(revision)", {}
            if decision.revision:
                unchanged, values = "revision = :seen", {":seen": {"N": str(decision.revision)}}
            if decision.outcome is None:
                unchanged += " AND attribute_not_exists(success)"
            try:
                self._update_item(key, raw, item, unchanged, values)
            except ClientError as error:
                raw = self._standing(error)
            else:
                return WriteStatus.CREATED
        raise Unavailable(f"other writers kept changing the outcomes of {key.decision_id}")

    def _update_item(self, key: DecisionKey, before: Item, after: Item, unchanged: str, values: Item) -> None:
        # The archive does not know of this outcome: the item stays until it does.
        update = changes({**before, "ttl": {"N": "0"}}, {name: after[name] for name in after if name != "ttl"})
        with unavailable("DynamoDB"):
            self._client.update_item(
                TableName=self._table,
                Key=decision_key_item(key),
                UpdateExpression=update.expression,
                ConditionExpression=f"{_LIVING} AND {unchanged}",
                ExpressionAttributeNames={**update.names, "#ttl": "ttl"},
                ExpressionAttributeValues={**update.values, **values, ":now": {"N": str(self._now_seconds())}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )

    def _standing(self, error: ClientError) -> Item | None:
        """The item that stood in a conditional write's way."""
        item = cast("dict[str, Any]", error.response).get("Item")
        living = self._living([item] if item else [])
        return living[0] if living else None

    def _raw(self, key: DecisionKey) -> Item | None:
        with unavailable("DynamoDB"):
            answer = self._client.get_item(TableName=self._table, Key=decision_key_item(key), ConsistentRead=True)
        living = self._living([cast("Item", answer["Item"])] if "Item" in answer else [])
        return living[0] if living else None

    def _raws(self, keys: Sequence[DecisionKey]) -> dict[str, Item]:
        """Living items by decision id, their large parts where they are."""
        unique = {key.decision_id: decision_key_item(key) for key in keys}
        found = get_items(self._client, self._table, list(unique.values()))
        return {item["decision_id"]["S"]: item for item in self._living(found)}

    def _present(self, keys: Sequence[DecisionKey]) -> dict[str, Decision]:
        found = self._decisions(list(self._raws(keys).values()))
        return {decision.decision_id: decision for decision in found}

    def _decisions(self, items: list[Item]) -> list[Decision]:
        return [decision_from(item) for item in self._large_parts.load(items)]

    def _now_seconds(self) -> int:
        return self._clock.now_ms() // 1000

    def _living(self, items: list[Item]) -> list[Item]:
        """Items that have not expired: DynamoDB deletes them late, up to days."""
        now = self._clock.now_ms() / 1000
        return [item for item in items if "ttl" not in item or float(item["ttl"]["N"]) > now]


def _outcomes_unchanged(decision: Decision) -> tuple[str, *tuple[AttributeValue, ...]]:
    """Condition, with what it compares with, that a decision has no outcomes but those at hand."""
    if decision.outcome is None:
        return (' AND "success" IS MISSING',)
    if not decision.revision:
        return (' AND "revision" IS MISSING',)
    return ' AND "revision"=?', {"N": str(decision.revision)}


def _compare(present: Decision | None, wanted: Decision) -> WriteStatus:
    if present is None:
        # It was there when the write was refused and has expired since: its id stays taken.
        return WriteStatus.CONFLICT
    return WriteStatus.UNCHANGED if present.content() == wanted.content() else WriteStatus.CONFLICT
