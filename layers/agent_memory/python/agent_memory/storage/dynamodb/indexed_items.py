"""Reads the items of keys that an index has: those that are close together with one query, the others one by one.

    keys      a   b c   d e f     g   h               of one partition of the index
    table     a . b c . d e f . . g . h . . .         a query reads 4 KB of items for half a unit
              ^^^^^^^^^^^^^^^^^^^^^^^                 ... and a read by key an item

The index of large decisions by context has keys only, which makes writes cheap. An index is behind its table by
moments, so that reads of the items need not be consistent either, which halves their price.
"""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from agent_memory.core.concurrency import map_concurrently
from agent_memory.storage.dynamodb.batches import get_items, query_answers
from agent_memory.storage.dynamodb.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MIN_KEYS = 20
"""Fewer keys of a partition are read one by one."""
_ITEMS_PER_KEY, _MAX_ITEMS_PER_KEY = 2, 4
"""How many items a query may read for each of its keys, at first and once it is known how far apart they are.

It costs less than reading them one by one up to about six of the size of the example's.
"""
_MARGIN = 1.3

_Pair = tuple[str, str]


class IndexedItems:
    """Items of a table by the keys of one of its indexes, whose partition key is `attribute`."""

    def __init__(self, client: "DynamoDBClient", table: str, attribute: str) -> None:
        self._client = client
        self._table = table
        self._attribute = attribute

    def by_key(self, entries: Sequence[Item]) -> list[Item]:
        """The items of the index's entries, in their order, without those that were deleted in the meantime."""
        by_partition = [list(group) for _, group in groupby(sorted(entries, key=_pair), key=lambda one: one["pk"]["S"])]
        close = [group for group in by_partition if len(group) >= _MIN_KEYS]
        items = {_pair(item): item for found in map_concurrently(self._between, close) for item in found}
        rest = [one for one in entries if _pair(one) not in items]
        keys: list[Item] = [{"pk": one["pk"], "sk": one["sk"]} for one in rest]
        items |= {_pair(item): item for item in get_items(self._client, self._table, keys, consistent=False)}
        return [items[_pair(one)] for one in entries if _pair(one) in items]

    def _between(self, entries: Sequence[Item]) -> list[Item]:
        """The items from the first entry of a partition to the last that are in the index's, up to a limit.

        If the items up to the limit show that the others are not too far apart either, they are read in the same way.
        """
        limit = _ITEMS_PER_KEY * len(entries)
        items = self._query(entries, limit)
        rest = entries[len(items) :]
        if not rest or limit > _MAX_ITEMS_PER_KEY * len(items):
            return items
        return items + self._query(rest, math.ceil(_MARGIN * len(rest) * limit / len(items)))

    def _query(self, entries: Sequence[Item], limit: int) -> list[Item]:
        first, last = entries[0], entries[-1]
        answers = query_answers(
            self._client,
            self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            FilterExpression="#attribute = :value",
            ExpressionAttributeNames={"#attribute": self._attribute},
            ExpressionAttributeValues={
                ":pk": first["pk"],
                ":first": first["sk"],
                ":last": last["sk"],
                ":value": first[self._attribute],
            },
            Limit=limit,
        )
        items, _ = next(answers)
        return items


def _pair(item: Item) -> _Pair:
    return item["pk"]["S"], item["sk"]["S"]
