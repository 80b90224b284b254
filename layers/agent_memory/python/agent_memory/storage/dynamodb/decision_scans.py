"""Reads items of decisions ordered by time: by type from the table, by context from its indexes.

index            entry                    read again
by_context       the item, a small one    no
by_context_keys  keys of a larger item    by its key, or with its neighbours (`indexed_items`)
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_memory.core.clock import Span, to_iso
from agent_memory.core.concurrency import merge_ordered
from agent_memory.core.keys import context_pk, decision_pk
from agent_memory.ports.decisions import Selection
from agent_memory.storage.dynamodb.batches import KEYS_PER_REQUEST, LATER_PAGES_FACTOR, json_answers, query_pages
from agent_memory.storage.dynamodb.filters import Filter, filter_of
from agent_memory.storage.dynamodb.indexed_items import IndexedItems
from agent_memory.storage.dynamodb.items import Item, seconds, text
from agent_memory.storage.schema import BY_CONTEXT, BY_CONTEXT_KEYS, TIMESTAMP, Index

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from agent_memory.storage.dynamodb.json_items import ReadDecision


_ENTRIES_PER_PAGE = 20 * KEYS_PER_REQUEST
"""The entries that are read from an index for one page of items, if most do not meet the conditions."""
_MIN_LIMIT = 16


class ScannedPage(NamedTuple):
    """Items in order, and the key up to which everything was read for them; None if nothing was cut off.

    Most items of a partition have become decisions already.
    """

    items: "Sequence[Item | ReadDecision]"
    last_key: Item | None = None


class DecisionScans:
    """Ordered reads of the table of decisions, from all shards concurrently."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def pages(
        self, selection: Selection, span: Span, *, newest_first: bool, first: int | None
    ) -> Iterator[ScannedPage]:
        """The items in a span, ordered by time and id, in pages that are read when they are consumed.

        They are read from the indexes by context, else from the table with a filter. The caller checks the conditions
        of the selection, as there may be more items than meet them.
        """
        if span.start_ms >= span.end_ms:
            return iter(())
        read = self._by_context if selection.has_index else self._by_type
        return read(selection, span, newest_first=newest_first, first=first)

    def _by_context(
        self, selection: Selection, span: Span, *, newest_first: bool, first: int | None
    ) -> Iterator[ScannedPage]:
        """What both indexes by context have, merged: an item is an entry of one of them."""
        needed = min(first or KEYS_PER_REQUEST, _ENTRIES_PER_PAGE)
        context_type = str(selection.context_type)
        partitions = [context_pk(selection.agent_id, context_type, shard) for shard in range(selection.shards)]
        # One entry more: a millisecond is complete once the next one begins.
        entries = merge_ordered(
            [
                self._entries(index, pk, span, newest_first=newest_first, limit=needed + 1)
                for index in (BY_CONTEXT, BY_CONTEXT_KEYS)
                for pk in partitions
            ],
            key=_sort_key,
            reverse=newest_first,
        )
        return self._items(selection, entries, needed)

    def _by_type(
        self, selection: Selection, span: Span, *, newest_first: bool, first: int | None
    ) -> Iterator[ScannedPage]:
        if selection.decision_type is None:
            raise ValueError("what is not read by context is read by type: the selection names neither")
        partitions = [
            decision_pk(selection.agent_id, selection.decision_type, shard) for shard in range(selection.shards)
        ]
        having = filter_of(selection)
        if having is not None and first is not None:
            first = math.ceil(first / len(partitions))  # those that meet a filter are about as many in each
        # An outcome may be as old as one of an index, which halves the price of those that are read and left out.
        is_consistent = selection.success is None
        streams = [
            self._partition_pages(pk, span, having, newest_first=newest_first, first=first, is_consistent=is_consistent)
            for pk in partitions
        ]
        if len(streams) == 1:
            return streams[0]
        return (
            page for _, page in merge_ordered(list(map(_by_item, streams)), key=itemgetter(0), reverse=newest_first)
        )

    def _partition_pages(
        self,
        partition: str,
        span: Span,
        having: Filter | None,
        *,
        newest_first: bool,
        first: int | None,
        is_consistent: bool,
    ) -> Iterator[ScannedPage]:
        values = {
            ":pk": text(partition),
            ":first": text(to_iso(span.start_ms)),
            ":last": text(to_iso(span.end_ms - 1) + "#~"),
        }
        from agent_memory.storage.dynamodb.json_items import read_decision  # noqa: PLC0415  writers need no msgspec

        answers = json_answers(
            self._client,
            self._table,
            next_limit=None if having is None or first is None else _Limits(first),
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ScanIndexForward=not newest_first,
            ConsistentRead=is_consistent,
            **_filtering(having, values),
            **({} if first is None else {"Limit": first}),
        )
        return (
            ScannedPage([one if isinstance(one, dict) else read_decision(one) for one in items], last_key)
            for items, last_key in answers
        )

    def _entries(
        self,
        index: Index,
        partition: str,
        span: Span,
        *,
        newest_first: bool,
        limit: int,
    ) -> Iterator[Item]:
        """Entries of an index, which orders by time only: those of the same millisecond are ordered here."""
        pages = query_pages(
            self._client,
            self._table,
            IndexName=index.name,
            KeyConditionExpression=f"{index.partition.name} = :pk AND #at BETWEEN :first AND :last",
            ExpressionAttributeNames={"#at": TIMESTAMP.name},
            ExpressionAttributeValues={
                ":pk": text(partition),
                ":first": seconds(span.start_ms),
                ":last": seconds(span.end_ms - 1),
            },
            ScanIndexForward=not newest_first,
            Limit=limit,
        )
        entries = chain.from_iterable(pages)
        for _, simultaneous in groupby(entries, key=lambda entry: entry[TIMESTAMP.name]["N"]):
            yield from sorted(simultaneous, key=_sort_key, reverse=newest_first)

    def _items(self, selection: Selection, entries: Iterator[Item], needed: int) -> Iterator[ScannedPage]:
        """The items of entries, first as many as are needed, then a hundred at a time."""
        of_type = None
        if selection.decision_type is not None:
            shards = range(selection.shards)
            of_type = {decision_pk(selection.agent_id, selection.decision_type, shard) for shard in shards}
        wanted: list[Item] = []
        for count, entry in enumerate(entries, start=1):
            if (of_type is None or entry["pk"]["S"] in of_type) and not _has_other_outcome(entry, selection):
                wanted.append(entry)
            if len(wanted) == needed or count % _ENTRIES_PER_PAGE == 0:
                yield ScannedPage(self._complete(wanted), entry)
                wanted, needed = [], KEYS_PER_REQUEST
        if wanted:
            yield ScannedPage(self._complete(wanted))

    def _complete(self, entries: list[Item]) -> list[Item]:
        """The items of entries, in their order; those that have keys only are read."""
        attribute = BY_CONTEXT_KEYS.partition.name
        keys = [one for one in entries if attribute in one]
        if not keys:
            return entries
        found = IndexedItems(self._client, self._table, attribute).by_key(keys)
        items = {_pair(one): one for one in found}
        return [items.get(_pair(one), one) for one in entries if attribute not in one or _pair(one) in items]


class _Limits:
    """The limits of a filtered query's requests: for as many items as have what is still needed, by the share so far.

    A limit counts items before the filter. When all that was needed has been found, or nothing yet, limits grow.
    """

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._found = self._read = 0

    def __call__(self, limit: int, answer: Mapping[str, Any]) -> int:
        """The limit of the request after one with this limit and answer."""
        self._found += len(answer["Items"])
        self._read += answer.get("ScannedCount", len(answer["Items"]))
        largest, missing = LATER_PAGES_FACTOR * limit, self._needed - self._found
        if missing <= 0 or not self._found:
            return largest
        # By a share that is a standard deviation higher: another small request costs less than what is not needed.
        expected = math.ceil(missing * self._read / (self._found + math.sqrt(self._found)))
        return min(largest, max(expected, _MIN_LIMIT))


def _has_other_outcome(entry: Item, selection: Selection) -> bool:
    """Whether an entry says that its decision's outcome does not meet the conditions, so that it need not be decoded.

    An entry that has keys only does not say it, nor does one that is damaged.
    """
    if BY_CONTEXT_KEYS.partition.name in entry:
        return False
    success = entry.get("success")
    if selection.is_pending:
        return success is not None and "BOOL" in success
    return selection.success is not None and success in (None, {"BOOL": not selection.success})


def _filtering(having: Filter | None, values: Item) -> dict[str, Any]:
    """The arguments of a query with these values of its key condition, and a filter."""
    if having is None:
        return {"ExpressionAttributeValues": values}
    request: dict[str, Any] = {"FilterExpression": having.expression}
    if having.names:
        request["ExpressionAttributeNames"] = having.names
    return {**request, "ExpressionAttributeValues": values | having.values}


def _by_item(pages: Iterator[ScannedPage]) -> Iterator[tuple[str, ScannedPage]]:
    """Each item, and each end of a page, as a page of its own with its sort key, so that they can be merged."""
    for page in pages:
        for item in page.items:
            yield _sort_key(item), ScannedPage([item])
        if page.last_key is not None:
            yield _sort_key(page.last_key), ScannedPage([], page.last_key)


def _sort_key(item: "Item | ReadDecision") -> str:
    return str(item["sk"]["S"]) if isinstance(item, dict) else item.sort_key


def _pair(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
