"""What an embedder has made of texts in this process, so that a text that is recalled often is embedded once."""

import hashlib
from array import array
from collections import OrderedDict
from itertools import count
from typing import TypeVar

from agent_memory.core.forks import fork_safe_lock

T = TypeVar("T")

_MAX_TEXTS = 10_000


class EmbeddedTexts:
    """The vectors of the texts that were embedded last, and the texts that were refused. Texts are kept as hashes.

    `space` is what vectors have to have in common to be compared: the model and the number of dimensions.
    """

    def __init__(self) -> None:
        self._vectors: OrderedDict[bytes, array[float]] = OrderedDict()
        self._refused: OrderedDict[bytes, int] = OrderedDict()
        self._attempts = count(1)
        self._lock = fork_safe_lock()

    def get(self, space: str, text: str) -> "array[float] | None":
        """The vector of a text; None if it is not known."""
        key = _key(space, text)
        with self._lock:
            vector = self._vectors.get(key)
            if vector is not None:
                self._vectors.move_to_end(key)
            return vector

    def put(self, space: str, text: str, vector: "array[float]") -> None:
        """Keep the vector of a text."""
        key = _key(space, text)
        with self._lock:
            self._refused.pop(key, None)
            _put_last(self._vectors, key, vector)

    def refuse(self, space: str, text: str) -> None:
        """Note that the embedder has made no vector of this text."""
        with self._lock:
            _put_last(self._refused, _key(space, text), next(self._attempts))

    def refused(self, space: str, text: str) -> int:
        """When this text was last refused, as a number that grows with each one that is; 0 if it was not."""
        with self._lock:
            return self._refused.get(_key(space, text), 0)


def _put_last(kept: OrderedDict[bytes, T], key: bytes, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _MAX_TEXTS:
        kept.popitem(last=False)


def _key(space: str, text: str) -> bytes:
    return hashlib.sha256(f"{space}\n{text}".encode("utf-8", "surrogatepass")).digest()
