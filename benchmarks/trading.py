"""`python -m benchmarks.trading`: how fast trading agents search what they remember, beside looking at every item."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

SIZES = (100_000, 1_000_000)
GOAL = 200
_QUERIES = 200
_COMPARED = {100_000: 20, 1_000_000: 4}
"""How many queries are also answered by looking at every item."""

_VOCABULARY = 50_000
_NOW = 1_795_176_000.0
_HALF_LIFE = 86_400.0
_DAYS = 7
_KINDS = ("trade", "outcome", "signal", "market_event")
_SYMBOLS = ("SPY", "BTC", "EURUSD")

Asked = tuple[str, str | None, str | None]
"""A query, a kind and a symbol."""

Words = Callable[[random.Random, int], str]


def rows(sizes: Sequence[int] = SIZES) -> Iterator[tuple[str, str, str]]:
    """Times, with the results compared while they are measured."""
    for size in sizes:
        for name, words in (("even", _even), ("skewed (Zipf)", _skewed)):
            yield from _rows_of(size, name, words)


def _rows_of(size: int, name: str, words: Words) -> Iterator[tuple[str, str, str]]:
    started = time.perf_counter()
    store = TradingMemoryStore(_HALF_LIFE, clock=lambda: _NOW)
    for item in _items(size, words):
        store.append(item)
    store.search("w1")
    yield f"{size:,} items, {name} vocabulary", f"added and put in order in {time.perf_counter() - started:,.1f} s", ""
    chance = random.Random(-1)  # noqa: S311  made-up words
    all_items, compared = list(store.items), _COMPARED[size]
    for told, kind, symbol, length in (
        ("three words", None, None, 3),
        ("three words, of one symbol", None, "SPY", 3),
        ("three words, of one kind and symbol", "outcome", "SPY", 3),
        ("no words", None, None, 0),
    ):
        asked = [(words(chance, length), kind, symbol) for _ in range(_QUERIES)]
        ours, found = _timed(lambda one: store.search(*one), asked)
        plain, expected = _timed(lambda one: plain_search(all_items, *one), asked[:compared])
        same = sum(list(map(id, one)) == list(map(id, other)) for one, other in zip(found, expected, strict=False))
        yield (
            f"  {told}",
            f"{plain * 1e3:,.1f} ms → {ours * 1e3:,.3f} ms: {plain / ours:,.0f} ×; {same} of {compared} the same",
            f"≥ {GOAL} ×, all the same",
        )
    asked = [(words(chance, 3), None, None) for _ in range(_QUERIES)]
    mixed, _ = _timed(lambda one: (store.add("signal", one[0]), store.search(*one)), asked)
    yield "  one added, then three words asked", f"{mixed * 1e3:,.3f} ms", ""


def plain_search(
    items: Sequence[TradingMemoryItem], query: str, kind: str | None = None, symbol: str | None = None, topk: int = 5
) -> list[TradingMemoryItem]:
    """The design's own search, word for word, with a clock."""
    scored = []
    for item in items:
        if kind and item.kind != kind:
            continue
        if symbol and item.symbol != symbol:
            continue
        decay = 0.5 ** ((_NOW - item.timestamp) / _HALF_LIFE)
        if query:
            query_words = set(query.lower().split())
            content_words = set(item.content.lower().split())
            sim = len(query_words & content_words)
        else:
            sim = 0
        scored.append(((item.score * decay) + sim, item))
    scored.sort(key=lambda one: one[0], reverse=True)
    return [item for score, item in scored[:topk] if score > 0]


def _items(count: int, words: Words) -> Iterator[TradingMemoryItem]:
    chance = random.Random(7)  # noqa: S311
    span = _DAYS * 86_400
    for n in range(count):
        yield TradingMemoryItem(
            chance.choice(_KINDS),
            words(chance, 12),
            round(chance.random() * 2, 2),
            chance.choice(_SYMBOLS),
            timestamp=_NOW - span * (1 - n / count),
        )


def _skewed(chance: random.Random, length: int) -> str:
    """The n-th most common word comes about 1/n as often as the first."""
    return " ".join(f"w{int(_VOCABULARY ** chance.random())}" for _ in range(length))


def _even(chance: random.Random, length: int) -> str:
    return " ".join(f"w{int(_VOCABULARY * chance.random())}" for _ in range(length))


def _timed(call: Callable[[Asked], Any], asked: Sequence[Asked]) -> tuple[float, list[Any]]:
    """Seconds that a call takes, the median, and what each call returned."""
    taken, results = [], []
    for one in asked:
        started = time.perf_counter()
        results.append(call(one))
        taken.append(time.perf_counter() - started)
    return median(taken), results


if __name__ == "__main__":
    table = Table("measured", "result", "goal", title="Trading memory")
    for row in rows():
        table.add_row(*row)
    Console(width=140).print(table)
