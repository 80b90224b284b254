"""The vectors of the entries of an index, searched exactly: with NumPy where it is installed."""

from array import array
from collections.abc import Sequence
from operator import mul
from typing import Any

from agent_memory.memory.optional_numpy import optional_numpy

_MIN_ROWS = 64


class Vectors:
    """Vectors of length 1, by the numbers of entries; the rows of one matrix for each number of dimensions."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self._matrices: dict[int, Any] = {}
        self._arrays: dict[int, array[float]] = {}  # without NumPy

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: object) -> bool:
        return number in self._numbers

    def put(self, number: int, vector: "array[float] | None") -> None:
        """Add the vector of an entry that has none; None if it has no text that could be embedded."""
        self._numbers.add(number)
        if vector is None:
            return
        np = optional_numpy()
        if np is None:
            self._arrays[number] = vector
            return
        matrix = self._matrices.get(len(vector))
        if matrix is None or number >= len(matrix):
            grown = np.zeros((max(_MIN_ROWS, 2 * number), len(vector)), dtype=np.float32)
            if matrix is not None:
                grown[: len(matrix)] = matrix
            self._matrices[len(vector)] = matrix = grown
        matrix[number] = np.frombuffer(vector, dtype=np.float32)

    def discard(self, number: int) -> None:
        """Remove the vector of an entry, if it has one."""
        if number in self._numbers:
            self._numbers.discard(number)
            self._arrays.pop(number, None)
            for matrix in self._matrices.values():
                if number < len(matrix):
                    matrix[number] = 0

    def renumber(self, numbers: Sequence[int]) -> None:
        """Give the entry with the n-th of these numbers the number n."""
        self._arrays = {new: self._arrays[old] for new, old in enumerate(numbers) if old in self._arrays}
        self._numbers = {new for new, old in enumerate(numbers) if old in self._numbers}
        for length, matrix in self._matrices.items():
            rows = optional_numpy().zeros((max(_MIN_ROWS, len(numbers)), length), dtype=matrix.dtype)
            kept = [(new, old) for new, old in enumerate(numbers) if old < len(matrix)]
            rows[[new for new, _ in kept]] = matrix[[old for _, old in kept]]
            self._matrices[length] = rows

    def cosines(self, vector: "array[float]", count: int) -> Sequence[float]:
        """The cosine of the angle between a vector and that of each of the first `count` numbers.

        0 for an entry without a vector, or with one of another length. With NumPy, an array.
        """
        np = optional_numpy()
        if np is None:
            same = {number: one for number, one in self._arrays.items() if len(one) == len(vector)}
            return [sum(map(mul, vector, same[number])) if number in same else 0.0 for number in range(count)]
        cosines: Any = np.zeros(count)
        if len(vector) in self._matrices:
            rows = self._matrices[len(vector)][:count]
            # Row by row: the product of BLAS depends in its last digits on how many rows there are.
            cosines[: len(rows)] = np.einsum("ij,j->i", rows, np.frombuffer(vector, dtype=np.float32))
        return cosines  # type: ignore[no-any-return]
