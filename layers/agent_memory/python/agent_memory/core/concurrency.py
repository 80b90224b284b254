"""Calls made concurrently: a batch costs about its slowest request, not their sum."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from agent_memory.core.threads import DaemonThreadPool

T = TypeVar("T")
R = TypeVar("R")

MAX_THREADS = 16


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Runs of at most `size` items, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))


def map_concurrently(call: Callable[[T], R], items: Sequence[T], *, at_once: int = MAX_THREADS) -> list[R]:
    """`call` on each item, in order, up to `at_once` at a time; the first error is raised."""
    if len(items) <= 1:
        return [call(item) for item in items]
    with DaemonThreadPool(min(at_once, len(items))) as pool:
        return list(pool.map(call, items))


def run_concurrently(*calls: Callable[[], Any]) -> list[Any]:
    """What several calls return, made at the same time; the first error is raised."""
    return map_concurrently(lambda call: call(), calls)


def merge_ordered(streams: Sequence[Iterator[T]], *, key: Callable[[T], Any], reverse: bool) -> Iterator[T]:
    """Ordered streams as one; their first pages are read concurrently, later ones as they are needed.

    Of equal items those of the earlier stream come first.
    """
    if len(streams) == 1:
        return streams[0]

    def begin(stream: Iterator[T]) -> Iterator[T]:
        return chain(list(islice(stream, 1)), stream)

    def merged() -> Iterator[T]:
        yield from heapq.merge(*map_concurrently(begin, streams), key=key, reverse=reverse)

    return merged()
