"""A DynamoDB in this process that serves queries of prepared items, in pages of one megabyte.

It does as little as possible itself, so that the time of a read is that of its client. It parses no filter: it is given
the items that meet it.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from agent_memory.storage.dynamodb.items import Item, item_size
from benchmarks.instant_dynamodb import body_of

_PAGE_BYTES = 1_048_576
_UNIT_BYTES = 4_096
_AFTER_ALL = "\U0010ffff"


@dataclass(slots=True)
class Served:
    """What was served: requests, bytes of their bodies, and read units."""

    requests: int = 0
    body_bytes: int = 0
    read_units: float = 0.0

    def __str__(self) -> str:
        return f"{self.requests} requests, {self.body_bytes / 1e6:.2f} MB, {self.read_units:,g} units"


class PreparedPartition:
    """The items of one partition, ordered by sort key; `matching` are the positions of those that meet a filter."""

    def __init__(self, items: Sequence[Item], matching: Sequence[int] = ()) -> None:
        self._keys = [item["sk"]["S"] for item in items]
        self._pk = items[0]["pk"] if items else {}
        self._texts = [json.dumps(item, separators=(",", ":")) for item in items]
        self._ends = [0, *accumulate(map(item_size, items))]
        self._matching = matching

    def page(self, request: Mapping[str, Any]) -> tuple[str, int]:
        """The body of a query's page, and the bytes that were read for it."""
        values = {name: value.get("S", "") for name, value in request["ExpressionAttributeValues"].items()}
        prefix = values.get(":prefix", "")
        first = bisect_left(self._keys, values.get(":first", prefix))
        end = bisect_right(self._keys, values.get(":last", prefix + _AFTER_ALL))
        is_forward = request.get("ScanIndexForward", True)
        if "ExclusiveStartKey" in request:
            after = request["ExclusiveStartKey"]["sk"]["S"]
            first, end = (
                (bisect_right(self._keys, after), end) if is_forward else (first, bisect_left(self._keys, after))
            )
        start, stop = self._cut(first, end, request.get("Limit", len(self._keys)), is_forward=is_forward)
        chosen: Sequence[int] = range(start, stop)
        if "FilterExpression" in request:
            chosen = self._matching[bisect_left(self._matching, start) : bisect_left(self._matching, stop)]
        texts = [self._texts[index] for index in (chosen if is_forward else reversed(chosen))]
        last = ""
        if (start, stop) != (first, end):
            key = {"pk": self._pk, "sk": {"S": self._keys[stop - 1 if is_forward else start]}}
            last = f',"LastEvaluatedKey":{json.dumps(key)}'
        body = f'{{"Items":[{",".join(texts)}],"Count":{len(texts)},"ScannedCount":{stop - start}{last}}}'
        return body, self._ends[stop] - self._ends[start]

    def _cut(self, first: int, end: int, limit: int, *, is_forward: bool) -> tuple[int, int]:
        """The part of a range that fits into a page, and has as many items as it may."""
        if is_forward:
            fits = bisect_right(self._ends, self._ends[first] + _PAGE_BYTES) - 1
            return first, min(end, max(fits, first + 1), first + limit)
        fits = bisect_left(self._ends, self._ends[end] - _PAGE_BYTES)
        return max(first, min(fits, end - 1), end - limit), end


@dataclass(slots=True)
class PreparedDynamoDB:
    """Partitions by key; others are empty. `items` are the answers to GetItem, by sort key."""

    partitions: dict[str, PreparedPartition]
    items: dict[str, Item] = field(default_factory=dict)
    served: Served = field(default_factory=Served)

    def client(self) -> Any:
        """A boto3 client that reads from it."""
        session: Any = boto3.Session("benchmark", "benchmark", region_name="us-east-1")
        session.events.register("before-send.dynamodb.*", self._answer)
        return session.client("dynamodb", config=Config(parameter_validation=False))

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        query = json.loads(request.body)
        text, read_bytes = self._query(query) if operation == "Query" else self._get(query)
        self.served.requests += 1
        self.served.body_bytes += len(text)
        self.served.read_units += max(1, -(-read_bytes // _UNIT_BYTES)) * (1 if query.get("ConsistentRead") else 0.5)
        return AWSResponse(request.url, 200, HTTPHeaders(), body_of(text))

    def _query(self, query: Mapping[str, Any]) -> tuple[str, int]:
        partition = self.partitions.get(query["ExpressionAttributeValues"][":pk"]["S"])
        return partition.page(query) if partition else ('{"Items":[],"Count":0,"ScannedCount":0}', 0)

    def _get(self, query: Mapping[str, Any]) -> tuple[str, int]:
        item = self.items.get(query["Key"]["sk"]["S"])
        return (json.dumps({"Item": item}), item_size(item)) if item else ("{}", 0)
