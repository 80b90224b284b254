"""How like a text is to a query: by shared words, by BM25, or by embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def words_of(text: str) -> list[str]:
    """The words of a text: lower case, split at white space."""
    return text.lower().split()


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a similarity may know of all entries: how many there are, and how many words they have on average."""

    entries: int
    mean_length: float


class Similarity(Protocol):
    """Weighs one word of a query in the entries that hold it. Weights of the words of a query are added."""

    def weights(self, counts: Floats, lengths: Floats, corpus: Corpus) -> Floats:
        """The weight of a word in each entry that holds it.

        Args:
            counts: how often each of these entries holds the word, shape (n,).
            lengths: how many words each of them has, shape (n,).
            corpus: of all entries of the index.
        """
        ...


@dataclass(frozen=True, slots=True)
class WordOverlap:
    """One for each word that query and text share, however often it comes."""

    def weights(self, counts: Floats, lengths: Floats, corpus: Corpus) -> Floats:  # noqa: ARG002
        """Ones."""
        return np.ones(len(counts))


@dataclass(frozen=True, slots=True)
class BM25:
    """Okapi BM25 with Lucene's idf, which is never negative.

    idf · f(k₁+1) / (f + k₁(1 − b + b·length/mean length)), idf = ln(1 + (N − n + ½)/(n + ½)), where f is how often the
    text holds the word and n how many of the N texts hold it. Robertson, Zaragoza, *The Probabilistic Relevance
    Framework: BM25 and Beyond*, Foundations and Trends in Information Retrieval 3 (2009) 333-389.
    """

    k1: float = 1.2
    b: float = 0.75

    def weights(self, counts: Floats, lengths: Floats, corpus: Corpus) -> Floats:
        """The formula's value for each entry."""
        holding = len(counts)
        idf = np.log1p((corpus.entries - holding + 0.5) / (holding + 0.5))
        shortness = self.k1 * (1 - self.b + self.b * lengths / corpus.mean_length)
        return np.asarray(idf * counts * (self.k1 + 1) / (counts + shortness), dtype=np.float64)


class Embedder(Protocol):
    """Turns texts into vectors, whose cosine is a likeness that needs no shared word."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Vectors of the texts, shape (number of texts, dimensions); none is all zeros."""
        ...
