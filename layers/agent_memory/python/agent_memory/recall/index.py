"""`RecallIndex`: entries in columns, words in an inverted index, and the best of them for a question.

score = importance × 0.5^(age / half-life) + similarity
"""

import math
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent_memory.errors import InvalidInput
from agent_memory.models import MAX_TOP_K
from agent_memory.recall.similarity import BM25, Corpus, Embedder, Similarity, words_of

DEFAULT_HALF_LIFE_SECONDS = 3_600.0

Floats = NDArray[np.float64]
Places = NDArray[np.integer[Any]]


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
class Recalled:
    """An entry with its score; `why` holds the parts of that where an explanation was asked for."""

    entry: Entry
    score: float
    why: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Postings:
    """The entries that hold a word, and how often."""

    places: "array[int]" = field(default_factory=lambda: array("I"))
    counts: "array[int]" = field(default_factory=lambda: array("H"))


class RecallIndex:
    """Entries that fade with time and are found by what they say.

    Args:
        half_lives: seconds in which an entry of a kind loses half its importance.
        default_half_life: of every other kind.
        similarity: how words are weighed, `BM25` unless said otherwise.
        embedder: adds the cosine of vectors, times `embedding_weight`, to the similarity; none is needed.
        embedding_weight: of that cosine.
    """

    def __init__(
        self,
        *,
        half_lives: Mapping[str, float] | None = None,
        default_half_life: float = DEFAULT_HALF_LIFE_SECONDS,
        similarity: Similarity | None = None,
        embedder: Embedder | None = None,
        embedding_weight: float = 1.0,
    ) -> None:
        self._half_lives = {**(half_lives or {}), "": default_half_life}
        for kind, seconds in self._half_lives.items():
            if not seconds > 0 or math.isinf(seconds):
                raise InvalidInput("half_life", f"{seconds!r:.40} for {kind or 'every other kind'} is not above 0")
        self._similarity = similarity or BM25()
        self._embedder = embedder
        self._embedding_weight = embedding_weight
        self._entries: list[Entry | None] = []
        self._places: dict[str, int] = {}
        self._names: dict[str | None, int] = {}
        self._importance, self._timestamp, self._half_life = array("d"), array("d"), array("d")
        self._kind, self._symbol, self._length = array("I"), array("I"), array("I")
        self._is_alive = array("b")
        self._words: dict[str, _Postings] = {}
        self._word_count = 0
        self._vectors: list[Floats] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(self, entry: Entry) -> None:
        """Add an entry, in place of one with the same id. `InvalidInput` names what is unusable."""
        self.add_many([entry])

    def add_many(self, entries: Iterable[Entry]) -> None:
        """Add entries, each in place of one with the same id. `InvalidInput` names what is unusable."""
        new = [_checked(entry) for entry in entries]
        for entry in new:
            self.remove(entry.id)
            self._append(entry)
        if self._embedder is not None and new:
            vectors = np.asarray(self._embedder.embed([entry.text for entry in new]), dtype=np.float64)
            self._vectors += list(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def remove(self, entry_id: str) -> bool:
        """Take an entry out; whether there was one."""
        place = self._places.pop(entry_id, None)
        if place is None:
            return False
        self._entries[place] = None
        self._is_alive[place] = 0
        self._word_count -= self._length[place]
        return True

    def recall(
        self,
        query: str = "",
        *,
        now: float,
        kind: str | None = None,
        symbol: str | None = None,
        top_k: int = 5,
        explain: bool = False,
    ) -> list[Recalled]:
        """The entries with the highest scores above 0; of equal ones the newest first, then by id.

        Args:
            query: what is asked; without it entries are ranked by what is left of their importance.
            now: seconds since the epoch; what is younger has not faded yet.
            kind: entries of this kind only.
            symbol: entries with this symbol only.
            top_k: how many at most (1 to 1,000).
            explain: give the parts of each score.

        Raises:
            InvalidInput: an unusable `top_k`.
        """
        if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= MAX_TOP_K:
            raise InvalidInput("top_k", f"{top_k!r:.40} is not a whole number from 1 to {MAX_TOP_K:,}")
        if not self._places:
            return []
        wanted = np.flatnonzero(self._wanted(kind, symbol))
        recency = self._faded(wanted, now)
        parts = {word: self._weighed(word) for word in dict.fromkeys(words_of(query)) if word in self._words}
        similarity = self._similar(parts, query)
        scores = recency + similarity[wanted]
        best = self._best(scores, wanted, top_k)
        return [
            Recalled(
                self._entry(int(wanted[at])),
                float(scores[at]),
                self._why(int(wanted[at]), float(recency[at]), float(similarity[wanted[at]]), parts)
                if explain
                else None,
            )
            for at in best
        ]

    # --- inside --------------------------------------------------------------------------------

    def _append(self, entry: Entry) -> None:
        place = len(self._entries)
        counts: dict[str, int] = {}
        for word in words_of(entry.text):
            counts[word] = counts.get(word, 0) + 1
        for word, count in counts.items():
            postings = self._words.setdefault(word, _Postings())
            postings.places.append(place)
            postings.counts.append(min(count, 65_535))
        self._entries.append(entry)
        self._is_alive.append(1)
        self._places[entry.id] = place
        self._importance.append(entry.importance)
        self._timestamp.append(entry.timestamp)
        self._half_life.append(self._half_lives.get(entry.kind, self._half_lives[""]))
        self._kind.append(self._names.setdefault(entry.kind, len(self._names)))
        self._symbol.append(self._names.setdefault(entry.symbol, len(self._names)))
        self._length.append(sum(counts.values()))
        self._word_count += sum(counts.values())

    def _entry(self, place: int) -> Entry:
        entry = self._entries[place]
        if entry is None:
            raise LookupError(f"place {place} is empty")
        return entry

    def _faded(self, wanted: Places, now: float) -> Floats:
        """What is left of the importance of some entries."""
        age = np.maximum(0.0, now - np.frombuffer(self._timestamp)[wanted])
        faded: Floats = np.frombuffer(self._importance)[wanted] * np.exp2(-age / np.frombuffer(self._half_life)[wanted])
        return faded

    def _similar(self, parts: Mapping[str, tuple[Places, Floats]], query: str) -> Floats:
        """The likeness of every entry to the query."""
        similarity = np.zeros(len(self._entries))
        for places, weights in parts.values():
            similarity[places] += weights
        if self._embedder is not None and query:
            asked = np.asarray(self._embedder.embed([query]), dtype=np.float64)[0]
            similarity += self._embedding_weight * (np.vstack(self._vectors) @ (asked / np.linalg.norm(asked)))
        return similarity

    def _weighed(self, word: str) -> tuple[Places, Floats]:
        """The living entries that hold a word, and its weight in each."""
        postings = self._words[word]
        places = np.frombuffer(postings.places, dtype=np.uint32)
        counts = np.frombuffer(postings.counts, dtype=np.uint16)
        alive = self._alive()[places]
        places, counts = places[alive], counts[alive]
        lengths = np.frombuffer(self._length, dtype=np.uint32)[places]
        corpus = Corpus(len(self._places), self._word_count / len(self._places))
        return places, self._similarity.weights(counts.astype(np.float64), lengths.astype(np.float64), corpus)

    def _alive(self) -> NDArray[np.bool_]:
        return np.frombuffer(self._is_alive, dtype=np.int8).astype(bool)

    def _wanted(self, kind: str | None, symbol: str | None) -> NDArray[np.bool_]:
        wanted = self._alive()
        if kind is not None:
            wanted &= np.frombuffer(self._kind, dtype=np.uint32) == self._names.get(kind, -1)
        if symbol is not None:
            wanted &= np.frombuffer(self._symbol, dtype=np.uint32) == self._names.get(symbol, -1)
        return wanted

    def _best(self, scores: Floats, wanted: Places, top_k: int) -> list[int]:
        """Where among the wanted the highest scores are; all that tie with the last one take part in the ordering."""
        if not len(scores):
            return []
        count = min(top_k, len(scores))
        threshold = np.partition(scores, len(scores) - count)[len(scores) - count]
        candidates = np.flatnonzero((scores >= threshold) & (scores > 0)).tolist()
        candidates.sort(key=lambda at: (-scores[at], -self._timestamp[wanted[at]], self._entry(int(wanted[at])).id))
        return candidates[:top_k]

    def _why(
        self, place: int, faded: float, similarity: float, parts: Mapping[str, tuple[Places, Floats]]
    ) -> dict[str, Any]:
        words = {}
        for word, (places, weights) in parts.items():
            found = np.searchsorted(places, place)
            if found < len(places) and places[found] == place:
                words[word] = float(weights[found])
        importance = self._importance[place]
        return {
            "importance": importance,
            "half_life_seconds": self._half_life[place],
            "decay": faded / importance if importance else 1.0,
            "faded_importance": faded,
            "similarity": similarity,
            "words": words,
            "embedding": similarity - sum(words.values()) if self._embedder is not None else None,
        }


def _checked(entry: Entry) -> Entry:
    for name in ("id", "kind"):
        if not isinstance(getattr(entry, name), str) or not getattr(entry, name):
            raise InvalidInput(name, f"{getattr(entry, name)!r:.40} is not text of at least one character")
    if not isinstance(entry.text, str):
        raise InvalidInput("text", f"expected text, got {type(entry.text).__name__}")
    if not (isinstance(entry.importance, int | float) and 0 <= entry.importance < math.inf):
        raise InvalidInput("importance", f"{entry.importance!r:.40} is not a number from 0 on")
    if not (isinstance(entry.timestamp, int | float) and math.isfinite(entry.timestamp)):
        raise InvalidInput("timestamp", f"{entry.timestamp!r:.40} is not a time in seconds since the epoch")
    return entry
