"""Counts what DynamoDB is asked: requests, rounds that must follow each other, capacity units."""

import math
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, local
from typing import Any

from agent_memory.storage.dynamodb.sizes import item_size

_READ_UNIT_BYTES = 4096
_WRITES = frozenset({"PutItem", "UpdateItem", "BatchExecuteStatement", "TransactWriteItems", "BatchWriteItem"})


@dataclass(slots=True)
class Measured:
    """What was asked while it was measured.

    Write units are those that the service charged. Read units follow from the sizes of what was read, since an emulator
    charges constants: a consistent read one unit a started four kilobytes, any other half of that.
    """

    requests: int = 0
    write_units: float = 0.0
    read_units: float = 0.0
    write_units_of: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    intervals: list[tuple[float, float]] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """How many requests at least had to wait for an earlier one: the longest row of requests without overlap."""
        rounds, ended = 0, -math.inf
        for begin, end in sorted(self.intervals, key=lambda interval: interval[1]):
            if begin >= ended:
                rounds, ended = rounds + 1, end
        return rounds


class Meter:
    """Listens to a DynamoDB client of boto3's. `delay_seconds` makes each request last, so that rounds can be told."""

    def __init__(self, client: Any, delay_seconds: float = 0.0) -> None:
        self._delay_seconds = delay_seconds
        self._measured: Measured | None = None
        self._lock = Lock()
        self._begun = local()
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask_for_units)
        events.register("before-call.dynamodb", self._begin)
        events.register("after-call.dynamodb", self._end)

    @contextmanager
    def measuring(self) -> Iterator[Measured]:
        """What is asked inside the block."""
        self._measured = Measured()
        try:
            yield self._measured
        finally:
            self._measured = None

    def _ask_for_units(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
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
                measured.write_units += _charged(parsed)
                measured.write_units_of[model.name] += _charged(parsed)
            else:
                measured.read_units += _read(parsed, model.name)


def _charged(parsed: dict[str, Any]) -> float:
    told = parsed.get("ConsumedCapacity") or []
    return sum(float(one["CapacityUnits"]) for one in (told if isinstance(told, list) else [told]))


def _read(parsed: dict[str, Any], operation: str) -> float:
    if operation == "Query":
        return math.ceil(sum(item_size(item) for item in parsed["Items"]) / _READ_UNIT_BYTES)
    items = [item for items in parsed.get("Responses", {}).values() for item in items]
    items += [parsed["Item"]] if "Item" in parsed else []
    return float(sum(math.ceil(item_size(item) / _READ_UNIT_BYTES) for item in items))
