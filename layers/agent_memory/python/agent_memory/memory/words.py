"""The words of a text, by which a query and a memory are compared, in any script and notation."""

import re
import unicodedata
from itertools import pairwise

from agent_memory.core.stems import stemmer

# The capital comes first in the expression, because most places of a text have none.
HUMP = re.compile(r"(?=[A-Z])(?:(?<=[a-z0-9])|(?<=[A-Z])(?=[A-Z](?!s(?![A-Za-z]))[a-z]))")
"""Where a word begins inside a name: `fundingRate`, `HTTPServer`, but not in `ETFs`."""
_PLURAL = re.compile(r"s(?<=[A-Z]{2}s)(?![^\W_])")
# Scripts without blanks between words: Chinese, Japanese and Korean.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003134f]+")
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
_KEPT = "-/.=%_"
_ASCII_WITH_BLANKS = {code: chr(code) if chr(code) in _KEPT or chr(code).isalnum() else " " for code in range(128)}
# A number, or letters and digits that a hyphen, slash, point, equals sign or underscore may join: `3.5%`, `BTC-USD`,
# `BRK.B`, `funding_rate`. Where a word begins inside a name, an underscore is set.
_NUMBER = re.compile(r"\d+\.\d+|\d+(?=%)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_RUN = re.compile(r"[^\s\-/.=%]+")
_MAX_JOINED = 3
_TICKER = re.compile(r"(?<![^\W_])(?:[A-Z]{2,5}|(?<![&'’])[B-HJ-Z](?!&))(?![^\W_])")

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

    Case, punctuation and the form of Unicode do not matter: compatible characters are equal (NFKC). Numbers keep their
    point and percent sign. What a hyphen, slash, point or underscore joins, and a name in camel case, yields its parts
    and, up to three of them, all of it without the sign, so that `BTC-USD`, `BTC_USD` and `BTCUSD` are alike, and `PnL`
    and `pnl`. Scripts without blanks yield each pair of neighbouring characters, as in Lucene's CJKAnalyzer.
    """
    return [word for _, word in terms_of(text, frozenset())]


def terms_of(text: str, stop_words: frozenset[str] = STOP_WORDS) -> list[tuple[str, str]]:
    """The words by which a text is found, each with its stem: without English stop words, in order.

    A stop word in capitals within other text is the ticker of that name: `ON`, `IT`, `T`.
    """
    # Split before folding, which takes the capitals away.
    # The stemmer leaves the `s` of words without vowels: `NFTs`.
    folded = _PLURAL.sub("", HUMP.sub("_", unicodedata.normalize("NFKC", text))).casefold()
    if "," in folded:
        folded = _THOUSANDS.sub("", folded)
    stem = stemmer().stem
    terms: list[tuple[str, str]] = []
    tickers: list[str] | None = None
    for token in (folded.translate(_ASCII_WITH_BLANKS) if folded.isascii() else _spaced(folded)).split():
        if token.isalnum() and token.isascii() and token not in stop_words:  # nearly all
            terms.append((stem(token), token))
            continue
        joined = token.replace("_", "")
        if joined.isalnum() and joined.isascii():  # without a call of `_parts`
            words = list(filter(None, token.split("_")))
            if 1 < len(words) <= _MAX_JOINED:
                words.append(joined)
        else:
            words = _parts(token)
        for word in words:
            if word in stop_words:
                if tickers is None:
                    tickers = [] if text.isupper() else _TICKER.findall(text)
                if word.upper() not in tickers:
                    continue
            terms.append((stem(word), word))
    return terms


def _spaced(folded: str) -> str:
    """The text with blanks for everything but letters, digits, marks of letters, joining signs and percent signs.

    There are blanks around scripts without blanks, too: names in them are words of their own, as in `买入BTC-USD`.
    """
    kept = [
        "-"
        if one in _DASHES
        else one
        if one in _KEPT or one.isalnum() or unicodedata.category(one).startswith("M")
        else " "
        for one in folded
    ]
    return _UNSPACED.sub(r" \g<0> ", "".join(kept))


def _parts(token: str) -> list[str]:
    """The words of a token without blanks."""
    if _UNSPACED.fullmatch(token):
        return ["".join(pair) for pair in pairwise(token)] or [token]
    pieces = [one for one in token.split("_") if one]
    words = [word for piece in pieces for word in ((piece,) if piece.isalnum() else _joined_parts(piece))]
    is_name = 1 < len(pieces) <= _MAX_JOINED and words == pieces
    return [*words, "".join(pieces)] if is_name else words


def _joined_parts(piece: str) -> list[str]:
    """The words of a token without underscores."""
    words = numbers = _NUMBER.findall(piece)
    if numbers and piece.endswith("%"):
        words = [*numbers, f"{numbers[-1]}%"]
    runs = _RUN.findall(_NUMBER.sub(" ", piece) if numbers else piece)
    joined = ["".join(runs)] if 1 < len(runs) <= _MAX_JOINED and not numbers else []
    return [*words, *runs, *joined]
