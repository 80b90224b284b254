"""Reads items of decisions in order of time: by type from the table, by outcome or context from its indexes."""

from collections.abc import Iterator
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING

from agent_memory.core.clock import Span, to_iso
from agent_memory.core.concurrency import merge_ordered
from agent_memory.core.keys import context_pk, decision_pk, outcome_pk
from agent_memory.ports.decisions import Selection
from agent_memory.storage.dynamodb.batches import KEYS_PER_REQUEST, get_items, query_pages
from agent_memory.storage.dynamodb.items import Item, seconds, text
from agent_memory.storage.schema import BY_CONTEXT, BY_OUTCOME, TIMESTAMP, Index

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DecisionScans:
    """Ordered reads of the table of decisions, all shards concurrently."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def pages(self, wanted: Selection, span: Span, *, newest_first: bool, first: int | None) -> Iterator[list[Item]]:
        """The items in a span, ordered by time and id: lists of what is read together, each read when it is taken.

        One path is taken: the index by outcome, else the one by context, else the table. Whether an item meets the
        rest of the selection is for the caller to check.
        """
        if span.start_ms >= span.end_ms:
            return iter(())
        agent_id, shards = wanted.agent_id, range(wanted.shards)
        if wanted.success is not None:
            index = BY_OUTCOME
            partitions = [outcome_pk(agent_id, shard, success=wanted.success) for shard in shards]
        elif wanted.context_type is not None:
            index = BY_CONTEXT
            partitions = [context_pk(agent_id, wanted.context_type, shard) for shard in shards]
        else:
            return self._by_type(wanted, span, newest_first=newest_first, first=first)
        own_type = None
        if wanted.decision_type is not None:
            own_type = {decision_pk(agent_id, wanted.decision_type, shard) for shard in shards}
        keys = merge_ordered(
            [self._keys(index, pk, span, newest_first=newest_first) for pk in partitions],
            key=_sort_key,
            reverse=newest_first,
        )
        return self._items_of(key for key in keys if own_type is None or key["pk"]["S"] in own_type)

    def _by_type(self, wanted: Selection, span: Span, *, newest_first: bool, first: int | None) -> Iterator[list[Item]]:
        partitions = [decision_pk(wanted.agent_id, str(wanted.decision_type), shard) for shard in range(wanted.shards)]
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

    def _keys(self, index: Index, partition: str, span: Span, *, newest_first: bool) -> Iterator[Item]:
        """Keys from an index. It orders by time only: those of one millisecond are ordered here."""
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
            # One more than is fetched at once: the last millisecond is complete once another one begins.
            Limit=KEYS_PER_REQUEST + 1,
        )
        entries = chain.from_iterable(pages)
        for _, of_one_moment in groupby(entries, key=lambda entry: entry[TIMESTAMP.name]["N"]):
            for entry in sorted(of_one_moment, key=_sort_key, reverse=newest_first):
                yield {"pk": entry["pk"], "sk": entry["sk"]}

    def _items_of(self, keys: Iterator[Item]) -> Iterator[list[Item]]:
        """Items by their keys, a request for each hundred; those that are gone meanwhile are passed over."""
        while chunk := list(islice(keys, KEYS_PER_REQUEST)):
            found = {(item["pk"]["S"], item["sk"]["S"]): item for item in get_items(self._client, self._table, chunk)}
            addresses = [(key["pk"]["S"], key["sk"]["S"]) for key in chunk]
            yield [found[address] for address in addresses if address in found]


def _sort_key(item: Item) -> str:
    return str(item["sk"]["S"])
