"""The vectors of the entries of an index, searched exactly: with NumPy where it is installed."""

from array import array
from collections.abc import Mapping
from operator import mul
from typing import Any


class Vectors:
    """Vectors of length 1, by the ids of entries."""

    def __init__(self) -> None:
        self._vectors: dict[str, array[float]] = {}
        self._matrix: Any = None

    def __len__(self) -> int:
        return len(self._vectors)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._vectors

    def put(self, entry_id: str, vector: "array[float]") -> None:
        """Add or replace the vector of an entry."""
        self._vectors[entry_id], self._matrix = vector, None

    def discard(self, entry_id: str) -> None:
        """Remove the vector of an entry, if it has one."""
        if self._vectors.pop(entry_id, None) is not None:
            self._matrix = None

    def cosines(self, vector: "array[float]") -> Mapping[str, float]:
        """The cosine of the angle between a vector and that of each entry; vectors of another length are left out."""
        try:
            import numpy as np  # noqa: PLC0415  the functions of the API do without
        except ModuleNotFoundError:
            return {name: sum(map(mul, vector, one)) for name, one in self._vectors.items() if len(one) == len(vector)}
        if self._matrix is None or self._matrix[0] != len(vector):
            names = [name for name, one in self._vectors.items() if len(one) == len(vector)]
            rows = np.frombuffer(b"".join([self._vectors[name].tobytes() for name in names]), dtype=np.float32)
            self._matrix = (len(vector), names, rows.reshape(len(names), len(vector)))
        _, names, matrix = self._matrix
        return dict(zip(names, (matrix @ np.frombuffer(vector, dtype=np.float32)).tolist(), strict=True))
