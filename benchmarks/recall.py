"""How fast the index recalls, beside the formula in plain Python, and what a million entries take."""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from agent_memory.recall import Entry, RecallIndex, WordOverlap

ENTRIES = 100_000
MANY = 1_000_000
_QUERIES = 200
_TIMED_PLAIN = 20
_VOCABULARY = 50_000
_NOW = 1_795_176_000.0
_KINDS = ("trade", "outcome", "signal", "market_event")
_SYMBOLS = ("SPY", "BTC", "EURUSD")

Row = tuple[str, str, str]


def rows() -> Iterator[Row]:
    """Times and sizes; rankings are compared while they are measured."""
    entries = list(_entries(ENTRIES))
    index = RecallIndex(similarity=WordOverlap(), default_half_life=86_400.0)
    index.add_many(entries)
    queries = [_text(random.Random(-seed), 3) for seed in range(_QUERIES)]  # noqa: S311  made-up words
    same = sum(_ranking(index, query) == _plain(entries, query) for query in queries)
    for symbol, filtered in ((None, ""), ("SPY", ", of one symbol")):
        ours = _timed(lambda query, symbol=symbol: _ranking(index, query, symbol), queries)  # type: ignore[misc]
        plain = _timed(lambda query, symbol=symbol: _plain(entries, query, symbol), queries[:_TIMED_PLAIN])  # type: ignore[misc]
        yield f"{ENTRIES:,} entries{filtered}: the formula in plain Python", f"{plain * 1e3:,.1f} ms", ""
        yield "  the same by the index", f"{ours * 1e3:,.2f} ms: {plain / ours:,.0f} ×", "≥ 100 ×"
    yield "  the same ranking", f"{same} of {len(queries)} queries", "all"
    unasked = _timed(lambda _: _ranking(index, ""), queries)
    yield "  by the index, without a query", f"{unasked * 1e3:,.2f} ms", ""
    before, started = _resident_bytes(), time.perf_counter()
    many = RecallIndex()
    many.add_many(_entries(MANY))
    taken = time.perf_counter() - started
    size = (_resident_bytes() - before) / 1e6
    yield f"{MANY:,} entries", f"{size:,.0f} MB resident, built in {taken:,.1f} s", "≤ 1,000 MB"
    yield "  recall over them", f"{_timed(lambda query: _ranking(many, query), queries[:20]) * 1e3:,.1f} ms", ""


def _entries(count: int) -> Iterator[Entry]:
    chance = random.Random(7)  # noqa: S311
    for n in range(count):
        yield Entry(
            id=f"{n:07}",
            kind=chance.choice(_KINDS),
            text=_text(chance, 12),
            importance=chance.random() * 2,
            timestamp=_NOW - chance.random() * 7 * 86_400,
            symbol=chance.choice(_SYMBOLS),
        )


def _text(chance: random.Random, words: int) -> str:
    """Words as they come in texts: the n-th most common one about 1/n as often as the first (Zipf)."""
    return " ".join(f"w{int(_VOCABULARY ** chance.random())}" for _ in range(words))


def _ranking(index: RecallIndex, query: str, symbol: str | None = None) -> list[str]:
    return [one.entry.id for one in index.recall(query, now=_NOW, symbol=symbol, top_k=5)]


def _plain(entries: list[Entry], query: str, symbol: str | None = None) -> list[str]:
    """The second design document's search, word for word, with a clock and half-lives of a day."""
    scored: list[tuple[float, Entry]] = []
    for item in entries:
        if symbol and item.symbol != symbol:
            continue
        decay = 0.5 ** ((_NOW - item.timestamp) / 86_400.0)
        query_words = set(query.lower().split())
        content_words = set(item.text.lower().split())
        scored.append(((item.importance * decay) + len(query_words & content_words), item))
    scored.sort(key=lambda one: one[0], reverse=True)
    return [item.id for score, item in scored[:5] if score > 0]


def _timed(call: Callable[[str], Any], queries: list[str]) -> float:
    taken = []
    for query in queries:
        started = time.perf_counter()
        call(query)
        taken.append(time.perf_counter() - started)
    return median(taken)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
