"""How long ranking takes over what one recall reads: an agent's memories and at most a thousand decisions."""

import random
import time
from collections.abc import Iterator
from statistics import median

from agent_memory.memory.ranking import Entry, HalfLives, rank

_SIZES = (50, 300, 1_500, 5_000)
_QUERIES = 50
_VOCABULARY = 50_000
_NOW = 1_795_176_000.0
_KINDS = ("PATTERN", "STRATEGY", "SIGNAL_GENERATION", "QUERY")
_SYMBOLS = ("SPY", "BTC", "EURUSD")
_HALF_LIVES = HalfLives({"PATTERN": 30 * 86_400.0}, 86_400.0)


def rows() -> Iterator[tuple[str, str, str]]:
    """Median times over queries of three words."""
    queries = [_text(random.Random(-seed), 3) for seed in range(_QUERIES)]  # noqa: S311  made-up words
    for size in _SIZES:
        entries = list(_entries(size))
        taken = []
        for query in queries:
            started = time.perf_counter()
            rank(entries, query, now=_NOW, half_lives=_HALF_LIVES)
            taken.append(time.perf_counter() - started)
        yield f"ranking {size:,} entries", f"{median(taken) * 1e3:,.2f} ms", ""


def _entries(count: int) -> Iterator[Entry]:
    chance = random.Random(7)  # noqa: S311
    for n in range(count):
        yield Entry(
            id=f"{n:07}",
            kind=chance.choice(_KINDS),
            text=_text(chance, 12),
            importance=chance.random(),
            timestamp=_NOW - chance.random() * 7 * 86_400,
            symbol=chance.choice(_SYMBOLS),
        )


def _text(chance: random.Random, words: int) -> str:
    """Words as they come in texts: the n-th most common one about 1/n as often as the first (Zipf)."""
    return " ".join(f"w{int(_VOCABULARY ** chance.random())}" for _ in range(words))
