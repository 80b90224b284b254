"""An inverted index of texts, kept up to date entry by entry, that weighs words by Okapi BM25.

The weight of a word of the query in an entry is

    idf · f(k₁+1) / (f + k₁(1 − b + b·length/mean length)),    idf = ln(1 + (N − n + ½)/(n + ½))

where f is the frequency of the word's stem in the entry, n the number of the N entries that contain it. Words of an
entry's heading count `HEADING_WEIGHT` (`memory.text_words`) times, in f and in the length (BM25F with equal b).
Robertson, Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, Foundations and Trends in Information
Retrieval 3 (2009) 333-389.

Texts that say the same in other words meet by the glossary (`memory.glossary`). A word of the query that an entry does
not have, but the explanation of one of its terms, weighs idf. The words that explain a term of the query weigh
`EXPLANATION_WEIGHT` times as much as others, in entries without this term.
"""

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import and_, mul
from typing import Any, Self

from agent_memory.core.errors import InvalidInput
from agent_memory.memory.glossary import Term, trading_glossary
from agent_memory.memory.optional_numpy import optional_numpy
from agent_memory.memory.text_words import StoredWords, TextWords
from agent_memory.memory.waiting_texts import WaitingTexts
from agent_memory.memory.words import terms_of

K1, B = 0.9, 0.3
"""Measured, see docs/recall.md: of texts of a sentence or two, the longer ones are not less relevant."""
EXPLANATION_WEIGHT = 0.3

_COMPACT_FROM = 1_000
_SEARCHES = 16
"""To search a stem in stored words takes about a hundredth of the time of making their postings."""
_MAX_STATISTIC = 1e12

_Found = tuple[Sequence[int], Sequence[float], Sequence[int]]


@dataclass(frozen=True, slots=True)
class QueryWords:
    """What texts are searched for.

    Attributes:
        words: the words of the query by their stems.
        terms: the terms of the glossary in it, each with the stems of its explanation that are not in the query, nor in
            the explanation of another one before it.
        explaining: all of these stems.
    """

    words: Mapping[str, str]
    terms: Sequence[tuple[Term, Sequence[str]]]
    explaining: Sequence[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """The words of a query, each once, in order; stop words only if there is nothing else."""
        words: dict[str, str] = {}
        for stem, word in terms_of(text) or terms_of(text, frozenset()):
            words.setdefault(stem, word)
        explaining: dict[str, None] = {}
        terms = []
        for term in trading_glossary().terms_in(text):
            new = [stem for stem in term.stems if stem not in words and stem not in explaining]
            explaining.update(dict.fromkeys(new))
            terms.append((term, new))
        return cls(words, terms, list(explaining))

    def stems(self) -> list[str]:
        """The stems of all words, each once."""
        return [*self.words, *self.explaining]


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
        if (
            not all(0 <= one <= _MAX_STATISTIC for one in [found.entries, *counts])
            or any(one > found.entries for one in found.containing.values())
            or (found.length and not found.entries)
        ):
            raise InvalidInput(field, "a count is below 0, or above the number of entries")
        return found

    def factors(self, query: QueryWords) -> dict[str, float]:
        """The greatest weight of each word by its stem: the rarer it is, the more it says."""
        entries, containing, factors = self.entries, self.containing, {}
        for stems, importance in ((query.words, 1.0), (query.explaining, EXPLANATION_WEIGHT)):
            for stem in stems:
                count = containing[stem]
                factors[stem] = importance * (K1 + 1) * math.log1p((entries - count + 0.5) / (count + 0.5))
        return factors

    def most(self, query: QueryWords) -> float:
        """The limit of the similarity of a text that consists of these words alone; 1 without words."""
        return sum(self.factors(query).values()) or 1.0


class TextIndex:
    """Texts under numbers from 0 on, with the postings of each stem. A removed text leaves its number unused.

    Texts that are equal, as those of many decisions are, share their postings: each distinct text has a row, and
    `_row_of` has the row of each number.

    Stored words wait until `_SEARCHES` stems were searched in them, and have postings from then on. So do texts that
    are added behind them, because rows of postings ascend.
    """

    def __init__(self) -> None:
        self._rows: dict[Hashable, int] = {}
        self._uses = array("L")  # by how many texts each row is used
        self._lengths = array("f")
        self._postings: dict[str, tuple[array[int], array[float]]] = {}
        self._explained: dict[str, array[int]] = {}  # rows without a word, but with it in an explanation
        self._with_term: dict[int, array[int]] = {}
        self._waiting = WaitingTexts()
        self._found: dict[str, _Found] = {}  # of the stems that were searched in what is waiting, since it changed
        self._searches = 0
        self._row_of = array("L")
        self._is_present = bytearray()
        self.entries = 0
        self._length = 0.0

    def add(self, texts: Iterable[tuple[Hashable, Callable[[], TextWords | StoredWords]]]) -> int:
        """Add texts; returns the number of the first, after which the others follow.

        Each has a key, which only texts with the same words have in common, and a function that returns its words.
        """
        first = len(self._row_of)
        rows, uses, lengths = self._rows, self._uses, self._lengths
        for key, words_of in texts:
            row = rows.get(key)
            if row is None:
                row = rows[key] = self._add_row(words_of())
            uses[row] += 1
            self._length += lengths[row]
            self._row_of.append(row)
        added = len(self._row_of) - first
        self._is_present.extend(b"\1" * added)
        self.entries += added
        return first

    def _add_row(self, words: TextWords | StoredWords) -> int:
        row = len(self._uses)
        for number in words.terms:
            self._with_term.setdefault(number, array("L")).append(row)
        if isinstance(words, StoredWords) or self._waiting:
            self._waiting.add(row, words)
            if self._found:
                self._found.clear()
        else:
            self._post(row, words.frequencies, words.terms)
        self._uses.append(0)
        self._lengths.append(words.length)
        return row

    def _post(self, row: int, frequencies: Mapping[str, float], terms: Sequence[int]) -> None:
        """Make the postings of a row."""
        postings = self._postings
        for stem, frequency in frequencies.items():
            found = postings.get(stem)
            if found is None:
                found = postings[stem] = (array("L"), array("f"))
            found[0].append(row)
            found[1].append(frequency)
        for term in map(trading_glossary().term, terms):
            for stem in term.stems:
                if stem not in frequencies:
                    explained = self._explained.setdefault(stem, array("L"))
                    if not explained or explained[-1] != row:
                        explained.append(row)

    def _rows_with(self, stem: str) -> _Found:
        """The rows that have a stem, how often each has it, and the rows that have it in an explanation only."""
        if self._waiting:
            if stem in self._found:
                return self._found[stem]
            if self._searches < _SEARCHES:
                self._searches += 1
                found = self._found[stem] = self._search(stem)
                return found
            self._post_waiting()
        return *self._postings.get(stem, ((), ())), self._explained.get(stem, ())

    def _search(self, stem: str) -> _Found:
        """`_rows_with`, of rows with postings and of those that wait, which come after them."""
        rows, frequencies = self._postings.get(stem, (array("L"), array("f")))
        waiting, their_frequencies = self._waiting.find(stem)
        having_term = [
            row
            for number, with_term in self._with_term.items()
            if stem in trading_glossary().term(number).stems
            for row in with_term[bisect_left(with_term, self._waiting.first) :]
        ]
        explained = sorted(set(having_term) - set(waiting))
        return (
            rows + waiting,
            frequencies + their_frequencies,
            self._explained.get(stem, array("L")) + array("L", explained),
        )

    def _post_waiting(self) -> None:
        """Make the postings of the rows that wait."""
        for row, words in enumerate(self._waiting.take(), self._waiting.first):
            frequencies = words.frequencies() if isinstance(words, StoredWords) else words.frequencies
            self._post(row, frequencies, words.terms)
        self._found.clear()
        self._searches = 0

    def remove(self, number: int) -> None:
        """Remove the text with this number."""
        row = self._row_of[number]
        self._is_present[number] = 0
        self._uses[row] -= 1
        self._length -= self._lengths[row]
        self.entries -= 1

    @property
    def is_sparse(self) -> bool:
        """Whether so many texts were removed that the index should be built anew."""
        return len(self._row_of) > max(_COMPACT_FROM, 2 * self.entries)

    def statistics(self, stems: Iterable[str], among: Sequence[bool] | None = None) -> TextStatistics:
        """The frequencies of these words here; with `among`, only in the texts whose numbers it is true for."""
        np = optional_numpy()
        uses: Any = self._uses if np is None else np.array(self._uses)
        statistics = TextStatistics(self.entries, self._length)
        if among is not None:
            uses, statistics = self._counted(among)
        for stem in stems:
            having, _, explained = self._rows_with(stem)
            for rows in (having, explained):
                if rows:
                    found = sum([uses[row] for row in rows]) if np is None else uses[np.array(rows)].sum()
                    statistics.containing[stem] += int(found)
        return statistics

    def _counted(self, among: Sequence[bool]) -> tuple[Any, TextStatistics]:
        """By how many of some texts each row is used, and how many and how long these are."""
        np = optional_numpy()
        if np is None:
            by_row = Counter(compress(self._row_of, map(and_, self._is_present, map(bool, among))))
            uses = [by_row[row] for row in range(len(self._uses))]
            return uses, TextStatistics(by_row.total(), sum(map(mul, uses, self._lengths)))
        counted = np.array(self._row_of)[np.frombuffer(bytes(self._is_present), dtype=bool) & among]
        uses = np.bincount(counted, minlength=len(self._uses))
        return uses, TextStatistics(len(counted), float((uses * np.array(self._lengths, dtype=float)).sum()))

    def similarities(self, query: QueryWords, statistics: TextStatistics) -> dict[int, float]:
        """The similarity of each text that contains one of these words, by number."""
        factors, scores = statistics.factors(query), dict[int, float]()
        for stem in query.words:
            for row, weight in self._weights(stem, factors[stem], statistics):
                scores[row] = scores.get(row, 0.0) + weight
        for term, stems in query.terms:
            own = frozenset(self._with_term.get(term.number, ()))
            for stem in stems:
                for row, weight in self._weights(stem, factors[stem], statistics):
                    if row not in own:
                        scores[row] = scores.get(row, 0.0) + weight
        numbers = enumerate(zip(self._row_of, self._is_present, strict=True))
        return {number: scores[row] for number, (row, is_present) in numbers if is_present and row in scores}

    def similarity_column(self, query: QueryWords, statistics: TextStatistics) -> Any:
        """The similarity of each text by number, an array: 0 without one of these words. Needs NumPy."""
        np = optional_numpy()
        factors, (fixed, by_length) = statistics.factors(query), _saturation(statistics)
        # Copies: an array that lends its memory to NumPy cannot grow.
        saturation = fixed + by_length * np.array(self._lengths, dtype=float)
        scores = np.zeros(len(saturation))
        for term, stems in ((None, query.words), *query.terms):
            column = scores if term is None else np.zeros(len(saturation))
            for stem in stems:
                having, how_often, explained = self._rows_with(stem)
                if having:
                    rows, frequencies = np.array(having), np.array(how_often, dtype=float)
                    column[rows] += factors[stem] * frequencies / (frequencies + saturation[rows])
                if explained:
                    column[np.array(explained)] += factors[stem] / (K1 + 1)
            if term is not None:
                if term.number in self._with_term:
                    column[np.array(self._with_term[term.number])] = 0.0
                scores += column
        return scores[np.array(self._row_of)] * np.frombuffer(bytes(self._is_present), dtype=np.uint8)

    def weights(
        self, number: int, query: QueryWords, statistics: TextStatistics
    ) -> tuple[dict[str, float], dict[str, float]]:
        """The weights of the words of the query that a text has or that explain it, and of explanations of the query.

        The similarity of the text is the sum of all.
        """
        factors, row = statistics.factors(query), self._row_of[number]
        by_word = {word: self._weight_in(row, stem, factors[stem], statistics) for stem, word in query.words.items()}
        by_explanation = {
            term.explanation: sum([self._weight_in(row, stem, factors[stem], statistics) for stem in stems])
            for term, stems in query.terms
            if row not in self._with_term.get(term.number, ())
        }
        return _positive(by_word), _positive(by_explanation)

    def _weights(self, stem: str, factor: float, statistics: TextStatistics) -> Iterator[tuple[int, float]]:
        """The weight of a word in each row that has it, or an explanation with it."""
        (fixed, by_length), lengths = _saturation(statistics), self._lengths
        rows, frequencies, explained = self._rows_with(stem)
        for row, frequency in zip(rows, frequencies, strict=True):
            yield row, factor * frequency / (frequency + (fixed + by_length * lengths[row]))
        for row in explained:
            yield row, factor / (K1 + 1)

    def _weight_in(self, row: int, stem: str, factor: float, statistics: TextStatistics) -> float:
        """The weight of a word in one row."""
        rows, frequencies, explained = self._rows_with(stem)
        place = bisect_left(rows, row)
        if place < len(rows) and rows[place] == row:
            (fixed, by_length), frequency = _saturation(statistics), frequencies[place]
            return factor * frequency / (frequency + (fixed + by_length * self._lengths[row]))
        place = bisect_left(explained, row)
        return factor / (K1 + 1) if place < len(explained) and explained[place] == row else 0.0


def _saturation(statistics: TextStatistics) -> tuple[float, float]:
    """What is added to the frequency of a word in the denominator: a fixed part, and one by the length of the text."""
    mean = statistics.length / statistics.entries if statistics.length else 1.0
    return K1 * (1 - B), K1 * B / mean


def _positive(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if weight > 0}
