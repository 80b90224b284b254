"""Concurrent calls: a batch of requests takes about as long as its slowest one."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from agent_memory.core.threads import DaemonThreadPool

T = TypeVar("T")
R = TypeVar("R")

MAX_THREADS = 16


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive slices of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def map_concurrently(call: Callable[[T], R], items: Sequence[T], *, max_threads: int = MAX_THREADS) -> list[R]:
    """The results of `call` for each item, in order, up to `max_threads` at a time; the first error is raised.

    The calling thread, which would only wait, makes the first call.
    """
    if len(items) <= 1 or max_threads == 1:
        return [call(item) for item in items]
    with DaemonThreadPool(min(max_threads, len(items)) - 1) as pool:
        others = pool.map(call, items[1:])
        return [call(items[0]), *others]


def run_concurrently(*calls: Callable[[], Any]) -> list[Any]:
    """The results of calls made at the same time, in order; the first error is raised."""
    return map_concurrently(lambda call: call(), calls)


def merge_ordered(streams: Sequence[Iterator[T]], *, key: Callable[[T], Any], reverse: bool) -> Iterator[T]:
    """Merge ordered streams into one. First pages are read concurrently, later ones when they are needed.

    Equal items keep the order of their streams.
    """
    if len(streams) == 1:
        return streams[0]

    def with_first_item(stream: Iterator[T]) -> Iterator[T]:
        return chain(list(islice(stream, 1)), stream)

    def merged() -> Iterator[T]:
        yield from heapq.merge(*map_concurrently(with_first_item, streams), key=key, reverse=reverse)

    return merged()
