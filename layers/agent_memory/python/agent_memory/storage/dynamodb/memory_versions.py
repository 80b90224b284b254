"""All versions of memories, from the current ones and from the history, which has those that were replaced or removed.

current    `hunter#PATTERN` / `pump`                       version 3, or that it was removed as version 3
history    `hunter#PATTERN#history` / `pump#0000000002`    version 2; with a removal as version 3, that one too

A version is written to the history by the transaction that replaces or removes it. Who reads both reads the current
ones first: what is replaced meanwhile is then found twice rather than never.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from agent_memory.core.keys import history_sk
from agent_memory.storage.dynamodb.items import Item, text

NOT_REMOVED = "attribute_not_exists(is_removed)"
"""The condition or filter on the item in a memory's place that it is a current version."""

# What is no part of a version: the counts of reads, and what only current versions are indexed by.
_OF_CURRENT_ONES = frozenset({"access_count", "last_accessed", "accesses_through", "embedding", "words"})


def is_current(item: Item) -> bool:
    """Whether the item in a memory's place is a current version; otherwise it says that the memory was removed."""
    return "is_removed" not in item


def in_order(current: Sequence[Item], history: Iterable[Sequence[Item]]) -> Iterator[Item]:
    """Each version once as an item of the history, those of one memory adjacent, oldest first.

    Args:
        current: items of current versions as versions, which were read before the first page of the history.
        history: the pages of a query, in the order of their keys.
    """
    pending = sorted(current, key=_sk)
    last = None
    for item in heapq.merge(chain.from_iterable(history), pending, key=_sk):
        if _sk(item) != last:
            yield item
        last = _sk(item)


def as_version(current: Item) -> Item:
    """The item of a current version as the history will have it; one without a version keeps its key."""
    item = {name: value for name, value in current.items() if name not in _OF_CURRENT_ONES}
    with suppress(KeyError, ValueError):  # a damaged item: whoever reads it says so
        item["sk"] = text(history_sk(current["sk"]["S"], int(current["version"]["N"])))
    return item


def _sk(item: Item) -> str:
    sk: str = item["sk"]["S"]
    return sk
