"""An inverted index of texts, kept up to date entry by entry, that weighs words by Okapi BM25.

The weight of a word of the query in an entry is

    idf · f(k₁+1) / (f + k₁(1 − b + b·length/mean length)),    idf = ln(1 + (N − n + ½)/(n + ½))

where f is the frequency of the word's stem in the entry, n the number of the N entries that contain it. Words of an
entry's heading count `HEADING_WEIGHT` times, in f and in the length (BM25F with equal b). Robertson, Zaragoza, *The
Probabilistic Relevance Framework: BM25 and Beyond*, Foundations and Trends in Information Retrieval 3 (2009) 333-389.
"""

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Self

from agent_memory.core.errors import InvalidInput
from agent_memory.memory.optional_numpy import optional_numpy
from agent_memory.memory.words import terms_of

K1, B = 0.9, 0.3
"""Measured, see docs/recall.md: of texts of a sentence or two, the longer ones are not less relevant."""
HEADING_WEIGHT = 2.0

_COMPACT_FROM = 1_000
_STEM = itemgetter(0)
_MAX_STATISTIC = 1e12


@dataclass(slots=True)
class TextStatistics:
    """How frequent words are in all texts that are ranked together: of one index, or of several added up."""

    entries: int = 0
    length: float = 0.0
    containing: Counter[str] = field(default_factory=Counter)

    def add(self, other: Self) -> None:
        """Add those of another index."""
        self.entries += other.entries
        self.length += other.length
        self.containing.update(other.containing)

    def as_dict(self) -> dict[str, Any]:
        """The statistics as in the HTTP API."""
        return {"entries": self.entries, "length": self.length, "containing": dict(self.containing)}

    @classmethod
    def of(cls, given: Mapping[str, Any], field: str = "statistics") -> Self:
        """The statistics that `as_dict` returned.

        Raises:
            InvalidInput: they are not.
        """
        try:
            found = cls(
                int(given["entries"]),
                float(given["length"]),
                Counter({str(stem): int(count) for stem, count in given["containing"].items()}),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InvalidInput(field, "expected what another recall returned, or their sum") from error
        counts = [*found.containing.values(), found.length]
        if not all(0 <= one <= _MAX_STATISTIC for one in [found.entries, *counts]) or any(
            one > found.entries for one in found.containing.values()
        ):
            raise InvalidInput(field, "a count is below 0, or above the number of entries")
        return found

    def idf(self, stem: str) -> float:
        """How much a word says: the rarer it is, the more."""
        containing = self.containing[stem]
        return math.log1p((self.entries - containing + 0.5) / (containing + 0.5))

    def most(self, stems: Iterable[str]) -> float:
        """The limit of the similarity of a text that consists of these words alone; 1 without words."""
        return sum(self.idf(stem) for stem in stems) * (K1 + 1) or 1.0


class TextIndex:
    """Texts under numbers from 0 on, with the postings of each stem. A removed text leaves its number unused."""

    def __init__(self) -> None:
        self._postings: dict[str, tuple[array[int], array[float]]] = {}
        self._lengths = array("f")
        self._removed: Counter[str] = Counter()
        self._is_present = bytearray()
        self.entries = 0
        self._length = 0.0

    def add(self, texts: Iterable[tuple[str, str]]) -> int:
        """Add texts, each with its heading; returns the number of the first, after which the others follow."""
        first = len(self._lengths)
        for number, (text, heading) in enumerate(texts, first):
            frequencies = _frequencies(text, heading) if heading else Counter(map(_STEM, terms_of(text)))
            for stem, frequency in frequencies.items():
                postings = self._postings.get(stem)
                if postings is None:
                    postings = self._postings[stem] = (array("L"), array("f"))
                postings[0].append(number)
                postings[1].append(frequency)
            self._lengths.append(sum(frequencies.values()))
            self._is_present.append(1)
            self.entries += 1
            self._length += self._lengths[number]
        return first

    def remove(self, number: int, text: str, heading: str = "") -> None:
        """Remove a text that was added with this number."""
        self._is_present[number] = 0
        self._removed.update(_frequencies(text, heading).keys())
        self.entries -= 1
        self._length -= self._lengths[number]

    @property
    def is_sparse(self) -> bool:
        """Whether so many texts were removed that the index should be built anew."""
        return len(self._lengths) > max(_COMPACT_FROM, 2 * self.entries)

    def statistics(self, stems: Iterable[str], among: Sequence[bool] | None = None) -> TextStatistics:
        """The frequencies of these words here; with `among`, only in the texts whose numbers it is true for."""
        if among is not None:
            return self._statistics_among(stems, among)
        statistics = TextStatistics(self.entries, self._length)
        for stem in stems:
            if stem in self._postings:
                statistics.containing[stem] = len(self._postings[stem][0]) - self._removed[stem]
        return statistics

    def _statistics_among(self, stems: Iterable[str], among: Sequence[bool]) -> TextStatistics:
        np = optional_numpy()
        if np is None:
            counted = [is_present and is_among for is_present, is_among in zip(self._is_present, among, strict=True)]
            length = sum(one for one, is_counted in zip(self._lengths, counted, strict=True) if is_counted)
            statistics = TextStatistics(sum(map(bool, counted)), length)
        else:
            counted = np.frombuffer(bytes(self._is_present), dtype=bool) & among
            lengths = np.array(self._lengths, dtype=float)[counted]
            statistics = TextStatistics(len(lengths), float(lengths.sum()))
        for stem in stems:
            if stem in self._postings:
                numbers = self._postings[stem][0]
                found = sum(bool(counted[one]) for one in numbers) if np is None else counted[np.array(numbers)].sum()
                statistics.containing[stem] = int(found)
        return statistics

    def similarities(self, stems: Iterable[str], statistics: TextStatistics) -> dict[int, float]:
        """The similarity of each text that contains one of these words, by number."""
        scores: dict[int, float] = {}
        for stem in stems:
            if stem not in self._postings:
                continue
            factor, fixed, by_length = self._factors(stem, statistics)
            lengths, present = self._lengths, self._is_present
            for number, frequency in zip(*self._postings[stem], strict=True):
                if present[number]:
                    weight = factor * frequency / (frequency + fixed + by_length * lengths[number])
                    scores[number] = scores.get(number, 0.0) + weight
        return scores

    def similarity_column(self, stems: Iterable[str], statistics: TextStatistics) -> Any:
        """The similarity of each text by number, an array: 0 without one of these words. Needs NumPy."""
        np = optional_numpy()
        scores = np.zeros(len(self._lengths))
        # Copies: an array that lends its memory to NumPy cannot grow.
        lengths = np.array(self._lengths, dtype=float)
        for stem in stems:
            if stem in self._postings:
                factor, fixed, by_length = self._factors(stem, statistics)
                numbers, frequencies = map(np.array, self._postings[stem])
                frequencies = frequencies.astype(float)
                scores[numbers] += factor * frequencies / (frequencies + fixed + by_length * lengths[numbers])
        return scores * np.frombuffer(bytes(self._is_present), dtype=np.uint8)

    def weights(self, number: int, words: Mapping[str, str], statistics: TextStatistics) -> dict[str, float]:
        """The weight of each word of the query, given by stem, that a text contains; its similarity is their sum."""
        found = {}
        for stem, word in words.items():
            if stem not in self._postings:
                continue
            numbers, frequencies = self._postings[stem]
            place = bisect_left(numbers, number)
            if place < len(numbers) and numbers[place] == number:
                frequency, (factor, fixed, by_length) = frequencies[place], self._factors(stem, statistics)
                found[word] = factor * frequency / (frequency + fixed + by_length * self._lengths[number])
        return found

    @staticmethod
    def _factors(stem: str, statistics: TextStatistics) -> tuple[float, float, float]:
        mean = statistics.length / statistics.entries if statistics.length else 1.0
        return statistics.idf(stem) * (K1 + 1), K1 * (1 - B), K1 * B / mean


def _frequencies(text: str, heading: str) -> dict[str, float]:
    frequencies: dict[str, float] = {**Counter(map(_STEM, terms_of(text)))}
    for stem, _ in terms_of(heading):
        frequencies[stem] = frequencies.get(stem, 0.0) + HEADING_WEIGHT
    return frequencies
