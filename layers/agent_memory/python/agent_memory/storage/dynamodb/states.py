"""Agent states and the registry of agents in DynamoDB."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.json_values import Document
from agent_memory.core.keys import REGISTRATION
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.states import State
from agent_memory.ports.states import Others, Registration
from agent_memory.storage.aws_errors import ConditionFailed, translated_errors
from agent_memory.storage.dynamodb.batches import query_pages, scan_pages
from agent_memory.storage.dynamodb.erasure import erase_items
from agent_memory.storage.dynamodb.items import (
    Item,
    check_item_size,
    document_attributes,
    documents_from,
    milliseconds,
    number,
    number_attribute,
    seconds,
    text,
)
from agent_memory.storage.schema import STATES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDBStates:
    """`StateStore` on the table `agent_state`."""

    def __init__(self, client: "DynamoDBClient", table_prefix: str) -> None:
        self._client = client
        self._table = STATES.full_name(table_prefix)

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        item = self._item(agent_id, state_type)
        return parsed(state_type, _state_from, item) if item is not None else None

    def put(
        self, agent_id: str, name: str, data: Document, *, expected_version: int, now_ms: int, others: Others = None
    ) -> State:
        """Write a state if its version is `expected_version` (0: there is none); else raise `Conflict`."""
        state = State(data, expected_version + 1, now_ms)
        puts = [self._put(agent_id, name, state, expected_version)]
        puts += [self._put(agent_id, other, State(one, 1, now_ms), 0) for other, one in (others or {}).items()]
        try:
            with translated_errors("DynamoDB", self._table):
                if len(puts) == 1:
                    self._client.put_item(**puts[0])
                else:
                    self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
        except ConditionFailed as error:
            raise Conflict(f"state {name} is no longer at version {expected_version}") from error
        return state

    def restore(self, agent_id: str, name: str, state: State, *, after: int) -> None:
        """Write a version of a state as it is if the stored version is `after` (0: there is none); else `Conflict`."""
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.put_item(**self._put(agent_id, name, state, after))
        except ConditionFailed as error:
            raise Conflict(f"state {name} is no longer at version {after}") from error

    def list_by_prefix(
        self, agent_id: str, prefix: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, sorted by type, with the rest of their type."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": text(agent_id)},
            "ConsistentRead": True,
        }
        if prefix:  # DynamoDB refuses an empty string here
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = text(prefix)
        items = [item for page in query_pages(self._client, self._table, **request) for item in page]
        states: list[tuple[str, State]] = []
        for item in items:
            name = str(item["sk"]["S"])
            if name == REGISTRATION:  # it is not a state
                continue
            try:
                states.append((name.removeprefix(prefix), parsed(name, _state_from, item)))
            except Damaged as error:
                on_unreadable(Unreadable(name.removeprefix(prefix), error, name))
        return states

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state if it exists."""
        with translated_errors("DynamoDB", self._table):
            self._client.delete_item(TableName=self._table, Key=self._key(agent_id, state_type))

    def register(self, agent_id: str, decision_types: Iterable[str], write_shards: int, now_ms: int) -> None:
        """Record that an agent makes decisions of these types, spread over this many shards."""
        with translated_errors("DynamoDB", self._table):
            self._client.update_item(
                TableName=self._table,
                Key=self._key(agent_id, REGISTRATION),
                UpdateExpression="ADD decision_types :types SET registered_at = if_not_exists(registered_at, :now)",
                ExpressionAttributeValues={":types": {"SS": sorted(decision_types)}, ":now": seconds(now_ms)},
            )
        if write_shards > 1:
            self._increase_shards(agent_id, write_shards)

    def registration(self, agent_id: str) -> Registration:
        """The registration of an agent; an empty one for an unknown agent."""
        item = self._item(agent_id, REGISTRATION)
        if item is None:
            return Registration()
        return parsed(f"the registration of {agent_id}", _registration_from, item)

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        pages = scan_pages(
            self._client,
            self._table,
            FilterExpression="sk = :registration",
            ExpressionAttributeValues={":registration": text(REGISTRATION)},
            ProjectionExpression="pk",
        )
        return sorted(item["pk"]["S"] for page in pages for item in page)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        return erase_items(self._client, self._table, agent_id, dry_run=dry_run)

    def _put(self, agent_id: str, state_type: str, state: State, expected_version: int) -> Any:
        item = self._key(agent_id, state_type) | document_attributes({"data": state.data})
        item |= {"version": number(state.version), "last_updated": seconds(state.updated_ms)}
        item |= number_attribute(state.data, "current_cycle")
        check_item_size(item, "state")
        request: dict[str, Any] = {"TableName": self._table, "Item": item}
        if not expected_version:
            return request | {"ConditionExpression": "attribute_not_exists(pk)"}
        return request | {
            "ConditionExpression": "version = :before",
            "ExpressionAttributeValues": {":before": number(expected_version)},
        }

    def _increase_shards(self, agent_id: str, write_shards: int) -> None:
        """Increase the number of shards. It never decreases: decisions stay in the shards that they were written to."""
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.update_item(
                    TableName=self._table,
                    Key=self._key(agent_id, REGISTRATION),
                    UpdateExpression="SET write_shards = :shards",
                    ConditionExpression="attribute_not_exists(write_shards) OR write_shards < :shards",
                    ExpressionAttributeValues={":shards": {"N": str(write_shards)}},
                )
        except ConditionFailed:
            return  # the number is not smaller

    def _item(self, agent_id: str, state_type: str) -> Item | None:
        with translated_errors("DynamoDB", self._table):
            response = self._client.get_item(
                TableName=self._table, Key=self._key(agent_id, state_type), ConsistentRead=True
            )
        return cast("Item | None", response.get("Item"))

    def _key(self, agent_id: str, state_type: str) -> Item:
        return {"pk": text(agent_id), "sk": text(state_type)}


def _registration_from(item: Item) -> Registration:
    shards = int(item["write_shards"]["N"]) if "write_shards" in item else 1
    return Registration(tuple(sorted(item["decision_types"]["SS"])), shards)


def _state_from(item: Item) -> State:
    return State(documents_from(item, ("data",))["data"], int(item["version"]["N"]), milliseconds(item["last_updated"]))
