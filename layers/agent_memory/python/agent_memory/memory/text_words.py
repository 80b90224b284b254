"""What the index of recall has to know of a text: its stems with their frequencies, and the terms of trading in it.

Splitting a text into words and stemming them takes longer than anything else in a first recall. Therefore a memory is
stored with its words, as `1.5f0c2a9b|12,40|1=rais stop|2=momentum work`: the version of the words, the numbers of the
terms, and the stems by their frequency. What was stored without, or by another version, is split when it is recalled.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Self

from agent_memory.memory.glossary import trading_glossary
from agent_memory.memory.words import terms_of

HEADING_WEIGHT = 2.0
"""So often counts a word of a heading."""
MAX_STORED = 1_000
"""The length of the longest text whose words are stored: those of a longer one would cost write units."""

_VERSION = 1
"""To be raised with each change of `terms_of`, of the stemmer or of the weight of headings; a test says when."""


class TextWords(NamedTuple):
    """The words of a text.

    Attributes:
        frequencies: how often each stem occurs; words of the heading count `HEADING_WEIGHT` times.
        terms: the numbers of the terms of the glossary.
    """

    frequencies: Mapping[str, float]
    terms: Sequence[int]

    @classmethod
    def of(cls, text: str, heading: str = "") -> Self:
        """The words of a text with a heading."""
        frequencies: dict[str, float] = {**Counter([stem for stem, _ in terms_of(text)])}
        for stem, _ in terms_of(heading) if heading else ():
            frequencies[stem] = frequencies.get(stem, 0.0) + HEADING_WEIGHT
        return cls(frequencies, [term.number for term in trading_glossary().terms_in(f"{text} {heading}")])

    def encoded(self) -> str:
        """The words as they are stored; the same words make the same text."""
        by_frequency = sorted((frequency, stem) for stem, frequency in self.frequencies.items())
        groups = [
            f"{frequency:g}={' '.join(stem for _, stem in group)}"
            for frequency, group in groupby(by_frequency, key=itemgetter(0))
        ]
        return _version() + "|".join([",".join(map(str, self.terms)), *groups])

    @classmethod
    def decoded(cls, stored: str) -> Self | None:
        """The words that `encoded` returned; None if they are of another version or damaged."""
        words = StoredWords.of(stored)
        return None if words is None else cls(words.frequencies(), list(words.terms))

    @property
    def length(self) -> float:
        """How many words there are."""
        return sum(self.frequencies.values())


class StoredWords(NamedTuple):
    """The words of a text as they are stored, of which most questions need to know the number only.

    Attributes:
        stored: what `TextWords.encoded` returned.
        length: how many words there are.
        terms: the numbers of the terms of the glossary.
    """

    stored: str
    length: float
    terms: Sequence[int]

    @classmethod
    def of(cls, stored: str) -> Self | None:
        """The words that `TextWords.encoded` returned; None if they are of another version or damaged."""
        if not has_current_words(stored):
            return None
        length = 0
        try:
            _, numbers, *groups = stored.split("|")
            terms = tuple(map(int, numbers.split(","))) if numbers else ()
            for group in groups:
                frequency, stems = group.split("=")
                length += int(frequency) * (stems.count(" ") + 1)
        except ValueError:
            return None
        is_known = not terms or 0 <= min(terms) <= max(terms) < len(trading_glossary())
        return cls(stored, float(length), terms) if is_known else None

    def frequencies(self) -> dict[str, float]:
        """How often each stem occurs."""
        frequencies: dict[str, float] = {}
        for group in self.stored.split("|")[2:]:
            frequency, stems = group.split("=")
            frequencies |= dict.fromkeys(stems.split(" "), float(int(frequency)))
        return frequencies


@cache
def _version() -> str:
    """What stored words depend on, and the sign behind it."""
    return f"{_VERSION}.{trading_glossary().version}|"


def has_current_words(stored: str) -> bool:
    """Whether stored words are of the version of this process."""
    return stored.startswith(_version())


def stored_words(text: str, heading: str) -> str | None:
    """The words of a memory's text and heading, as they are stored with it; None for a long one."""
    return TextWords.of(text, heading).encoded() if len(text) + len(heading) <= MAX_STORED else None
