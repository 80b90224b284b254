"""A table of decisions in this process whose partitions accept 1,000 write units a second each, on a simulated clock.

It does the writes of the decision log, by the rules by which DynamoDB counts write units: one for each started
kilobyte of the larger version of the item, and of each index entry that is added, changed or removed. A partition is
that of a key, of the table or of an index. What exceeds its units of the present second is refused, also by the table
if it is an index that is exhausted. AWS does better in several ways (unused capacity of five minutes, splitting of busy
partitions), which it does not promise; none of them is simulated.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from unittest import mock

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from agent_memory.storage.dynamodb.items import Item, item_size
from agent_memory.storage.factory import RETRIES
from agent_memory.storage.schema import DECISIONS, Index
from benchmarks.instant_dynamodb import body_of

WRITE_UNITS_PER_SECOND = 1_000
_UNIT_BYTES = 1_024
_KEY = ("pk", "sk")
_THROTTLED = "ProvisionedThroughputExceeded"

Partition = tuple[str, str]
"""The name of the table or index, and the value of its partition key."""


class SimulatedClock:
    """A clock that moves when it is advanced, and when the program sleeps."""

    def __init__(self, now_ms: int) -> None:
        self.seconds = now_ms / 1000

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.seconds * 1000)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds

    @contextmanager
    def sleeping(self) -> Iterator[None]:
        """Inside the block, a sleep lets simulated time pass, and no other."""
        with mock.patch("time.sleep", self.advance):
            yield


@dataclass(slots=True)
class PartitionedTable:
    """The items of a table with the indexes of decisions; see the module.

    Attributes:
        clock: its time.
        items: what is stored, by key.
        write_units: all units that were used.
        throttled: how many writes were refused because a partition was exhausted.
        busiest: the most units that a partition took in one second.
    """

    clock: SimulatedClock
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    write_units: int = 0
    throttled: int = 0
    busiest: int = 0
    _used: dict[Partition, int] = field(default_factory=dict)
    _second: int = 0

    def client(self) -> Any:
        """A boto3 client that writes to it."""
        session: Any = boto3.Session("benchmark", "benchmark", region_name="us-east-1")
        session.events.register("before-send.dynamodb.*", self._answer)
        return session.client("dynamodb", config=Config(parameter_validation=False, retries=RETRIES))

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        asked = json.loads(request.body)
        if operation == "PutItem":
            status, answer = _as_answer(self._put(asked["Item"]))
        elif operation == "UpdateItem":
            status, answer = _as_answer(self._update(asked["Key"], _assigned(asked)))
        elif operation == "GetItem":
            status, answer = 200, _found("Item", self.items.get(_pair(asked["Key"])))
        elif operation == "BatchGetItem":
            ((table, wanted),) = asked["RequestItems"].items()
            found = [self.items[_pair(one)] for one in wanted["Keys"] if _pair(one) in self.items]
            status, answer = 200, {"Responses": {table: found}, "UnprocessedKeys": {}}
        elif operation == "BatchExecuteStatement":
            results = [self._execute(one["Statement"], one["Parameters"]) for one in asked["Statements"]]
            status, answer = 200, {"Responses": [{"Error": {"Code": one}} if one else {} for one in results]}
        else:
            raise NotImplementedError(f"the simulated table has no operation {operation}: add it here")
        return AWSResponse(request.url, status, HTTPHeaders(), body_of(json.dumps(answer)))

    def _execute(self, statement: str, parameters: list[Any]) -> str | None:
        names = _names(statement)
        if statement.startswith("INSERT"):
            failure = self._put(dict(zip(names, parameters, strict=True)))
            return "DuplicateItem" if failure == "ConditionalCheckFailed" else failure
        pk, sk = parameters[len(names) : len(names) + 2]
        return self._update({"pk": pk, "sk": sk}, dict(zip(names, parameters, strict=False)))

    def _put(self, item: Item) -> str | None:
        """Write a new item; returns why it is refused."""
        if _pair(item) in self.items:
            return self._refuse(item)
        return self._write({}, item)

    def _update(self, key: Item, assigned: Item) -> str | None:
        """Add a first outcome to an item; returns why it is refused."""
        before = self.items.get(_pair(key))
        if before is None or "success" in before:
            return self._refuse(key)
        return self._write(before, before | assigned)

    def _write(self, before: Item, after: Item) -> str | None:
        units = self._units(before, after)
        if not self._take(units):
            return _THROTTLED
        self.items[_pair(after)] = after
        return None

    def _refuse(self, key: Item) -> str:
        """A write whose condition fails takes a unit, too."""
        return "ConditionalCheckFailed" if self._take({(DECISIONS.name, key["pk"]["S"]): 1}) else _THROTTLED

    def _take(self, units: Mapping[Partition, int]) -> bool:
        """Take units of partitions, of all or of none."""
        if int(self.clock.seconds) != self._second:
            self._second = int(self.clock.seconds)
            self._used.clear()
        after = {one: self._used.get(one, 0) + count for one, count in units.items()}
        if max(after.values()) > WRITE_UNITS_PER_SECOND:
            self.throttled += 1
            return False
        self._used |= after
        self.write_units += sum(units.values())
        self.busiest = max(self.busiest, *after.values())
        return True

    def _units(self, before: Item, after: Item) -> dict[Partition, int]:
        units = {(DECISIONS.name, after["pk"]["S"]): max(_units_of(before), _units_of(after))}
        for index in DECISIONS.indexes:
            old, new = self._entry(index, before), self._entry(index, after)
            if old != new:
                partition = (new or old)[index.partition.name]["S"]
                units[index.name, partition] = max(_units_of(old), _units_of(new))
        return units

    def _entry(self, index: Index, item: Item) -> Item:
        """An item's entry in an index; empty if it has none."""
        if index.partition.name not in item:
            return {}
        keys = (*_KEY, index.partition.name, index.sort.name)
        return item if index.projects_all else {name: item[name] for name in keys}


def _units_of(item: Item) -> int:
    return -(-item_size(item) // _UNIT_BYTES)


def _pair(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _found(member: str, item: Item | None) -> dict[str, Any]:
    return {} if item is None else {member: item}


def _as_answer(failure: str | None) -> tuple[int, dict[str, Any]]:
    return (200, {}) if failure is None else (400, {"__type": f"com.amazonaws.dynamodb#{failure}Exception"})


def _assigned(request: Mapping[str, Any]) -> Item:
    """What an update expression sets, by attribute."""
    (setting,) = re.findall(r"SET (.*?)(?: REMOVE|$)", request["UpdateExpression"])
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    pairs = (one.split(" = ") for one in setting.split(", "))
    return {names[name]: values[value] for name, value in pairs}


@lru_cache
def _names(statement: str) -> tuple[str, ...]:
    """The attributes that a PartiQL statement of the decision log writes, in the order of its parameters."""
    return tuple(re.findall(r"'(\w+)': \?" if statement.startswith("INSERT") else r'SET "(\w+)"=\?', statement))
