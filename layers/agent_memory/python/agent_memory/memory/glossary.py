"""The terms of trading with an explanation of each in everyday words, so that texts in other words are found.

`trading_glossary.txt` has an entry in each line, `form, form | explanation`: the forms in which texts have a term, and
what a layman would say for it; of nicknames, the term. `trading_glossary.tsv` is made of it by
`memory.glossary_source`, with the stems of all words, which take a function longer to compute than to read.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent_memory.core.stems import stemmer
from agent_memory.memory.words import HUMP

_FILE = Path(__file__).with_name("trading_glossary.tsv")
_WORD = re.compile(r"[^\W_]+")
_VERSION_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Term:
    """A term by its number in the glossary, its explanation, and the stems of the words of that."""

    number: int
    explanation: str
    stems: tuple[str, ...]


class Glossary:
    """Terms, which are found in texts by the stems of their words.

    Attributes:
        version: of the content.
        term: returns the term with a number.

    Args:
        content: a line for each term: its forms as stems, separated by commas, a tab, the stems of its explanation, a
            tab, its explanation.
    """

    def __init__(self, content: str) -> None:
        self.version = hashlib.sha256(content.encode()).hexdigest()[:_VERSION_LENGTH]
        self._lines = content.splitlines()
        self.term: Callable[[int], Term] = cache(self._term)
        self._line_of: dict[str, int] = {}
        self._longest: dict[str, int] = {}  # how many words forms have at most, by the first word
        for number, line in enumerate(self._lines):
            for form in line[: line.index("\t")].split(","):
                self._line_of[form] = number
                first, *others = form.split(" ")
                self._longest[first] = max(self._longest.get(first, 0), 1 + len(others))

    def __len__(self) -> int:
        return len(self._lines)

    def terms_in(self, text: str) -> list[Term]:
        """The terms that a text contains, each once, in order; of forms that overlap, the first and longest."""
        words = _WORD.findall(HUMP.sub(" ", unicodedata.normalize("NFKC", text)).casefold())
        stems = list(map(stemmer().stem, words))
        found: dict[int, Term] = {}
        position = 0
        while position < len(stems):
            length = self._longest.get(stems[position], 0)
            while length and " ".join(stems[position : position + length]) not in self._line_of:
                length -= 1
            if length:
                line = self._line_of[" ".join(stems[position : position + length])]
                found[line] = self.term(line)
            position += length or 1
        return list(found.values())

    def explained(self, text: str) -> str:
        """The text with the explanations of its terms in parentheses behind it."""
        explanations = [one.explanation for one in self.terms_in(text)]
        return f"{text} ({'; '.join(explanations)})" if explanations else text

    def _term(self, line: int) -> Term:
        _, stems, explanation = self._lines[line].split("\t")
        return Term(line, explanation, tuple(stems.split()))


@cache
def trading_glossary() -> Glossary:
    """The glossary of trading."""
    return Glossary(_FILE.read_text(encoding="utf-8"))
