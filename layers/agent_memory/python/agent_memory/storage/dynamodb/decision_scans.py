"""Reads items of decisions ordered by time: by type from the table, by outcome or context from its indexes."""

from collections.abc import Iterator
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING

from agent_memory.core.clock import Span, to_iso
from agent_memory.core.concurrency import merge_ordered
from agent_memory.core.ids import is_decision_id, timestamp_of
from agent_memory.core.keys import context_pk, decision_pk, outcome_pk
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.decisions import Selection
from agent_memory.storage.dynamodb.batches import KEYS_PER_REQUEST, get_items, query_pages
from agent_memory.storage.dynamodb.items import Item, seconds, text
from agent_memory.storage.schema import BY_CONTEXT, BY_OUTCOME, TIMESTAMP, Index

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DecisionScans:
    """Ordered reads of the table of decisions, from all shards concurrently."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def pages(self, selection: Selection, span: Span, *, newest_first: bool, first: int | None) -> Iterator[list[Item]]:
        """The items in a span, ordered by time and id, in pages that are read when they are consumed.

        They are read from the index by outcome, else from the one by context, else from the table. The caller checks
        the other conditions of the selection.
        """
        if span.start_ms >= span.end_ms:
            return iter(())
        agent_id, shards = selection.agent_id, range(selection.shards)
        if selection.success is not None:
            index = BY_OUTCOME
            partitions = [outcome_pk(agent_id, shard, success=selection.success) for shard in shards]
        elif selection.context_type is not None:
            index = BY_CONTEXT
            partitions = [context_pk(agent_id, selection.context_type, shard) for shard in shards]
        else:
            return self._by_type(selection, span, newest_first=newest_first, first=first)
        of_type = None
        if selection.decision_type is not None:
            of_type = {decision_pk(agent_id, selection.decision_type, shard) for shard in shards}
        keys = merge_ordered(
            [self._keys(index, pk, span, newest_first=newest_first) for pk in partitions],
            key=_sort_key,
            reverse=newest_first,
        )
        return self._items(key for key in keys if of_type is None or key["pk"]["S"] in of_type)

    def keys_by_outcome(self, agent_id: str, span: Span, *, success: bool, shards: int) -> Iterator[DecisionKey]:
        """The keys of the index by outcome in a span, ordered by time and id, in pages as large as they may be."""
        if span.start_ms >= span.end_ms:
            return
        partitions = [outcome_pk(agent_id, shard, success=success) for shard in range(shards)]
        streams = [self._keys(BY_OUTCOME, pk, span, newest_first=False, limit=None) for pk in partitions]
        for key in merge_ordered(streams, key=_sort_key, reverse=False):
            decision_type = key["pk"]["S"].removeprefix(f"{agent_id}#").partition("#")[0]
            decision_id = key["sk"]["S"].rpartition("#")[2]
            if is_decision_id(decision_id):  # a damaged item is not that of a decision
                yield DecisionKey(agent_id, decision_type, timestamp_of(decision_id), decision_id)

    def _by_type(
        self, selection: Selection, span: Span, *, newest_first: bool, first: int | None
    ) -> Iterator[list[Item]]:
        partitions = [
            decision_pk(selection.agent_id, str(selection.decision_type), shard) for shard in range(selection.shards)
        ]
        streams = [self._partition_pages(pk, span, newest_first=newest_first, first=first) for pk in partitions]
        if len(streams) == 1:
            return streams[0]
        items = merge_ordered([chain.from_iterable(one) for one in streams], key=_sort_key, reverse=newest_first)
        return ([item] for item in items)

    def _partition_pages(
        self, partition: str, span: Span, *, newest_first: bool, first: int | None
    ) -> Iterator[list[Item]]:
        return query_pages(
            self._client,
            self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": text(partition),
                ":first": text(to_iso(span.start_ms)),
                ":last": text(to_iso(span.end_ms - 1) + "#~"),
            },
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
            **({} if first is None else {"Limit": first}),
        )

    def _keys(
        self,
        index: Index,
        partition: str,
        span: Span,
        *,
        newest_first: bool,
        # One more than a request reads: a millisecond is complete once the next one begins.
        limit: int | None = KEYS_PER_REQUEST + 1,
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
            for entry in sorted(simultaneous, key=_sort_key, reverse=newest_first):
                yield {"pk": entry["pk"], "sk": entry["sk"]}

    def _items(self, keys: Iterator[Item]) -> Iterator[list[Item]]:
        """Items by their keys, a hundred per request; those that were deleted in the meantime are left out."""
        while chunk := list(islice(keys, KEYS_PER_REQUEST)):
            items = {(item["pk"]["S"], item["sk"]["S"]): item for item in get_items(self._client, self._table, chunk)}
            pairs = [(key["pk"]["S"], key["sk"]["S"]) for key in chunk]
            yield [items[pair] for pair in pairs if pair in items]


def _sort_key(item: Item) -> str:
    return str(item["sk"]["S"])
