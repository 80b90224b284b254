"""Requests side by side: a batch costs about its slowest request, not their sum."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

MAX_THREADS = 8


def chunks(items: Sequence[Given], size: int) -> Iterator[Sequence[Given]]:
    """Runs of at most `size` items, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))


def map_concurrently(call: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
    """`call` on each item, in order, up to eight at a time; the first error is raised."""
    if len(items) <= 1:
        return [call(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(MAX_THREADS, len(items))) as pool:
        return list(pool.map(call, items))
