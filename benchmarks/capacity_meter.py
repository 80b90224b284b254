"""Counts the requests to DynamoDB, the rounds of sequential requests, and their capacity units."""

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, local
from typing import Any

from agent_memory.storage.dynamodb.items import item_size

_READ_UNIT_BYTES = 4096
_WRITES = frozenset({"PutItem", "UpdateItem", "BatchExecuteStatement", "TransactWriteItems", "BatchWriteItem"})


@dataclass(slots=True)
class ConsumedCapacity:
    """Requests and capacity units while the meter was on.

    Write units are those that the service reports. Read units are computed from the sizes of the items read, since an
    emulator reports constants: one unit per started four kilobytes of a consistent read, half of one otherwise. What a
    filter left out counts as much as what it did not. `write_units_of` is by
    operation, `read_units_of` by table.
    """

    requests: int = 0
    write_units: float = 0.0
    read_units: float = 0.0
    write_units_of: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    read_units_of: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    intervals: list[tuple[float, float]] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """The length of the longest sequence of requests that do not overlap."""
        rounds, ended = 0, -math.inf
        for begin, end in sorted(self.intervals, key=lambda interval: interval[1]):
            if begin >= ended:
                rounds, ended = rounds + 1, end
        return rounds


class CapacityMeter:
    """Measures the requests of a boto3 DynamoDB client.

    `delay_seconds` makes each request slower, so that concurrent requests overlap.
    """

    def __init__(self, client: Any, delay_seconds: float = 0.0) -> None:
        self._delay_seconds = delay_seconds
        self._measured: ConsumedCapacity | None = None
        self._lock = Lock()
        self._begun = local()
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._request_units)
        events.register("before-call.dynamodb", self._begin)
        events.register("after-call.dynamodb", self._end)

    @contextmanager
    def measuring(self) -> Iterator[ConsumedCapacity]:
        """Measure the requests inside the block."""
        self._measured = ConsumedCapacity()
        try:
            yield self._measured
        finally:
            self._measured = None

    def _request_units(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        requests = [params, *params.get("RequestItems", {}).values()]
        self._begun.is_consistent = any(one.get("ConsistentRead") for one in requests if isinstance(one, dict))
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def _begin(self, **_: Any) -> None:
        self._begun.at = time.perf_counter()
        time.sleep(self._delay_seconds)

    def _end(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        measured = self._measured
        if measured is None:
            return
        with self._lock:
            measured.requests += 1
            measured.intervals.append((self._begun.at, time.perf_counter()))
            if model.name in _WRITES:
                measured.write_units += _write_units(parsed)
                measured.write_units_of[model.name] += _write_units(parsed)
            else:
                units = _read_units(parsed, model.name) * (1 if self._begun.is_consistent else 0.5)
                measured.read_units += units
                measured.read_units_of[_table(parsed)] += units


def _write_units(parsed: dict[str, Any]) -> float:
    consumed = parsed.get("ConsumedCapacity") or []
    return sum(float(one["CapacityUnits"]) for one in (consumed if isinstance(consumed, list) else [consumed]))


def _table(parsed: dict[str, Any]) -> str:
    consumed = parsed.get("ConsumedCapacity") or [{}]
    return str((consumed if isinstance(consumed, list) else [consumed])[0].get("TableName", ""))


def _read_units(parsed: dict[str, Any], operation: str) -> float:
    if operation == "Query":
        # Some stores ask for items as their JSON (`storage.dynamodb.answers`).
        items = [one if isinstance(one, dict) else json.loads(bytes(one)) for one in parsed["Items"]]
        size = sum(item_size(item) for item in items)
        scanned: int = parsed["ScannedCount"]
        return math.ceil(size * scanned / max(1, len(items)) / _READ_UNIT_BYTES)
    items = [item for items in parsed.get("Responses", {}).values() for item in items]
    items += [parsed["Item"]] if "Item" in parsed else []
    return float(sum(math.ceil(item_size(item) / _READ_UNIT_BYTES) for item in items))
