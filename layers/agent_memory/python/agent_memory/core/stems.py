"""The stems of English words."""

import threading
from collections.abc import Callable
from functools import cache, lru_cache

_MAX_STEMS = 100_000


class _Snowball(threading.local):
    """The English stemmer of Snowball, one for each thread, because it keeps the word in its state."""

    def __init__(self) -> None:
        from snowballstemmer import stemmer  # noqa: PLC0415  only recall needs it

        self.stem_word: Callable[[str], str] = stemmer("english").stemWord


class Stemmer:
    """The stems of English words. Threads share them: those that read for a recall are short-lived."""

    def __init__(self) -> None:
        snowball = _Snowball()

        def stem(word: str) -> str:
            return snowball.stem_word(word)

        self.stem: Callable[[str], str] = lru_cache(maxsize=_MAX_STEMS)(stem)


@cache
def stemmer() -> Stemmer:
    """The stemmer; its method `stem` returns the stem of a word in lower case."""
    return Stemmer()
