"""Ranks entries for a question: importance that fades with time, and similarity of words.

score = importance × 0.5^(age / half-life) + similarity

Similarity is Okapi BM25 with Lucene's idf, which is never negative, summed over the words of the query:

idf · f(k₁+1) / (f + k₁(1 − b + b·length/mean length)), idf = ln(1 + (N − n + ½)/(n + ½))

where f is how often an entry holds the word, n how many of the N entries hold it, k₁ = 1.2 and b = 0.75. Robertson,
Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, Foundations and Trends in Information Retrieval 3
(2009) 333-389.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.errors import InvalidInput

MAX_TOP_K = 1_000
"""Entries that one recall returns at most."""

_K1, _B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be recalled. `importance` is 0 or more, `timestamp` counts seconds since the epoch."""

    id: str
    kind: str
    text: str
    importance: float
    timestamp: float
    symbol: str | None = None
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry with its score; `why` holds the parts of the score where an explanation was asked for."""

    entry: Entry
    score: float
    why: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HalfLives:
    """Seconds in which an entry loses half its importance: by kind, and of every other kind.

    Raises:
        InvalidInput: one that is not above 0.
    """

    by_kind: Mapping[str, float]
    default: float

    def __post_init__(self) -> None:
        for kind, seconds in {**self.by_kind, "every other kind": self.default}.items():
            is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not is_number or not seconds > 0 or math.isinf(seconds):
                raise InvalidInput(f"half_lives/{kind}", f"{seconds!r:.40} is not a number above 0")


def rank(
    entries: Sequence[Entry],
    query: str,
    *,
    now: float,
    half_lives: HalfLives,
    kind: str | None = None,
    symbol: str | None = None,
    top_k: int = 5,
    explain: bool = False,
) -> list[Ranked]:
    """The entries with the highest scores above 0; of equal ones the newest first, then by id.

    Args:
        entries: all of which word frequencies are counted over.
        query: what is asked; without it entries are ranked by what is left of their importance.
        now: seconds since the epoch; what is younger has not faded yet.
        half_lives: how fast importance fades.
        kind: entries of this kind only.
        symbol: entries with this symbol only.
        top_k: how many at most (1 to 1,000).
        explain: give the parts of each score.

    Raises:
        InvalidInput: an unusable `top_k`.
    """
    check_integer("top_k", top_k, minimum=1, maximum=MAX_TOP_K)
    weights = _word_weights(entries, query)
    ranked = []
    for entry, words in zip(entries, weights, strict=True):
        if kind not in (None, entry.kind) or symbol not in (None, entry.symbol):
            continue
        half_life = half_lives.by_kind.get(entry.kind, half_lives.default)
        decay = 0.5 ** (max(0.0, now - entry.timestamp) / half_life)
        similarity = math.fsum(words.values())
        score = entry.importance * decay + similarity
        if score > 0:
            ranked.append((-score, -entry.timestamp, entry.id, decay, half_life, similarity, words, entry))
    ranked.sort(key=itemgetter(0, 1, 2))
    return [
        Ranked(entry, -negative, _why(entry, decay, half_life, similarity, words) if explain else None)
        for negative, _, _, decay, half_life, similarity, words, entry in ranked[:top_k]
    ]


def _word_weights(entries: Sequence[Entry], query: str) -> list[dict[str, float]]:
    """BM25's weight of each word of the query that an entry holds, entry by entry."""
    asked = list(dict.fromkeys(query.lower().split()))
    if not asked or not entries:
        return [{} for _ in entries]
    texts = [entry.text.lower().split() for entry in entries]
    mean_length = sum(map(len, texts)) / len(texts) or 1.0
    weights: list[dict[str, float]] = [{} for _ in texts]
    for word in asked:
        counts = [text.count(word) for text in texts]
        holding = len(texts) - counts.count(0)
        idf = math.log1p((len(texts) - holding + 0.5) / (holding + 0.5))
        for found, text, of_entry in zip(counts, texts, weights, strict=True):
            if found:
                length_norm = _K1 * (1 - _B + _B * len(text) / mean_length)
                of_entry[word] = idf * found * (_K1 + 1) / (found + length_norm)
    return weights


def _why(entry: Entry, decay: float, half_life: float, similarity: float, words: Mapping[str, float]) -> dict[str, Any]:
    return {
        "importance": entry.importance,
        "half_life_seconds": half_life,
        "decay": decay,
        "faded_importance": entry.importance * decay,
        "similarity": similarity,
        "words": dict(words),
    }
