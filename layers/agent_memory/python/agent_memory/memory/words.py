"""The words of a text, by which a query and a memory are compared, in any script and notation."""

import re
import unicodedata
from itertools import pairwise

from agent_memory.core.stems import stemmer

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins inside a name: `fundingRate`, `HTTPServer`."""
# Scripts without blanks between words: Chinese, Japanese and Korean.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003134f]+")
_SCRIPTS = re.compile(f"({_UNSPACED.pattern})")
_KEPT = "-/.=%"
_OTHER_ASCII = re.compile(r"[^a-z0-9\-/.=%]+")
# A number, or letters and digits that a hyphen, slash, point or equals sign may join: `3.5%`, `BTC-USD`, `BRK.B`.
_NUMBER = re.compile(r"\d+\.\d+|\d+(?=%)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_RUN = re.compile(r"[^\s\-/.=%]+")
_MAX_JOINED = 3
_TICKER = re.compile(r"(?<![^\W_])[A-Z]{2,5}(?![^\W_])")

_STOP_WORDS = """
    a am an and any are as at be been being but by can could did do does doing for from had has have having he her
    hers him his how i if in into is it its just me might mine must my of on or our ours shall she should so than
    that the their theirs them then these they this those to too us very was we were what when where which who whom
    whose why will with would you your yours d ll m re s t ve
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""English words that say nothing about what a text is about; negations and directions are not among them."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order and with repetitions.

    Case, punctuation and the form of Unicode do not matter: compatible characters are equal (NFKC), and names in camel
    case or with underscores are several words. Numbers keep their point and percent sign. What a hyphen, slash or point
    joins yields its parts and, up to three of them, all of it without the sign, so that `BTC-USD`, `BTC/USD` and
    `BTCUSD` are alike. Scripts without blanks yield each pair of neighbouring characters, as in Lucene's CJKAnalyzer.
    """
    return [word for _, word in terms_of(text, frozenset())]


def terms_of(text: str, stop_words: frozenset[str] = STOP_WORDS) -> list[tuple[str, str]]:
    """The words by which a text is found, each with its stem: without English stop words, in order.

    A stop word in capitals within other text is the ticker of that name: `ON`, `IT`.
    """
    # Split before folding, which takes the capitals away.
    folded = HUMP.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    folded = _THOUSANDS.sub("", folded)
    stem = stemmer().stem
    terms: list[tuple[str, str]] = []
    tickers: list[str] | None = None
    for token in (_OTHER_ASCII.sub(" ", folded) if folded.isascii() else _spaced(folded)).split():
        for word in (token,) if token.isalnum() and token.isascii() else _parts(token):
            if word in stop_words:
                if tickers is None:
                    tickers = [] if text.isupper() else _TICKER.findall(text)
                if word.upper() not in tickers:
                    continue
            terms.append((stem(word), word))
    return terms


def _spaced(folded: str) -> str:
    """The text with blanks for everything but letters, digits, marks of letters, joining signs and percent signs."""
    return "".join(
        [one if one in _KEPT or one.isalnum() or unicodedata.category(one).startswith("M") else " " for one in folded]
    )


def _parts(token: str) -> list[str]:
    """The words of a token without blanks."""
    words = numbers = _NUMBER.findall(token)
    if numbers and token.endswith("%"):
        words = [*numbers, f"{numbers[-1]}%"]
    runs = _RUN.findall(_NUMBER.sub(" ", token) if numbers else token)
    is_spaced = not _UNSPACED.search(token)
    if is_spaced:
        joined = ["".join(runs)] if 1 < len(runs) <= _MAX_JOINED and not numbers else []
        return [*words, *runs, *joined]
    return [*words, *(word for run in runs for part in _SCRIPTS.split(run) if part for word in _pairs(part))]


def _pairs(part: str) -> list[str]:
    if not _UNSPACED.match(part):
        return [part]
    return ["".join(pair) for pair in pairwise(part)] or [part]
