"""Time of ranking the entries that one recall reads: an agent's memories and at most a thousand decisions."""

import random
import time
from collections.abc import Iterator
from statistics import median

from agent_memory.memory.entry_index import Entry, EntryIndex
from agent_memory.memory.ranking import HalfLives, Question, rank
from benchmarks.tables import Row

_SIZES = (50, 300, 1_500, 5_000)
_QUERIES = 50
_VOCABULARY = 50_000
_NOW = 1_795_176_000.0
_KINDS = ("PATTERN", "STRATEGY", "SIGNAL_GENERATION", "QUERY")
_SYMBOLS = ("SPY", "BTC", "EURUSD")
_HALF_LIVES = HalfLives({"PATTERN": 30 * 86_400.0}, 86_400.0)


def rows() -> Iterator[Row]:
    """Median times of queries of three words."""
    queries = [_text(random.Random(-seed), 3) for seed in range(_QUERIES)]  # noqa: S311  synthetic words
    for size in _SIZES:
        index = EntryIndex(_entries(size))
        times = []
        for query in queries:
            started = time.perf_counter()
            rank([index], Question(query, now=_NOW, half_lives=_HALF_LIVES))
            times.append(time.perf_counter() - started)
        yield f"ranking {size:,} entries", f"{median(times) * 1e3:,.2f} ms", ""


def _entries(count: int) -> Iterator[Entry]:
    generator = random.Random(7)  # noqa: S311
    for n in range(count):
        yield Entry(
            id=f"{n:07}",
            kind=generator.choice(_KINDS),
            text=_text(generator, 12),
            importance=generator.random(),
            timestamp=_NOW - generator.random() * 7 * 86_400,
            symbol=generator.choice(_SYMBOLS),
        )


def _text(generator: random.Random, words: int) -> str:
    """Words with the frequencies of natural text: the n-th most common 1/n as frequent as the first (Zipf)."""
    return " ".join(f"w{int(_VOCABULARY ** generator.random())}" for _ in range(words))
