"""Ranks entries for a query by their importance, which decays with time, by words, by meaning and by outcome.

    score = w₁·importance·(1 + w₄·outcome)·0.5^(age / half-life) + similarity
    similarity = L·(w₂·(text / L)^1.5 + w₃·max(0, meaning))

`text` is BM25 over the words of the query (`memory.text_index`) and L its limit, Σ idf·(k₁+1), so that `text / L` and
`meaning`, the cosine of the embeddings, are both at most about 1: a combination of scores that are normalised by their
theoretical limits (Bruch, Gai, Ingber, *An Analysis of Fusion Functions for Hybrid Retrieval*, ACM Transactions on
Information Systems 42 (2023)). Unlike a standardisation over the entries found, it does not depend on filters. By the
exponent, an entry that contains few of the words of a question, and by chance, is not preferred to one that means it.
Without embeddings the similarity is w₂·text. `outcome`, from -1 to 1, says how decisions went that rested on a memory.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from operator import itemgetter
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.memory.entry_index import Entry, EntryIndex, memory_entry_id
from agent_memory.memory.optional_numpy import optional_numpy
from agent_memory.memory.selection import highest
from agent_memory.memory.text_index import QueryWords, TextStatistics
from agent_memory.model.listings import MAX_TOP_K
from agent_memory.model.recall_weights import Weights

Place = tuple[float, float, str]
"""Where an entry is in a ranking: its score and time, both negated, and its id."""

FIRST: Place = (-math.inf, -math.inf, "")
"""The place that all entries come after."""

_MORE = 8

TEXT_EXPONENT = 1.5
"""Measured, see docs/recall.md."""


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
        outcomes: how the decisions went that rested on a memory, from -1 to 1, by the id of its entry.
        importances: the importance of entries, by their ids, where it is another than theirs.
        accepts: whether an entry meets the filters; by default all do.
        after: only entries that come after this place in the ranking.
    """

    text: str
    now: float
    half_lives: HalfLives
    weights: Weights = field(default_factory=Weights)
    vector: "array[float] | None" = None
    model: str = ""
    outcomes: Mapping[str, float] = field(default_factory=dict)
    importances: Mapping[str, float] = field(default_factory=dict)
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
    words = QueryWords.of(question.text)
    statistics = statistics or statistics_of(indexes, words.stems())
    scorer = _Scorer(question, statistics.most(words))
    found = [
        (*place, index, number, entry)
        for index in indexes
        for place, number, entry in _best(index, scorer.scores(index, words, statistics), question, top_k)
    ]
    best = nsmallest(top_k, found, key=itemgetter(0, 1, 2))
    if not explain:
        return [Ranked(entry, -negated) for negated, *_, entry in best]
    return [
        Ranked(entry, -negated, scorer.explanation(index, number, entry, words, statistics))
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


def statistics_of(indexes: Sequence[EntryIndex], stems: Iterable[str]) -> TextStatistics:
    """The frequencies of words over several indexes."""
    statistics = TextStatistics()
    for index in indexes:
        statistics.add(index.statistics(stems))
    return statistics


def _best(index: EntryIndex, scores: Sequence[float], question: Question, top_k: int) -> list[tuple[Place, int, Entry]]:
    """The first entries of an index with scores above 0 that are accepted and come after the place of the question.

    Filters are evaluated from the best entry on, until there are enough.
    """
    entries, accepts, after = index.entries, question.accepts, question.after
    # What scores more than the place is on an earlier page, and need not be looked at.
    limit = math.inf if after is None else -after[0]
    size, count = top_k, len(scores)
    while True:
        found = [
            (place, number, entry)
            for number, score in highest(scores, size, limit)
            if (entry := entries[number]) is not None
            and (accepts is None or accepts(entry))
            and ((place := (-score, -entry.timestamp, entry.id)) and (after is None or place > after))
        ]
        if len(found) >= top_k or size >= count:
            return nsmallest(top_k, found, key=itemgetter(0))
        size *= _MORE


class _Scorer:
    """Scores entries for one question; `limit` is the greatest similarity of words that is possible."""

    def __init__(self, question: Question, limit: float) -> None:
        self._question = question
        self._limit = limit
        self._meanings: dict[int, Sequence[float]] = {}

    def scores(self, index: EntryIndex, words: QueryWords, statistics: TextStatistics) -> Sequence[float]:
        """The score of each entry by its number; 0 for one that was removed. With NumPy, an array."""
        question, weights = self._question, self._question.weights
        meanings = self.meanings(index)
        np = optional_numpy()
        if np is not None:
            others = {
                number: importance
                for entry_id, importance in question.importances.items()
                if (number := index.number_of(entry_id)) is not None
            }
            decayed = index.columns.decayed_importance(question.half_lives, question.now, others)
            scores: Any = weights.importance * decayed
            for entry_id in question.outcomes:
                if (number := index.number_of(entry_id)) is not None:
                    scores[number] *= self._by_outcome(entry_id)
            scores += self._similarity(
                index.texts.similarity_column(words, statistics),
                None if meanings is None else np.maximum(meanings, 0.0),
            )
            return scores  # type: ignore[no-any-return]
        texts = index.texts.similarities(words, statistics)
        return [
            0.0
            if entry is None
            else weights.importance * self._importance(entry) * self._by_outcome(entry.id) * self._decay(entry)
            + self._similarity(texts.get(number, 0.0), None if meanings is None else max(0.0, meanings[number]))
            for number, entry in enumerate(index.entries)
        ]

    def _similarity(self, text: Any, meaning: Any) -> Any:
        """The similarity of an entry, or of all by columns."""
        weights = self._question.weights
        if meaning is None:
            return weights.text * text
        return self._limit * (weights.text * (text / self._limit) ** TEXT_EXPONENT + weights.meaning * meaning)

    def _importance(self, entry: Entry) -> float:
        return self._question.importances.get(entry.id, entry.importance)

    def _by_outcome(self, entry_id: str) -> float:
        return max(0.0, 1 + self._question.weights.outcome * self._question.outcomes.get(entry_id, 0.0))

    def _half_life(self, entry: Entry) -> float:
        half_lives = self._question.half_lives
        return half_lives.by_kind.get(entry.kind, entry.half_life or half_lives.default)

    def _decay(self, entry: Entry) -> float:
        age = self._question.now - entry.timestamp
        return 0.5 ** (age / self._half_life(entry)) if age > 0 else 1.0

    def meanings(self, index: EntryIndex) -> Sequence[float] | None:
        """The cosine of the query and each entry by its number, computed once for each index; None without a vector."""
        vector = self._question.vector
        if vector is None:
            return None
        if id(index) not in self._meanings:
            self._meanings[id(index)] = index.vectors(self._question.model).cosines(vector, len(index.entries))
        return self._meanings[id(index)]

    def explanation(
        self, index: EntryIndex, number: int, entry: Entry, words: QueryWords, statistics: TextStatistics
    ) -> dict[str, Any]:
        """Each part of a score."""
        found, explained = index.texts.weights(number, words, statistics)
        text = math.fsum([*found.values(), *explained.values()])
        decay, meanings = self._decay(entry), self.meanings(index)
        meaning = None if meanings is None else max(0.0, float(meanings[number]))
        return {
            "importance": self._importance(entry),
            "half_life_seconds": self._half_life(entry),
            "decay": decay,
            "faded_importance": self._question.weights.importance
            * self._importance(entry)
            * self._by_outcome(entry.id)
            * decay,
            "similarity": self._similarity(text, meaning),
            "words": found,
            "explanations": explained,
            "text": text,
            "meaning": meaning,
            "outcome": self._question.outcomes.get(entry.id, 0.0),
        }
