"""`python -m benchmarks.trading`: time of searching a trading memory, against a linear search."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.reference_store import ReferenceStore
from benchmarks.tables import Row, print_table
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

SIZES = (100_000, 1_000_000)
GOAL = 200
_QUERIES = 200
_COMPARED = {100_000: 20, 1_000_000: 4}
"""The number of queries that are also answered by a linear search."""

_VOCABULARY = 50_000
_NOW = 1_795_176_000.0
_HALF_LIFE = 86_400.0
_DAYS = 7
_KINDS = ("trade", "outcome", "signal", "market_event")
_SYMBOLS = ("SPY", "BTC", "EURUSD")

Query = tuple[str, str | None, str | None]
"""Words, a kind and a symbol."""

Words = Callable[[random.Random, int], str]


def rows(sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Times; the results of both searches are compared."""
    for size in sizes:
        for name, words in (("even", _even), ("skewed (Zipf)", _skewed)):
            yield from _rows_of(size, name, words)


def _rows_of(size: int, name: str, words: Words) -> Iterator[Row]:
    started = time.perf_counter()
    store = TradingMemoryStore(_HALF_LIFE, clock=lambda: _NOW)
    for item in _items(size, words):
        store.append(item)
    store.search("w1")
    yield f"{size:,} items, {name} vocabulary", f"added and indexed in {time.perf_counter() - started:,.1f} s", ""
    generator = random.Random(-1)  # noqa: S311  synthetic words
    reference, compared = ReferenceStore(_HALF_LIFE, lambda: _NOW), _COMPARED[size]
    reference.items = list(store.items)
    for description, kind, symbol, length in (
        ("three words", None, None, 3),
        ("three words, of one symbol", None, "SPY", 3),
        ("three words, of one kind and symbol", "outcome", "SPY", 3),
        ("no words", None, None, 0),
    ):
        queries = [(words(generator, length), kind, symbol) for _ in range(_QUERIES)]
        seconds, found = _timed(lambda one: store.search(*one), queries)
        linear_seconds, expected = _timed(lambda one: reference.search(*one), queries[:compared])
        same = sum(list(map(id, one)) == list(map(id, other)) for one, other in zip(found, expected, strict=False))
        times = f"{linear_seconds * 1e3:,.1f} ms → {seconds * 1e3:,.3f} ms: {linear_seconds / seconds:,.0f} ×"
        yield f"  {description}", f"{times}; {same} of {compared} equal", f"≥ {GOAL} ×, all equal"
    queries = [(words(generator, 3), None, None) for _ in range(_QUERIES)]
    mixed, _ = _timed(lambda one: (store.add("signal", one[0]), store.search(*one)), queries)
    yield "  one item added, then a query of three words", f"{mixed * 1e3:,.3f} ms", ""


def speedup(size: int, *, vocabulary: int = 400, asked: int = 4, compared: int = 8) -> float:
    """How many times faster a search is than the linear one, for items and questions of an even vocabulary."""

    def words(generator: random.Random, length: int) -> str:
        return " ".join(f"w{int(vocabulary * generator.random())}" for _ in range(length))

    store, reference = TradingMemoryStore(_HALF_LIFE, clock=lambda: _NOW), ReferenceStore(_HALF_LIFE, lambda: _NOW)
    for item in _items(size, words):
        store.append(item)
    reference.items = list(store.items)
    store.search("w1")
    generator = random.Random(-1)  # noqa: S311  synthetic words
    queries: list[Query] = [(words(generator, asked), None, None) for _ in range(_QUERIES)]
    seconds, found = _timed(lambda one: store.search(*one), queries)
    linear_seconds, expected = _timed(lambda one: reference.search(*one), queries[:compared])
    if any(list(map(id, one)) != list(map(id, other)) for one, other in zip(found, expected, strict=False)):
        raise RuntimeError("the two searches differ")
    return linear_seconds / seconds


def _items(count: int, words: Words) -> Iterator[TradingMemoryItem]:
    generator = random.Random(7)  # noqa: S311
    span = _DAYS * 86_400
    for n in range(count):
        yield TradingMemoryItem(
            generator.choice(_KINDS),
            words(generator, 12),
            round(generator.random() * 2, 2),
            generator.choice(_SYMBOLS),
            timestamp=_NOW - span * (1 - n / count),
        )


def _skewed(generator: random.Random, length: int) -> str:
    """The n-th most common word is 1/n as frequent as the first."""
    return " ".join(f"w{int(_VOCABULARY ** generator.random())}" for _ in range(length))


def _even(generator: random.Random, length: int) -> str:
    return " ".join(f"w{int(_VOCABULARY * generator.random())}" for _ in range(length))


def _timed(call: Callable[[Query], Any], queries: Sequence[Query]) -> tuple[float, list[Any]]:
    """The median time of a call in seconds, and the results."""
    times, results = [], []
    for query in queries:
        started = time.perf_counter()
        results.append(call(query))
        times.append(time.perf_counter() - started)
    return median(times), results


if __name__ == "__main__":
    print_table("Trading memory", rows(), width=140)
