"""The words of a text, by which a query and a memory are compared, in any script and notation."""

import re
import unicodedata
from itertools import pairwise

# Letters and digits; an underscore separates words.
_RUN = re.compile(r"[^\W_]+")
# Where a word begins inside a name: `fundingRate`, `HTTPServer`.
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Scripts without blanks between words: Chinese, Japanese and Korean.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003134f]+")
_SCRIPTS = re.compile(f"({_UNSPACED.pattern})")


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order and with repetitions.

    Case, punctuation and the form of Unicode do not matter: compatible characters are equal (NFKC), and names in camel
    case or with underscores are several words. Scripts without blanks yield each pair of neighbouring characters, as in
    Lucene's CJKAnalyzer.
    """
    # Split before folding, which takes the capitals away.
    folded = _HUMP.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    runs = _RUN.findall(folded)
    if not _UNSPACED.search(folded):
        return runs
    return [word for run in runs for part in _SCRIPTS.split(run) if part for word in _words(part)]


def _words(part: str) -> list[str]:
    if not _UNSPACED.match(part):
        return [part]
    return ["".join(pair) for pair in pairwise(part)] or [part]
