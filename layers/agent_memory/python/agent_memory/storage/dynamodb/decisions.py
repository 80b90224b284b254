"""The decision log in DynamoDB.

A single decision is a conditional put. A batch is written with PartiQL statements, 25 per request, because a PartiQL
INSERT refuses an existing key, and the condition of an UPDATE can require that there is no outcome yet. (The puts of a
BatchWriteItem would overwrite an outcome that was logged in the meantime.)
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeVar, cast

from agent_memory.core.clock import Clock, Span, SystemClock
from agent_memory.core.concurrency import chunks, map_concurrently
from agent_memory.core.errors import Damaged, Unavailable
from agent_memory.core.ids import is_decision_id, timestamp_of
from agent_memory.core.keys import decision_sk, link_pk
from agent_memory.model.decisions import Decision, DecisionKey, Outcome
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.outcomes import OutcomeUpdate, apply_outcome
from agent_memory.model.records import check_size
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.decisions import DecisionStore, Link, Order, Position, Selection, WriteStatus
from agent_memory.storage.aws_errors import AWS_ERRORS, ConditionFailed, translate_error, translated_errors
from agent_memory.storage.dynamodb.attribute_values import AttributeValue
from agent_memory.storage.dynamodb.batches import get_items, partition_pages
from agent_memory.storage.dynamodb.decision_scans import DecisionScans
from agent_memory.storage.dynamodb.erasure import erase_items
from agent_memory.storage.dynamodb.items import (
    OUTCOME_ATTRIBUTES,
    Item,
    decision_from,
    decision_item,
    decision_key_item,
    fits,
    headline_attributes,
    outcome_attributes,
)
from agent_memory.storage.dynamodb.large_parts import (
    INSERT_BUDGET_BYTES,
    ITEM_BUDGET_BYTES,
    OUTCOME_BUDGET_BYTES,
    LargeParts,
    with_pointers,
)
from agent_memory.storage.dynamodb.links import link_items, links_from, sort_key
from agent_memory.storage.dynamodb.partiql import Statements
from agent_memory.storage.dynamodb.updates import changes
from agent_memory.storage.schema import BY_CONTEXT, DECISIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from agent_memory.storage.dynamodb.json_items import ReadDecision

_NO_OUTCOME_YET = ' AND "success" IS MISSING AND "ttl" IS MISSING'
_NOT_EXPIRED = "attribute_exists(pk) AND (attribute_not_exists(#ttl) OR #ttl > :now)"
# More conflicts between writers of a decision's outcomes are a bug in the caller.
_ATTEMPTS = 20
_LOADED_AT_ONCE = 16

_AnyItem = TypeVar("_AnyItem", "Item", "Item | ReadDecision")


class DynamoDBDecisions(DecisionStore):
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
        items = [decision_item(decision) for decision in decisions]
        large = [
            index
            for index, item in enumerate(items)
            if BY_CONTEXT.partition.name not in item and not fits(item, INSERT_BUDGET_BYTES)
        ]
        for index in large:
            check_size(decisions[index].content())
        for index in large:
            items[index] = self._large_parts.offload_to_fit(decisions[index].key, items[index], INSERT_BUDGET_BYTES)
        if len(decisions) == 1:
            return [self._put(decisions[0], items[0])]
        refused = self._statements.run([self._statements.insert(item) for item in items])
        refused_keys = [one.key for one, was_refused in zip(decisions, refused, strict=True) if was_refused]
        stored = self._by_id(list(self._items(refused_keys).values()), raise_error)
        return [
            _compare(stored.get(one.decision_id), one) if was_refused else WriteStatus.CREATED
            for one, was_refused in zip(decisions, refused, strict=True)
        ]

    def record_outcomes(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Apply each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        headlines = [self._headline(key, update) for key, update in updates]
        if len(updates) == 1:
            return [self._add_first_outcome(*updates[0], headlines[0])]
        refused = self._statements.run(
            [
                self._statements.update(decision_key_item(key), item, _NO_OUTCOME_YET)
                for (key, _), item in zip(updates, headlines, strict=True)
            ]
        )
        stored = self._items([key for (key, _), was_refused in zip(updates, refused, strict=True) if was_refused])
        return [
            self._apply(key, update, stored.get(key.decision_id)) if was_refused else WriteStatus.CREATED
            for (key, update), was_refused in zip(updates, refused, strict=True)
        ]

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Set the expiry of each decision whose outcomes are unchanged; returns whether it was set, in order."""
        statements = [
            self._statements.update(
                decision_key_item(one.key), {"ttl": {"N": str(expires_ms // 1000)}}, *_outcomes_unchanged(one)
            )
            for one, expires_ms in zip(decisions, at_ms, strict=True)
        ]
        return [not refused for refused in self._statements.run(statements)]

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that have expired from the table back, with their outcomes."""
        map_concurrently(self._restore, decisions)

    def replace_outcomes(self, earlier: Decision, later: Decision) -> bool:
        """Store the outcomes of `later` with a decision whose stored version is `earlier`; returns whether it was."""
        item = self._item(earlier.key)
        if item is None or self._decisions([item], raise_error) != [earlier]:
            return False
        try:
            self._replace_outcomes(item, earlier, later)
        except ConditionFailed:
            return False
        return True

    def link(self, links: Sequence[Link]) -> None:
        """Record which decisions followed from earlier ones. Recording a link again changes nothing."""
        self._statements.run([self._statements.insert(item) for item in link_items(links, self._clock.now_ms())])

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        return erase_items(self._client, self._table, agent_id, dry_run=dry_run)

    def check_decision_fits(self, decision: Decision) -> None:
        """See `DecisionStore`."""
        check_size(decision.content())
        self._large_parts.check_fits(decision, decision_item(decision), INSERT_BUDGET_BYTES)

    def check_outcome_fits(self, outcome: Outcome) -> None:
        """See `DecisionStore`."""
        check_size(outcome.content())
        self._large_parts.check_fits(outcome, headline_attributes(outcome), OUTCOME_BUDGET_BYTES)

    # --- reading -------------------------------------------------------------------------------

    def get(self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error) -> list[Decision | None]:
        """The decisions with these keys, in order; None for those that are not in the table."""
        if len(keys) == 1:
            item = self._item(keys[0])
            stored = self._by_id([item] if item else [], on_unreadable)
        else:
            stored = self._by_id(list(self._items(keys).values()), on_unreadable)
        return [stored.get(key.decision_id) for key in keys]

    def scan_with_positions(
        self, selection: Selection, span: Span, order: Order, on_unreadable: OnUnreadable
    ) -> Iterator[Decision | Position]:
        """As `scan`, with a position after each request."""
        selects_all = selection.selects_by_type
        for page in self._scans.pages(selection, span, newest_first=order.newest_first, first=order.first):
            # In parts, so that only a few decisions with large parts are in memory before they are consumed.
            for items in chunks(self._not_expired(page.items), _LOADED_AT_ONCE):
                for decision in self._decisions(items, on_unreadable):
                    if selects_all or selection.matches(decision):
                        yield decision
            position = None if page.last_key is None else _position(page.last_key)
            if position is not None:
                yield position

    def links_from(
        self, agent_id: str, ancestor_id: str, *, limit: int, on_unreadable: OnUnreadable = raise_error
    ) -> list[Link]:
        """The links to the decisions that followed from one, oldest first, up to `limit`."""
        pages = partition_pages(self._client, self._table, link_pk(agent_id, ancestor_id), Limit=limit)
        found: dict[str, Link] = {}
        for item in chain.from_iterable(pages):
            oldest = sorted(found.values(), key=sort_key)[:limit] if len(found) >= limit else []
            if oldest and sort_key(oldest[-1]) < item["sk"]["S"]:
                return oldest  # the links of this item and of those that follow are younger
            try:
                links = parsed(_name(item), links_from, agent_id, ancestor_id, item)
            except Damaged as error:
                on_unreadable(Unreadable(_name(item), error, item["sk"]["S"]))
            else:
                found |= {one.descendant.decision_id: one for one in links}
        return sorted(found.values(), key=sort_key)[:limit]

    # --- requests ------------------------------------------------------------------------------

    def _put(self, decision: Decision, item: Item) -> WriteStatus:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AWS_ERRORS as error:
            failure = translate_error(error, "DynamoDB", self._table)
            if not isinstance(failure, ConditionFailed):
                raise failure from error
            stored = self._unless_expired(failure.item)
            return _compare(self._decisions([stored], raise_error)[0] if stored else None, decision)
        return WriteStatus.CREATED

    def _restore(self, decision: Decision) -> None:
        item = decision_item(decision) | outcome_attributes(decision)
        item = self._large_parts.offload_to_fit(decision.key, item, ITEM_BUDGET_BYTES)
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR #ttl <= :now",
                    ExpressionAttributeNames={"#ttl": "ttl"},
                    ExpressionAttributeValues={":now": {"N": str(self._now_seconds())}},
                )
        except ConditionFailed:
            return  # the table has it

    def _headline(self, key: DecisionKey, update: OutcomeUpdate) -> Item:
        item = headline_attributes(update.outcome)
        if not fits(item, OUTCOME_BUDGET_BYTES):
            check_size(update.outcome.content())
            item = self._large_parts.offload_to_fit(key, item, OUTCOME_BUDGET_BYTES)
        return item

    def _add_first_outcome(self, key: DecisionKey, update: OutcomeUpdate, headline: Item) -> WriteStatus:
        """Add a decision's first outcome in one request; if there are outcomes already, apply the update to them."""
        try:
            self._update_item(key, {}, headline, "attribute_not_exists(success)", {})
        except ConditionFailed as failure:
            return self._apply(key, update, self._unless_expired(failure.item))
        return WriteStatus.CREATED

    def _apply(self, key: DecisionKey, update: OutcomeUpdate, item: Item | None) -> WriteStatus:
        """Apply an outcome to a decision that may have outcomes already, with optimistic locking on its item."""
        for _ in range(_ATTEMPTS):
            if item is None:
                return WriteStatus.NOT_FOUND
            (decision,) = self._decisions([item], raise_error)
            new = apply_outcome(decision, update, self._clock.now_ms())
            if new is None:
                return WriteStatus.CONFLICT
            if new is decision:
                return WriteStatus.UNCHANGED
            try:
                self._replace_outcomes(item, decision, new)
            except ConditionFailed as failure:
                item = self._unless_expired(failure.item)
            else:
                return WriteStatus.CREATED
        raise Unavailable(f"other writers kept changing the outcomes of {key.decision_id}")

    def _replace_outcomes(self, item: Item, decision: Decision, new: Decision) -> None:
        """Replace the outcomes of a decision that was read from an item; `ConditionFailed` if they have changed."""
        content = {name: value for name, value in item.items() if name not in with_pointers(OUTCOME_ATTRIBUTES)}
        after = self._large_parts.offload_to_fit(decision.key, content | outcome_attributes(new), ITEM_BUDGET_BYTES)
        unchanged, values = "attribute_not_exists(revision)", {}
        if decision.revision:
            unchanged, values = "revision = :seen", {":seen": {"N": str(decision.revision)}}
        if decision.outcome is None:
            unchanged += " AND attribute_not_exists(success)"
        self._update_item(decision.key, item, after, unchanged, values)

    def _update_item(self, key: DecisionKey, before: Item, after: Item, unchanged: str, values: Item) -> None:
        # The archive does not have this outcome yet, so that the item must not expire until it has.
        update = changes({**before, "ttl": {"N": "0"}}, {name: after[name] for name in after if name != "ttl"})
        with translated_errors("DynamoDB", self._table):
            self._client.update_item(
                TableName=self._table,
                Key=decision_key_item(key),
                UpdateExpression=update.expression,
                ConditionExpression=f"{_NOT_EXPIRED} AND {unchanged}",
                ExpressionAttributeNames={**update.names, "#ttl": "ttl"},
                ExpressionAttributeValues={**update.values, **values, ":now": {"N": str(self._now_seconds())}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )

    def _item(self, key: DecisionKey) -> Item | None:
        with translated_errors("DynamoDB", self._table):
            response = self._client.get_item(TableName=self._table, Key=decision_key_item(key), ConsistentRead=True)
        return self._unless_expired(cast("Item | None", response.get("Item")))

    def _unless_expired(self, item: Item | None) -> Item | None:
        """The item; None if there is none or it has expired."""
        items = self._not_expired([item] if item else [])
        return items[0] if items else None

    def _items(self, keys: Sequence[DecisionKey]) -> dict[str, Item]:
        """Stored items by decision id."""
        unique = {key.decision_id: decision_key_item(key) for key in keys}
        items = get_items(self._client, self._table, list(unique.values()))
        return {_id_in_key(item): item for item in self._not_expired(items)}

    def _by_id(self, items: list[Item], on_unreadable: OnUnreadable) -> dict[str, Decision]:
        return {decision.decision_id: decision for decision in self._decisions(items, on_unreadable)}

    def _decisions(self, items: "Sequence[Item | ReadDecision]", on_unreadable: OnUnreadable) -> list[Decision]:
        """The decisions of items, in order, without those that cannot be read."""
        unread = [item for item in items if isinstance(item, dict)]
        loaded_items = iter(self._large_parts.load(unread) if unread else ())
        decisions: list[Decision] = []
        for item in items:
            if not isinstance(item, dict):
                decisions.append(item.decision)
                continue
            loaded = next(loaded_items)
            try:
                if isinstance(loaded, Unavailable):
                    raise loaded
                decisions.append(parsed(item["sk"]["S"], decision_from, loaded))
            except Unavailable as error:
                on_unreadable(Unreadable(_name(item), error, item["sk"]["S"]))
        return decisions

    def _now_seconds(self) -> int:
        return self._clock.now_ms() // 1000

    def _not_expired(self, items: Sequence[_AnyItem]) -> list[_AnyItem]:
        """The items that have not expired: DynamoDB deletes expired items up to days later."""
        now = self._clock.now_ms() / 1000
        return [item for item in items if (expires := _expires(item)) is None or expires > now]


def _expires(item: "Item | ReadDecision") -> float | None:
    """When an item expires, in seconds; None if it does not."""
    if not isinstance(item, dict):
        return item.expires
    return float(item["ttl"].get("N", "inf")) if "ttl" in item else None


def _outcomes_unchanged(decision: Decision) -> tuple[str, *tuple[AttributeValue, ...]]:
    """The condition that a decision's outcomes have not changed since it was read, and the values it compares with."""
    if decision.outcome is None:
        return (' AND "success" IS MISSING',)
    if not decision.revision:
        return (' AND "revision" IS MISSING',)
    return ' AND "revision"=?', {"N": str(decision.revision)}


def _id_in_key(item: Item) -> str:
    """What follows the time in an item's sort key; an item of several links has a digest after it."""
    return str(item["sk"]["S"]).partition("#")[2].partition("#")[0]


def _position(key: Item) -> Position | None:
    """The position of an item's key; None if the item is damaged, so that its key is not that of a decision."""
    decision_id = _id_in_key(key)
    if not is_decision_id(decision_id):
        return None
    position = Position(timestamp_of(decision_id), decision_id)
    return position if key["sk"]["S"] == decision_sk(position.timestamp_ms, decision_id) else None


def _name(item: Item) -> str:
    """The id in an item's key, or the key itself if it has no decision id."""
    decision_id = _id_in_key(item)
    return decision_id if is_decision_id(decision_id) else f"{item['pk']['S']} {item['sk']['S']}"


def _compare(stored: Decision | None, decision: Decision) -> WriteStatus:
    if stored is None:
        # It existed when the write was refused and has expired since: its id cannot be used again.
        return WriteStatus.CONFLICT
    return WriteStatus.UNCHANGED if stored.content() == decision.content() else WriteStatus.CONFLICT
