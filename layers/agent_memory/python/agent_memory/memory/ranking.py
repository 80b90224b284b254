"""Ranks entries for a query by their importance, which decays with time, by words, by meaning and by outcome.

    score = w₁·importance·(1 + w₄·outcome)·0.5^(age / half-life) + similarity
    similarity = w₂·text + w₃·L·max(0, meaning)

`text` is BM25 over the words of the query (`memory.text_index`) and L its limit, Σ idf·(k₁+1), so that `text / L` and
`meaning`, the cosine of the embeddings, are both at most about 1: a combination of scores that are normalised by their
theoretical limits (Bruch, Gai, Ingber, *An Analysis of Fusion Functions for Hybrid Retrieval*, ACM Transactions on
Information Systems 42 (2023)). Unlike a standardisation over the entries found, it does not depend on filters. Without
embeddings the similarity is BM25 alone. `outcome`, from -1 to 1, says how the decisions went that rested on a memory.
"""

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from heapq import nlargest, nsmallest
from itertools import chain
from operator import itemgetter
from typing import Any, Self

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import parse_instant
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.memory.entry_index import Entry, EntryIndex, memory_entry_id
from agent_memory.memory.text_index import TextStatistics
from agent_memory.memory.words import terms_of

Place = tuple[float, float, str]
"""Where an entry is in a ranking: its score and time, both negated, and its id."""

MAX_TOP_K = 1_000
"""The maximum number of entries that one recall returns."""

_MAX_WEIGHT = 1_000.0


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of the parts of a score; the defaults were measured, see docs/recall.md."""

    importance: float = 1.0
    text: float = 1.0
    meaning: float = 0.7
    outcome: float = 0.5

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Self:
        """The default weights, with those that are given.

        Raises:
            InvalidInput: names the weight.
        """
        names = [one.name for one in fields(cls)]
        for name, weight in (given or {}).items():
            if name not in names:
                raise InvalidInput(f"weights/{name:.40}", f"the weights are {', '.join(names)}")
            is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not is_number or not 0 <= weight <= _MAX_WEIGHT:
                raise InvalidInput(f"weights/{name}", f"{shown(weight)} is not a number from 0 to {_MAX_WEIGHT:,.0f}")
        return cls(**(given or {}))


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry with its score; `why` has the parts of the score if an explanation was requested."""

    entry: Entry
    score: float
    why: Mapping[str, Any] | None = None

    @property
    def place(self) -> Place:
        """Where the entry is in the ranking."""
        return -self.score, -self.entry.timestamp, self.entry.id


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


@dataclass(frozen=True, slots=True)
class Question:
    """What entries are ranked for.

    Attributes:
        text: words to search for; without any, entries are ranked by the other parts.
        now: seconds since the epoch; entries later than this have not decayed.
        half_lives: the half-lives of importance.
        weights: the weights of the parts.
        vector: the embedding of the text, of length 1; None without an embedder, whose name is `model`.
        accepts: whether an entry meets the filters; by default all do.
        after: only entries that come after this place in the ranking.
    """

    text: str
    now: float
    half_lives: HalfLives
    weights: Weights = Weights()
    vector: "array[float] | None" = None
    model: str = ""
    accepts: Callable[[Entry], bool] | None = None
    after: Place | None = None


def rank(
    indexes: Sequence[EntryIndex],
    question: Question,
    *,
    top_k: int = 5,
    explain: bool = False,
    statistics: TextStatistics | None = None,
) -> list[Ranked]:
    """The entries with the highest scores above 0. Equal scores are ordered by time, newest first, then by id.

    Args:
        indexes: all entries, over which word frequencies are counted, whatever the filters.
        question: what they are ranked for.
        top_k: the maximum number of entries (1 to 1,001: one more than a recall returns).
        explain: include the parts of each score.
        statistics: word frequencies to use instead, of more entries than these.

    Raises:
        InvalidInput: an invalid `top_k`.
    """
    top_k = check_integer("top_k", top_k, minimum=1, maximum=MAX_TOP_K + 1)
    words = words_by_stem(question.text)
    statistics = statistics or statistics_of(indexes, words)
    scorer = _Scorer(question, statistics.most(words))
    # First only numbers: ten thousand tuples take longer than their scores.
    scores = [scorer.scores(index, words, statistics) for index in indexes]
    best_scores = nlargest(top_k, chain.from_iterable(scores))
    least = best_scores[-1] if best_scores else 0.0
    best = nsmallest(
        top_k,
        [
            (-score, -entry.timestamp, entry.id, index, number, entry)
            for index, entries, values in zip(indexes, [one.entries for one in indexes], scores, strict=True)
            for number, score in enumerate(values)
            if score >= least and score > 0 and (entry := entries[number]) is not None
        ],
        key=itemgetter(0, 1, 2),
    )
    if not explain:
        return [Ranked(entry, -negated) for negated, *_, entry in best]
    return [
        Ranked(entry, -negated, scorer.explanation(entry, index, index.texts.weights(number, words, statistics)))
        for negated, _, _, index, number, entry in best
    ]


def place_of(recalled: Mapping[str, Any]) -> Place:
    """Where an entry is in a ranking, from what a recall returns of it."""
    if "memory" in recalled:
        memory = recalled["memory"]
        entry_id, time = memory_entry_id(memory["agent_id"], memory["memory_type"], memory["pattern_id"]), "updated_at"
        return -float(recalled["score"]), -parse_instant(memory[time], time) / 1000, entry_id
    decision = recalled["decision"]
    return -float(recalled["score"]), -parse_instant(decision["timestamp"], "timestamp") / 1000, decision["decision_id"]


def words_by_stem(text: str) -> dict[str, str]:
    """The words of a query by their stems, each once, in order."""
    found: dict[str, str] = {}
    for stem, word in terms_of(text):
        found.setdefault(stem, word)
    return found


def statistics_of(indexes: Sequence[EntryIndex], stems: Mapping[str, str]) -> TextStatistics:
    """The frequencies of words over several indexes."""
    statistics = TextStatistics()
    for index in indexes:
        statistics.add(index.texts.statistics(stems))
    return statistics


class _Scorer:
    """Scores entries for one question; `limit` is the greatest similarity of words that is possible."""

    def __init__(self, question: Question, limit: float) -> None:
        self._question = question
        self._limit = limit
        self._meanings: dict[int, Mapping[str, float]] = {}

    def scores(self, index: EntryIndex, words: Mapping[str, str], statistics: TextStatistics) -> list[float]:
        """The score of each entry by its number; 0 for one that is not accepted, comes before the page or has none."""
        texts = index.texts.similarities(words, statistics)
        question, weights = self._question, self._question.weights
        by_kind, default, now = question.half_lives.by_kind, question.half_lives.default, question.now
        accepts, after, weight, text_weight = question.accepts, question.after, weights.importance, weights.text
        meanings, meaning_weight = self.meanings(index), weights.meaning * self._limit
        entries = index.entries
        scores = [0.0] * len(entries)
        for number, entry in enumerate(entries):
            if entry is None or (accepts is not None and not accepts(entry)):
                continue
            age = now - entry.timestamp
            decay = 0.5 ** (age / by_kind.get(entry.kind, entry.half_life or default)) if age > 0 else 1.0
            score = weight * (self._importance(entry) if entry.outcome else entry.importance) * decay
            if number in texts:
                score += text_weight * texts[number]
            if meanings:
                score += meaning_weight * max(0.0, meanings.get(entry.id, 0.0))
            if after is None or (-score, -entry.timestamp, entry.id) > after:
                scores[number] = score
        return scores

    def _importance(self, entry: Entry) -> float:
        return entry.importance * max(0.0, 1 + self._question.weights.outcome * entry.outcome)

    def meanings(self, index: EntryIndex) -> Mapping[str, float]:
        """The cosine of the query and each entry that has a vector, by id; computed once for each index."""
        vector, known = self._question.vector, self._meanings.get(id(index))
        if known is None:
            known = {} if vector is None else index.vectors(self._question.model).cosines(vector)
            self._meanings[id(index)] = known
        return known

    def explanation(self, entry: Entry, index: EntryIndex, words: Mapping[str, float]) -> dict[str, Any]:
        """Each part of a score."""
        half_lives, weights = self._question.half_lives, self._question.weights
        half_life = half_lives.by_kind.get(entry.kind, entry.half_life or half_lives.default)
        decay = 0.5 ** (max(0.0, self._question.now - entry.timestamp) / half_life)
        text = math.fsum(words.values())
        meaning = max(0.0, self.meanings(index).get(entry.id, 0.0))
        return {
            "importance": entry.importance,
            "half_life_seconds": half_life,
            "decay": decay,
            "faded_importance": weights.importance * self._importance(entry) * decay,
            "similarity": weights.text * text + weights.meaning * self._limit * meaning,
            "words": dict(words),
            "text": text,
            "meaning": None if self._question.vector is None else meaning,
            "outcome": entry.outcome,
        }
