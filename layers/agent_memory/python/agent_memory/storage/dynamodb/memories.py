"""Long-term memory in DynamoDB: current versions by key, and the history of all versions in separate partitions."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar, overload

from agent_memory.core.clock import DAY_MS, SystemClock
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.keys import bookkeeping_pks, changes_pk, history_pk, history_sk, memory_pk, own_types_pk
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.memories import STANDARD_TYPES, Memory
from agent_memory.ports.memories import Access, Change, Changes, VersionTime, current_at
from agent_memory.storage.aws_errors import ConditionFailed, translated_errors
from agent_memory.storage.dynamodb.batches import get_items, partition_pages, query_pages, scan_pages
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
    seconds,
    text,
)
from agent_memory.storage.dynamodb.updates import replacement
from agent_memory.storage.schema import BY_CONFIDENCE, MEMORIES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_Found = TypeVar("_Found")

_TIME_ATTRIBUTES = "sk, pattern_id, version, updated_at, is_removed"
_TYPES = "types"
_UPDATED = "updated_ms"
_LOGGED_MS = DAY_MS
_OVERLAP_MS = 60_000
_REGISTERED_SECONDS = 600.0
"""After this time a type is named once more: another process may have erased the agent."""


class DynamoDBMemories:
    """`MemoryStore` on the table `agent_memory_ltm`."""

    def __init__(self, client: "DynamoDBClient", table_prefix: str) -> None:
        self._client = client
        self._table = MEMORIES.full_name(table_prefix)
        self._registered: dict[tuple[str, str], float] = {}

    def put(self, memory: Memory, *, after: int | None) -> None:
        """Write a version if the current one is `after` (None: there is none); else raise `Conflict`."""
        item = memory_item(memory)
        history = history_item(memory, item)
        check_item_size(history, "data")
        if not fits(item, MAX_ITEM_BYTES):
            item.pop("words", None)  # they are in the data as well
        self._register(memory)
        update = replacement(item, key=("pk", "sk"), optional=OPTIONAL_MEMORY_ATTRIBUTES)
        condition = _is_current(after)
        change = {
            "TableName": self._table,
            "Key": {"pk": item["pk"], "sk": item["sk"]},
            "UpdateExpression": update.expression,
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeNames": update.names,
            "ExpressionAttributeValues": update.values | condition.get("ExpressionAttributeValues", {}),
        }
        self._with_history({"Update": change}, history, memory)

    def get(self, agent_id: str, memory_type: str, pattern_id: str) -> Memory | None:
        """The current version of a memory."""
        key = {"pk": text(memory_pk(agent_id, memory_type)), "sk": text(pattern_id)}
        with translated_errors("DynamoDB", self._table):
            response = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return parsed(pattern_id, memory_from, response["Item"]) if "Item" in response else None

    def get_many(self, keys: Sequence[tuple[str, str, str]]) -> list[Memory]:
        """The current versions of those memories that exist, by agent, type and id, in no particular order."""
        items = get_items(
            self._client,
            self._table,
            [{"pk": text(memory_pk(agent_id, kind)), "sk": text(name)} for agent_id, kind, name in keys],
        )
        return [parsed(str(item["sk"]["S"]), memory_from, item) for item in items]

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
            items = {item["sk"]["S"]: item for item in get_items(self._client, self._table, keys)}
            yield from _memories([items[key["sk"]["S"]] for key in keys if key["sk"]["S"] in items], on_unreadable)

    def history(
        self, agent_id: str, memory_type: str, pattern_id: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[Memory]:
        """Every version of a memory, oldest first, including those that record a removal."""
        pages = query_pages(
            self._client, self._table, **_versions_query(agent_id, memory_type, pattern_id), ConsistentRead=True
        )
        return [memory for page in pages for memory in _memories(page, on_unreadable)]

    def last_version(self, agent_id: str, memory_type: str, pattern_id: str) -> int:
        """Number of the last version that a memory ever had; 0 if it never existed."""
        query = _versions_query(agent_id, memory_type, pattern_id)
        with translated_errors("DynamoDB", self._table):
            page = self._client.query(
                TableName=self._table, **query, ConsistentRead=True, ScanIndexForward=False, Limit=1
            )
        return max((parsed(pattern_id, memory_from, item).version for item in page["Items"]), default=0)

    def types(self, agent_id: str) -> list[str]:
        """The types of which the agent has or had memories, sorted; the table is scanned for them."""
        filter_ = {
            "FilterExpression": "begins_with(pk, :partitions)",
            "ExpressionAttributeValues": {":partitions": text(f"{agent_id}#")},
        }
        partitions = set(self._partitions(**filter_)) - bookkeeping_pks(agent_id)
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
        of writers differ, and a change is dated before it is written.
        """
        now_ms = SystemClock().now_ms()
        if cursor is None:
            return Changes([], str(now_ms))
        since_ms = int(cursor) - _OVERLAP_MS
        if not now_ms - _LOGGED_MS // 2 <= since_ms <= now_ms:
            return None
        pages = query_pages(
            self._client,
            self._table,
            KeyConditionExpression="pk = :pk AND sk >= :since",
            ExpressionAttributeValues={":pk": text(changes_pk(agent_id)), ":since": text(f"{since_ms:013d}")},
            ConsistentRead=True,
        )
        return Changes([_change_from(item) for page in pages for item in page], str(now_ms))

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
        pages = partition_pages(self._client, self._table, history_pk(agent_id, memory_type))
        return (memory for page in pages for memory in _memories(page, on_unreadable))

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
        pk, projection = history_pk(agent_id, memory_type), {"ProjectionExpression": _TIME_ATTRIBUTES}
        if pattern_id is None:
            pages = partition_pages(self._client, self._table, pk, **projection)
        else:
            query = _versions_query(agent_id, memory_type, pattern_id)
            pages = query_pages(self._client, self._table, **query, **projection, ConsistentRead=True)
        times = _read(_version_time, chain.from_iterable(pages), on_unreadable)
        keys = [
            {"pk": text(pk), "sk": text(history_sk(one.pattern_id, one.version))} for one in current_at(times, at_ms)
        ]
        items = sorted(get_items(self._client, self._table, keys), key=lambda item: item["sk"]["S"])
        return list(_memories(items, on_unreadable))

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
                    ConditionExpression="attribute_exists(pk) AND "
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

    def remove(self, removal: Memory, *, after: int) -> None:
        """Remove a memory if its version is `after`; else raise `Conflict`."""
        key = {"pk": text(memory_pk(removal.agent_id, removal.memory_type)), "sk": text(removal.pattern_id)}
        change = {"Delete": {"TableName": self._table, "Key": key, **_is_current(after)}}
        self._with_history(change, history_item(removal), removal)

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's memories with all their versions, or only count them; returns how many."""
        uncounted = bookkeeping_pks(agent_id)
        if not dry_run:
            self._registered = {name: at for name, at in self._registered.items() if name[0] != agent_id}
        return erase_items(self._client, self._table, agent_id, dry_run=dry_run, uncounted=uncounted)

    def _all(self, agent_id: str, memory_type: str, on_unreadable: OnUnreadable) -> list[Memory]:
        pages = partition_pages(self._client, self._table, memory_pk(agent_id, memory_type))
        memories = [memory for page in pages for memory in _memories(page, on_unreadable)]
        return sorted(memories, key=lambda memory: memory.rank, reverse=True)

    def _logged(self, memory: Memory) -> Any:
        """The write that names a changed memory in the log of changes, which expires after a day."""
        now_ms = SystemClock().now_ms()
        item = {
            "pk": text(changes_pk(memory.agent_id)),
            "sk": text(f"{now_ms:013d}#{memory.memory_type}#{memory.version}#{memory.pattern_id}"),
            _UPDATED: number(memory.updated_ms),
            MEMORIES.ttl_attribute: number((now_ms + _LOGGED_MS) // 1000),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def _with_history(self, change: Any, history: Item, memory: Memory) -> None:
        put: Any = {
            "TableName": self._table,
            "Item": history,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            with translated_errors("DynamoDB", self._table):
                self._client.transact_write_items(TransactItems=[change, {"Put": put}, self._logged(memory)])
        except ConditionFailed as error:
            raise Conflict(
                f"{memory.memory_type} {memory.pattern_id}: another writer came first; "
                f"version {memory.version} does not follow the current one"
            ) from error


def _change_from(item: Item) -> Change:
    """The change that an item of the log names."""
    _, kind, version, name = item["sk"]["S"].split("#", 3)
    return Change(kind, name, int(version), int(item[_UPDATED]["N"]) if _UPDATED in item else None)


def _memories(items: Iterable[Item], on_unreadable: OnUnreadable) -> Iterator[Memory]:
    """The memories of items, in order, without those that cannot be read."""
    return _read(memory_from, items, on_unreadable)


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


def _is_current(version: int | None) -> dict[str, Any]:
    if version is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "version = :before", "ExpressionAttributeValues": {":before": number(version)}}


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
