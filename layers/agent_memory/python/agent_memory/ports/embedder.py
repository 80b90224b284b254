"""The interface of what turns texts into vectors, so that texts that mean the same are near each other."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors of one length. Vectors of different names are never compared."""

    @property
    def name(self) -> str:
        """The model and whatever else its vectors depend on; stored with each vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The vector of each text, in order. It blocks, may be called from several threads, and may raise anything."""
        ...
