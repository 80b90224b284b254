"""Ranks entries for a query by their importance, which decays with time, and by the similarity of their words.

score = importance × 0.5^(age / half-life) + similarity

Similarity is Okapi BM25 with Lucene's idf, which is never negative, summed over the words of the query:

idf · f(k₁+1) / (f + k₁(1 − b + b·length/mean length)), idf = ln(1 + (N − n + ½)/(n + ½))

where f is the frequency of the word (`memory.words`) in an entry, n the number of the N entries that contain it,
k₁ = 1.2 and b = 0.75. Robertson, Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, Foundations and
Trends in Information Retrieval 3 (2009) 333-389.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from agent_memory.core.checks import check_boolean, check_integer, check_text
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import check_memory_type
from agent_memory.core.json_values import check_object
from agent_memory.memory.words import words_of

MAX_TOP_K = 1_000
"""The maximum number of entries that one recall returns."""

_K1, _B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Entry:
    """A memory or a decision to rank. `importance` is 0 or more, `timestamp` is in seconds since the epoch."""

    id: str
    kind: str
    text: str
    importance: float
    timestamp: float
    symbol: str | None = None
    payload: Any = None


@dataclass(frozen=True, slots=True)
class RecallQuery:
    """The arguments of `MemoryManager.recall`, converted; `InvalidInput` names an invalid one."""

    text: str
    kind: str | None = None
    symbol: str | None = None
    top_k: int = 5
    explain: bool = False
    half_lives: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        self._set("text", check_text("query", self.text))
        self._set("top_k", check_integer("top_k", self.top_k, minimum=1, maximum=MAX_TOP_K))
        self._set("explain", check_boolean("explain", self.explain))
        if self.kind is not None:
            self._set("kind", check_memory_type(self.kind, "kind"))
        if self.symbol is not None:
            self._set("symbol", check_text("symbol", self.symbol))
        if self.half_lives is not None:
            self._set("half_lives", check_object("half_lives", self.half_lives))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry with its score; `why` has the parts of the score if an explanation was requested."""

    entry: Entry
    score: float
    why: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HalfLives:
    """The half-life of importance in seconds: by kind, and a default for other kinds.

    Raises:
        InvalidInput: a half-life is not above 0.
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
    """The entries with the highest scores above 0. Equal scores are ordered by time, newest first, then by id.

    Args:
        entries: all entries, over which word frequencies are counted.
        query: words to search for; without any, entries are ranked by their decayed importance.
        now: seconds since the epoch; entries later than this have not decayed.
        half_lives: the half-lives of importance.
        kind: return entries of this kind only.
        symbol: return entries with this symbol only.
        top_k: the maximum number of entries (1 to 1,000).
        explain: include the parts of each score.

    Raises:
        InvalidInput: an invalid `top_k`.
    """
    top_k = check_integer("top_k", top_k, minimum=1, maximum=MAX_TOP_K)
    weights = _word_weights(entries, query)
    scored = []
    for entry, words in zip(entries, weights, strict=True):
        if kind not in (None, entry.kind) or symbol not in (None, entry.symbol):
            continue
        half_life = half_lives.by_kind.get(entry.kind, half_lives.default)
        decay = 0.5 ** (max(0.0, now - entry.timestamp) / half_life)
        similarity = math.fsum(words.values())
        score = entry.importance * decay + similarity
        if score > 0:
            scored.append((-score, -entry.timestamp, entry.id, decay, half_life, similarity, words, entry))
    scored.sort(key=itemgetter(0, 1, 2))
    return [
        Ranked(entry, -negated_score, _explanation(entry, decay, half_life, similarity, words) if explain else None)
        for negated_score, _, _, decay, half_life, similarity, words, entry in scored[:top_k]
    ]


def _word_weights(entries: Sequence[Entry], query: str) -> list[dict[str, float]]:
    """For each entry, the BM25 weights of the words of the query that it contains."""
    query_words = list(dict.fromkeys(words_of(query)))
    if not query_words or not entries:
        return [{} for _ in entries]
    texts = [words_of(entry.text) for entry in entries]
    mean_length = sum(map(len, texts)) / len(texts) or 1.0
    weights: list[dict[str, float]] = [{} for _ in texts]
    for word in query_words:
        frequencies = [text.count(word) for text in texts]
        containing = len(texts) - frequencies.count(0)
        idf = math.log1p((len(texts) - containing + 0.5) / (containing + 0.5))
        for frequency, text, entry_weights in zip(frequencies, texts, weights, strict=True):
            if frequency:
                length_norm = _K1 * (1 - _B + _B * len(text) / mean_length)
                entry_weights[word] = idf * frequency * (_K1 + 1) / (frequency + length_norm)
    return weights


def _explanation(
    entry: Entry, decay: float, half_life: float, similarity: float, words: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "importance": entry.importance,
        "half_life_seconds": half_life,
        "decay": decay,
        "faded_importance": entry.importance * decay,
        "similarity": similarity,
        "words": dict(words),
    }
