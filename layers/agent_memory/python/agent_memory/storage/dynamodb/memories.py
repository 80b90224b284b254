"""Long-term memory in DynamoDB: current versions by key, and the history of the others in separate partitions."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from agent_memory.core.clock import DAY_MS, SystemClock
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.keys import history_pk, history_sk, is_history_pk, memory_pk, own_types_pk
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.memories import STANDARD_TYPES, Memory
from agent_memory.ports.memories import Access, Changes, VersionTime, current_at
from agent_memory.storage.aws_errors import ConditionFailed, translated_errors
from agent_memory.storage.dynamodb.batches import (
    get_items,
    json_answers,
    partition_pages,
    partition_query,
    query_pages,
    scan_pages,
)
from agent_memory.storage.dynamodb.erasure import erase_items
from agent_memory.storage.dynamodb.items import (
    MAX_ITEM_BYTES,
    NOT_STATED,
    OPTIONAL_MEMORY_ATTRIBUTES,
    Item,
    check_item_size,
    fits,
    history_item,
    memory_from,
    memory_item,
    milliseconds,
    number,
    removal_item,
    seconds,
    text,
)
from agent_memory.storage.dynamodb.memory_changes import OVERLAP_MS, MemoryChanges, change_attributes, is_same_write
from agent_memory.storage.dynamodb.memory_versions import NOT_REMOVED, as_version, in_order, is_current
from agent_memory.storage.dynamodb.updates import replacement
from agent_memory.storage.schema import BY_CONFIDENCE, MEMORIES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_Found = TypeVar("_Found")

_TIME_ATTRIBUTES = "sk, pattern_id, version, updated_at, is_removed"
_TYPES = "types"
_OLDEST_POSITION_MS = DAY_MS // 2
_REGISTERED_SECONDS = 600.0
"""After this time a type is named once more: another process may have erased the agent."""


class DynamoDBMemories:
    """`MemoryStore` on the table `agent_memory_ltm`."""

    def __init__(self, client: "DynamoDBClient", table_prefix: str) -> None:
        self._client = client
        self._table = MEMORIES.full_name(table_prefix)
        self._registered: dict[tuple[str, str], float] = {}
        self._changes = MemoryChanges(client, self._table)

    def put(self, memory: Memory, *, after: Memory | None) -> None:
        """Write a version if the current one is `after` (None: there is none); else raise `Conflict`.

        A new memory is a single put. A version that replaces another one is a transaction, which adds that one to the
        history.
        """
        item = memory_item(memory)
        check_item_size(history_item(memory, item), "data")
        item |= change_attributes(memory)
        if not fits(item, MAX_ITEM_BYTES):
            item.pop("words", None)  # they are in the data as well
        self._register(memory)
        if after is None:
            self._insert(item, memory)
        else:
            self._replace(item, memory, after)
        self._changes.add(item)

    def _insert(self, item: Item, memory: Memory) -> None:
        """Put the first version of a memory, or the first one after those that the item in its place says it had.

        A put that was answered, but whose answer was lost, is sent again by the client, and is then refused for what
        it has written itself.
        """
        condition = "attribute_not_exists(pk) OR (attribute_exists(is_removed) AND version < :version)"
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":version": item["version"]},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as error:
            if error.item is None or not is_same_write(error.item, item):
                raise _conflict(memory) from error

    def _replace(self, item: Item, memory: Memory, replaced: Memory) -> None:
        update = replacement(item, key=("pk", "sk"), optional=OPTIONAL_MEMORY_ATTRIBUTES)
        condition = _is_still(replaced)
        change = {
            "TableName": self._table,
            "Key": {"pk": item["pk"], "sk": item["sk"]},
            "UpdateExpression": update.expression,
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeNames": update.names,
            "ExpressionAttributeValues": update.values | condition["ExpressionAttributeValues"],
        }
        self._with_history({"Update": change}, [replaced], memory)

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        for item in self._current(agent_id, memory_type, pattern_id):
            return parsed(pattern_id, memory_from, item)
        return None

    def get_many(self, keys: Sequence[tuple[str, str, str]]) -> list[Memory]:
        """The current versions of those memories that exist, by agent, type and id, in no particular order."""
        items = get_items(
            self._client,
            self._table,
            [{"pk": text(memory_pk(agent_id, kind)), "sk": text(name)} for agent_id, kind, name in keys],
        )
        return [parsed(str(item["sk"]["S"]), memory_from, item) for item in items if is_current(item)]

    def by_confidence(
        self, agent_id: str, memory_type: str, min_confidence: float = 0.0, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Memories of a type, most confident first, then all that state no confidence, whatever the minimum."""
        if not min_confidence:  # all are read, so that the index would be a detour, and would omit damaged items
            yield from self._all(agent_id, memory_type, on_unreadable)
            return
        pk = memory_pk(agent_id, memory_type)
        yield from self._indexed(pk, "confidence >= :bound", min_confidence, on_unreadable)
        yield from self._indexed(pk, "confidence = :bound", NOT_STATED, on_unreadable)

    def _indexed(self, pk: str, condition: str, bound: float, on_unreadable: OnUnreadable) -> Iterator[Memory]:
        """The memories of a partition whose stored confidence meets a condition, highest first."""
        pages = query_pages(
            self._client,
            self._table,
            IndexName=BY_CONFIDENCE.name,
            KeyConditionExpression=f"pk = :pk AND {condition}",
            ExpressionAttributeValues={":pk": text(pk), ":bound": number(bound)},
            ScanIndexForward=False,
        )
        for page in pages:
            keys = [{"pk": entry["pk"], "sk": entry["sk"]} for entry in page]
            found = get_items(self._client, self._table, keys)
            items = {item["sk"]["S"]: item for item in found if is_current(item)}
            yield from _memories([items[key["sk"]["S"]] for key in keys if key["sk"]["S"] in items], on_unreadable)

    def history(
        self, agent_id: str, memory_type: str, pattern_id: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[Memory]:
        """Every version of a memory, oldest first, including those that record a removal."""
        current = self._current_versions(agent_id, memory_type, pattern_id)
        pages = query_pages(
            self._client, self._table, **_versions_query(agent_id, memory_type, pattern_id), ConsistentRead=True
        )
        return list(_memories(in_order(current, pages), on_unreadable))

    def last_removal(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The version that records the removal of a memory that has no current version; None if it never existed."""
        query = _versions_query(agent_id, memory_type, pattern_id)
        with translated_errors("DynamoDB", self._table):
            page = self._client.query(
                TableName=self._table, **query, ConsistentRead=True, ScanIndexForward=False, Limit=1
            )
        return next((parsed(pattern_id, memory_from, item) for item in page["Items"]), None)

    def types(self, agent_id: str) -> list[str]:
        """The types of which the agent has or had memories, sorted; the table is scanned for them."""
        filter_ = {
            "FilterExpression": "begins_with(pk, :partitions)",
            "ExpressionAttributeValues": {":partitions": text(f"{agent_id}#")},
        }
        partitions = set(self._partitions(**filter_)) - {own_types_pk(agent_id)}
        return sorted({partition.split("#")[1] for partition in partitions})

    def agents(self) -> list[str]:
        """Every agent and pool that has or had memories, sorted; the table is scanned for them."""
        return sorted({partition.split("#")[0] for partition in self._partitions()})

    def _partitions(self, **filter_: Any) -> Iterator[str]:
        pages = scan_pages(self._client, self._table, ProjectionExpression="pk", ConsistentRead=True, **filter_)
        return (item["pk"]["S"] for page in pages for item in page)

    @overload
    def changes(self, agent_id: str, cursor: None) -> Changes: ...
    @overload
    def changes(self, agent_id: str, cursor: str) -> Changes | None: ...
    def changes(self, agent_id: str, cursor: str | None) -> Changes | None:
        """What has changed since a position, and the next one; see `MemoryStore`.

        The position is the time of the last request. Changes of the minute before it are read again, because the clocks
        of writers differ, a change is dated before it is written, and the index has it some moments later.
        """
        now_ms = SystemClock().now_ms()
        if cursor is None:
            return Changes([], str(now_ms))
        since_ms = int(cursor) - OVERLAP_MS
        if not now_ms - _OLDEST_POSITION_MS <= since_ms <= now_ms:
            return None
        return Changes(self._changes.since(agent_id, since_ms), str(now_ms))

    def own_types(self, agent_id: str) -> list[str]:
        """The types that are none of `MemoryType`, of which the agent has or had memories, sorted; one request."""
        with translated_errors("DynamoDB", self._table):
            response = self._client.get_item(TableName=self._table, Key=_own_types_key(agent_id), ConsistentRead=True)
        return sorted(response.get("Item", {}).get(_TYPES, {"SS": []})["SS"])

    def _register(self, memory: Memory) -> None:
        """Name the type of a memory among the agent's own, before the first memory of it is written."""
        name = (memory.agent_id, memory.memory_type)
        now = time.monotonic()
        if memory.memory_type in STANDARD_TYPES or now - self._registered.get(name, -math.inf) < _REGISTERED_SECONDS:
            return
        with translated_errors("DynamoDB", self._table):
            self._client.update_item(
                TableName=self._table,
                Key=_own_types_key(memory.agent_id),
                UpdateExpression="ADD #types :types",
                ExpressionAttributeNames={"#types": _TYPES},
                ExpressionAttributeValues={":types": {"SS": [memory.memory_type]}},
            )
        self._registered[name] = now

    def all_versions(
        self, agent_id: str, memory_type: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> Iterator[Memory]:
        """Every version of every memory of a type; those of one memory are adjacent, oldest first."""
        current = self._current_versions(agent_id, memory_type)
        pages = partition_pages(self._client, self._table, history_pk(agent_id, memory_type))
        return _memories(in_order(current, pages), on_unreadable)

    def versions_at(
        self,
        agent_id: str,
        memory_type: str,
        at_ms: int,
        *,
        pattern_id: str | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> list[Memory]:
        """The memories of a type, or the one of an id, as they were at a time, in order of their ids."""
        current = self._current_versions(agent_id, memory_type, pattern_id)
        pk, projection = history_pk(agent_id, memory_type), {"ProjectionExpression": _TIME_ATTRIBUTES}
        if pattern_id is None:
            pages = partition_pages(self._client, self._table, pk, **projection)
        else:
            query = _versions_query(agent_id, memory_type, pattern_id)
            pages = query_pages(self._client, self._table, **query, **projection, ConsistentRead=True)
        times = _read(_version_time, in_order(current, pages), on_unreadable)
        names = [history_sk(one.pattern_id, one.version) for one in current_at(times, at_ms)]
        items = {item["sk"]["S"]: item for item in current}
        keys = [{"pk": text(pk), "sk": text(name)} for name in names if name not in items]
        items |= {item["sk"]["S"]: item for item in get_items(self._client, self._table, keys)}
        return list(_memories([items[name] for name in sorted(names) if name in items], on_unreadable))

    def add_accesses(self, agent_id: str, accesses: Sequence[Access], day: date) -> int:
        """Add a day's accesses to existing memories, once per day; returns how many memories were changed."""

        def add(access: Access) -> bool:
            return retry_conflicts(lambda: self._add_access(agent_id, access, day.isoformat()))

        return sum(map_concurrently(add, accesses))

    def _add_access(self, agent_id: str, access: Access, day: str) -> bool:
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": text(memory_pk(agent_id, access.memory_type)), "sk": text(access.pattern_id)},
                    UpdateExpression="ADD access_count :count SET last_accessed = :last, accesses_through = :day",
                    ConditionExpression=f"attribute_exists(pk) AND {NOT_REMOVED} AND "
                    "(attribute_not_exists(accesses_through) OR accesses_through < :day)",
                    ExpressionAttributeValues={
                        ":count": number(access.count),
                        ":last": seconds(access.last_ms),
                        ":day": text(day),
                    },
                )
        except ConditionFailed:  # the memory was removed, or the day was added already
            return False
        return True

    def remove(self, removal: Memory, *, after: Memory) -> None:
        """Remove a memory if its current version is `after`; else raise `Conflict`.

        What is left in its place has the number of the removal, so that no put begins with the first version again.
        """
        item = removal_item(removal) | change_attributes(removal)
        change = {"Put": {"TableName": self._table, "Item": item, **_is_still(after)}}
        self._with_history(change, [after, removal], removal)
        self._changes.add(item)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many."""

        def count(item: Item) -> int:
            """A current version is a memory and a version; what is left of a removed one is neither."""
            pk = item["pk"]["S"]
            if pk == own_types_pk(agent_id):
                return 0
            return 1 if is_history_pk(pk) else 2 * is_current(item)

        if not dry_run:
            self._registered = {name: at for name, at in self._registered.items() if name[0] != agent_id}
        attributes = ("is_removed",)
        erased = erase_items(self._client, self._table, agent_id, dry_run=dry_run, count=count, attributes=attributes)
        if not dry_run:
            self._changes.forget(agent_id)
        return erased

    def _all(self, agent_id: str, memory_type: str, on_unreadable: OnUnreadable) -> list[Memory]:
        query = partition_query(memory_pk(agent_id, memory_type))
        pages = json_answers(self._client, self._table, **query, FilterExpression=NOT_REMOVED)
        memories = [memory for page, _ in pages for memory in _json_memories(page, on_unreadable)]
        return sorted(memories, key=lambda memory: memory.rank, reverse=True)

    def _current(self, agent_id: str, memory_type: str, pattern_id: str | None = None) -> list[Item]:
        """The items of the current versions of a type, or of the one of an id if there is one."""
        pk = memory_pk(agent_id, memory_type)
        if pattern_id is None:
            pages = partition_pages(self._client, self._table, pk, FilterExpression=NOT_REMOVED)
            return [item for page in pages for item in page]
        key = {"pk": text(pk), "sk": text(pattern_id)}
        with translated_errors("DynamoDB", self._table):
            response = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item = cast("Item | None", response.get("Item"))
        return [item] if item is not None and is_current(item) else []

    def _current_versions(self, agent_id: str, memory_type: str, pattern_id: str | None = None) -> list[Item]:
        """The items of `_current`, as the history will have them."""
        return [as_version(item) for item in self._current(agent_id, memory_type, pattern_id)]

    def _with_history(self, change: Any, history: Sequence[Memory], memory: Memory) -> None:
        """Make a change and add versions to the history, or do neither."""
        if memory.version <= history[0].version:
            raise _conflict(memory)
        is_new = "attribute_not_exists(pk)"
        writes: list[Any] = [
            change,
            *(
                {"Put": {"TableName": self._table, "Item": history_item(one), "ConditionExpression": is_new}}
                for one in history
            ),
        ]
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.transact_write_items(TransactItems=writes)
        except ConditionFailed as error:
            raise _conflict(memory) from error


def _conflict(memory: Memory) -> Conflict:
    return Conflict(
        f"{memory.memory_type} {memory.pattern_id}: another writer came first; "
        f"version {memory.version} does not follow the current one"
    )


def _memories(items: Iterable[Item], on_unreadable: OnUnreadable) -> Iterator[Memory]:
    """The memories of items, in order, without those that cannot be read."""
    return _read(memory_from, items, on_unreadable)


def _json_memories(items: Iterable[Any], on_unreadable: OnUnreadable) -> Iterator[Memory]:
    """As `_memories`, of items that may be their JSON."""
    from agent_memory.storage.dynamodb.json_items import read_memory  # noqa: PLC0415  writers need no msgspec

    for item in items:
        read = item if isinstance(item, dict) else read_memory(item)
        if isinstance(read, Memory):
            yield read
        else:
            yield from _memories([read], on_unreadable)


def _version_time(item: Item) -> VersionTime:
    """When a version of the history was written."""
    pattern_id, version = item["pattern_id"]["S"], int(item["version"]["N"])
    if item["sk"]["S"] != history_sk(pattern_id, version):
        raise ValueError("its attributes are those of another memory")
    return VersionTime(pattern_id, version, milliseconds(item["updated_at"]), "is_removed" in item)


def _read(read: Callable[[Item], _Found], items: Iterable[Item], on_unreadable: OnUnreadable) -> Iterator[_Found]:
    """What is read of items, in order, without those that cannot be read."""
    for item in items:
        name = str(item["sk"]["S"])
        try:
            found = parsed(name, read, item)
        except Damaged as error:
            on_unreadable(Unreadable(name, error, name))
        else:
            yield found


def _is_still(read: Memory) -> dict[str, Any]:
    """The condition that the current version is the one that was read.

    Its number does not say so alone: those of an agent that was erased are given again.
    """
    return {
        "ConditionExpression": f"version = :before AND updated_at = :dated AND {NOT_REMOVED}",
        "ExpressionAttributeValues": {":before": number(read.version), ":dated": seconds(read.updated_ms)},
    }


def _own_types_key(agent_id: str) -> Item:
    return {"pk": text(own_types_pk(agent_id)), "sk": text(_TYPES)}


def _versions_query(agent_id: str, memory_type: str, pattern_id: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :pattern)",
        "ExpressionAttributeValues": {
            ":pk": text(history_pk(agent_id, memory_type)),
            ":pattern": text(f"{pattern_id}#"),
        },
    }
