"""The log of changed memories: an index of their table by agent and time of the change.

Each write of a current version, and each removal, gives the item its place in the index:

change_log `hunter#changes`                          the partition of the agent's log
change     `1795176000000#3#1795175990000#5f0c93a1` time of the write, version, its date, and a token of the write

Versions of the history have neither, and counts of reads change neither, so that only changes are in the log. Of each
memory it has the last one.
"""

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING

from agent_memory.core.clock import SystemClock
from agent_memory.core.forks import innermost_lock
from agent_memory.core.keys import changes_pk
from agent_memory.model.memories import Memory
from agent_memory.ports.memories import Change
from agent_memory.storage.dynamodb.batches import query_pages
from agent_memory.storage.dynamodb.items import Item, text
from agent_memory.storage.schema import BY_CHANGE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OVERLAP_MS = 60_000
"""Changes of this time before a position are read again: the index and the clocks of writers may be so far behind."""

_LOG, _CHANGE = BY_CHANGE.partition.name, BY_CHANGE.sort.name
_TOKEN_BYTES = 4


def change_attributes(memory: Memory) -> Item:
    """The attributes that name a write of now in the log. No two writes have the same."""
    token = secrets.token_hex(_TOKEN_BYTES)
    position = f"{SystemClock().now_ms():013d}#{memory.version}#{memory.updated_ms}#{token}"
    return {_LOG: text(changes_pk(memory.agent_id)), _CHANGE: text(position)}


def is_same_write(one: Item, other: Item) -> bool:
    """Whether two items were written by one request."""
    return one.get(_CHANGE) == other[_CHANGE]


class MemoryChanges:
    """Reads the log of a table, with what was written by this process, which the index may not have yet."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._written: OrderedDict[tuple[str, str], Item] = OrderedDict()
        self._lock = innermost_lock()

    def add(self, item: Item) -> None:
        """Note that this process has written an item of a current version or of a removal."""
        oldest = _position(SystemClock().now_ms() - OVERLAP_MS)
        key = (item["pk"]["S"], item["sk"]["S"])
        with self._lock:
            self._written.pop(key, None)
            self._written[key] = {name: item[name] for name in ("pk", "sk", _LOG, _CHANGE)}
            while self._written and next(iter(self._written.values()))[_CHANGE]["S"] < oldest:
                self._written.popitem(last=False)

    def forget(self, agent_id: str) -> None:
        """Forget what was written of an agent."""
        log = text(changes_pk(agent_id))
        with self._lock:
            for key in [key for key, entry in self._written.items() if entry[_LOG] == log]:
                del self._written[key]

    def since(self, agent_id: str, since_ms: int) -> list[Change]:
        """The last change of each memory of an agent that has changed since a time, oldest first."""
        log, begin = text(changes_pk(agent_id)), text(_position(since_ms))
        with self._lock:
            written = [one for one in self._written.values() if one[_LOG] == log and one[_CHANGE]["S"] >= begin["S"]]
        pages = query_pages(
            self._client,
            self._table,
            IndexName=BY_CHANGE.name,
            KeyConditionExpression=f"{_LOG} = :log AND {_CHANGE} >= :begin",
            ExpressionAttributeValues={":log": log, ":begin": begin},
        )
        last: dict[tuple[str, str], tuple[str, Change]] = {}
        for entry in (*written, *(entry for page in pages for entry in page)):
            change = _change_from(entry)
            key = (change.memory_type, change.pattern_id)
            if key not in last or last[key][1].version <= change.version:
                last[key] = entry[_CHANGE]["S"], change
        return [change for _, change in sorted(last.values())]


def _position(ms: int) -> str:
    return f"{ms:013d}"


def _change_from(entry: Item) -> Change:
    """The change that an entry of the index names."""
    _, version, updated_ms, _ = entry[_CHANGE]["S"].split("#")
    return Change(entry["pk"]["S"].partition("#")[2], entry["sk"]["S"], int(version), int(updated_ms))
