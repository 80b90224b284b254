"""Texts of an index that have no postings yet, and are searched as they are stored.

To make the postings of thousands of memories takes longer than anything that a first recall asks of them. It needs a
few stems, each of which is found in the stored words of all texts, `1.5f0c2a9b|12,40|1=rais stop|2=momentum work`, by
a search for its letters.
"""

from array import array
from bisect import bisect_right
from itertools import accumulate

from agent_memory.memory.text_words import StoredWords, TextWords

Occurrences = tuple["array[int]", "array[float]"]
"""The rows of an index that have a stem, in ascending order, and how often each has it."""


class WaitingTexts:
    """Texts by the row that each has in an index.

    Attributes:
        first: the row of the first text, whom the others follow.
    """

    def __init__(self) -> None:
        self.first = 0
        self._texts: list[StoredWords | TextWords] = []
        self._joined: str | None = None  # the stored words of all
        self._starts: list[int] = []  # where those of each text begin
        self._others: list[tuple[int, TextWords]] = []

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, row: int, words: StoredWords | TextWords) -> None:
        """Add a text with the next row."""
        if not self._texts:
            self.first = row
        self._texts.append(words)
        self._joined = None

    def take(self) -> list[StoredWords | TextWords]:
        """All texts in the order of their rows; none is left."""
        taken, self._texts, self._joined = self._texts, [], None
        return taken

    def find(self, stem: str) -> Occurrences:
        """The rows that have a stem."""
        joined = self._join() if self._joined is None else self._joined
        found = {row: words.frequencies[stem] for row, words in self._others if stem in words.frequencies}
        place = joined.find(stem)
        while place >= 0:
            # A stem is the first of its frequency or follows another one, and is the last or another one follows.
            if joined[place - 1] in "= " and joined[place + len(stem)] in " |":
                equals = joined.rindex("=", 0, place)
                frequency = joined[joined.rindex("|", 0, equals) + 1 : equals]
                found[self.first + bisect_right(self._starts, place) - 1] = float(int(frequency))
            place = joined.find(stem, place + 1)
        rows = sorted(found)
        return array("L", rows), array("f", [found[row] for row in rows])

    def _join(self) -> str:
        stored = [words.stored if isinstance(words, StoredWords) else "" for words in self._texts]
        self._starts = list(accumulate([len(text) + 1 for text in stored[:-1]], initial=0))
        self._others = [
            (row, words) for row, words in enumerate(self._texts, self.first) if isinstance(words, TextWords)
        ]
        self._joined = "|".join([*stored, ""])
        return self._joined
