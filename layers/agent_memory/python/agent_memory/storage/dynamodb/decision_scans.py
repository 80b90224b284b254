"""Reads items of decisions ordered by time: by type from the table, by outcome or context from its indexes."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_memory.core.clock import Span, to_iso
from agent_memory.core.concurrency import merge_ordered
from agent_memory.core.keys import context_pk, decision_pk, outcome_pk
from agent_memory.ports.decisions import Selection
from agent_memory.storage.dynamodb.batches import KEYS_PER_REQUEST, json_answers, query_pages
from agent_memory.storage.dynamodb.filters import Filter, filter_of
from agent_memory.storage.dynamodb.indexed_items import IndexedItems
from agent_memory.storage.dynamodb.items import Item, seconds, text
from agent_memory.storage.schema import BY_CONTEXT, BY_OUTCOME, TIMESTAMP, Index

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from agent_memory.storage.dynamodb.json_items import ReadDecision


_KEYS_PER_PAGE = 20 * KEYS_PER_REQUEST
"""The keys that are read from an index for one page of items, if most are those of other types."""


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

        They are read from the index by outcome, else from the one by context, else from the table with a filter. The
        caller checks the conditions of the selection, as there may be more items than meet them.
        """
        if span.start_ms >= span.end_ms:
            return iter(())
        agent_id, shards = selection.agent_id, range(selection.shards)
        if not selection.has_index:
            return self._by_type(selection, span, newest_first=newest_first, first=first)
        if selection.success is not None:
            index = BY_OUTCOME
            partitions = [outcome_pk(agent_id, shard, success=selection.success) for shard in shards]
        else:
            index = BY_CONTEXT
            partitions = [context_pk(agent_id, str(selection.context_type), shard) for shard in shards]
        of_type = None
        if selection.decision_type is not None:
            of_type = {decision_pk(agent_id, selection.decision_type, shard) for shard in shards}
        needed = min(first or KEYS_PER_REQUEST, KEYS_PER_REQUEST)
        # One key more: a millisecond is complete once the next one begins.
        keys = merge_ordered(
            [self._keys(index, pk, span, newest_first=newest_first, limit=needed + 1) for pk in partitions],
            key=_sort_key,
            reverse=newest_first,
        )
        return self._items(IndexedItems(self._client, self._table, index.partition.name), keys, of_type, needed)

    def _by_type(
        self, selection: Selection, span: Span, *, newest_first: bool, first: int | None
    ) -> Iterator[ScannedPage]:
        partitions = [
            decision_pk(selection.agent_id, str(selection.decision_type), shard) for shard in range(selection.shards)
        ]
        having = filter_of(selection)
        streams = [self._partition_pages(pk, span, having, newest_first=newest_first, first=first) for pk in partitions]
        if len(streams) == 1:
            return streams[0]
        return (
            page for _, page in merge_ordered(list(map(_by_item, streams)), key=itemgetter(0), reverse=newest_first)
        )

    def _partition_pages(
        self, partition: str, span: Span, having: Filter | None, *, newest_first: bool, first: int | None
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
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
            **_filtering(having, values),
            **({} if first is None else {"Limit": first}),
        )
        return (
            ScannedPage([one if isinstance(one, dict) else read_decision(one) for one in items], last_key)
            for items, last_key in answers
        )

    def _keys(
        self,
        index: Index,
        partition: str,
        span: Span,
        *,
        newest_first: bool,
        limit: int | None,
    ) -> Iterator[Item]:
        """Keys from an index, which orders by time only: keys of the same millisecond are ordered here."""
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
            **({} if limit is None else {"Limit": limit}),
        )
        entries = chain.from_iterable(pages)
        for _, simultaneous in groupby(entries, key=lambda entry: entry[TIMESTAMP.name]["N"]):
            yield from sorted(simultaneous, key=_sort_key, reverse=newest_first)

    def _items(
        self, read: IndexedItems, keys: Iterator[Item], of_type: set[str] | None, needed: int
    ) -> Iterator[ScannedPage]:
        """Items by their keys, first as many as are needed, then a hundred at a time."""
        wanted: list[Item] = []
        for count, key in enumerate(keys, start=1):
            if of_type is None or key["pk"]["S"] in of_type:
                wanted.append(key)
            if len(wanted) == needed or count % _KEYS_PER_PAGE == 0:
                yield ScannedPage(read.by_key(wanted), key)
                wanted, needed = [], KEYS_PER_REQUEST
        if wanted:
            yield ScannedPage(read.by_key(wanted))


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
