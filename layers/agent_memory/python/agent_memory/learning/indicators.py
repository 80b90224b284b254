"""A sparse matrix of zeros and ones, by the columns in which each row has a one."""

from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import FloatArray, IntArray

# Products of two columns that are in memory at once.
_PRODUCTS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Indicators:
    """A matrix of the shape (`height`, `width`); `rows` and `columns` say where its ones are, each place once."""

    rows: IntArray
    columns: IntArray
    height: int
    width: int

    def times(self, values: FloatArray) -> FloatArray:
        """The product with a vector of the shape (width,)."""
        return np.asarray(np.bincount(self.rows, values[self.columns], self.height), dtype=np.float64)

    def transposed_times(self, values: FloatArray) -> FloatArray:
        """The product of the transposed matrix with a vector of the shape (height,)."""
        return np.asarray(np.bincount(self.columns, values[self.rows], self.width), dtype=np.float64)

    def gram(self, weights: FloatArray) -> FloatArray:
        """The product of the transposed matrix, its rows weighted, with the matrix; shape (width, width).

        Args:
            weights: of the rows; shape (height,).
        """
        gram = np.zeros(self.width * self.width)
        order = np.argsort(self.rows, kind="stable")
        columns, ones = self.columns[order], np.bincount(self.rows, minlength=self.height)
        first = np.cumsum(ones) - ones
        for count in np.unique(ones[ones > 0]).tolist():
            of_count = np.flatnonzero(ones == count)
            for begin in range(0, len(of_count), max(1, _PRODUCTS // count**2)):
                chosen = of_count[begin : begin + max(1, _PRODUCTS // count**2)]
                of_row = columns[first[chosen][:, None] + np.arange(count)]
                places = of_row[:, :, None] * self.width + of_row[:, None, :]
                gram += np.bincount(places.ravel(), np.repeat(weights[chosen], count**2), minlength=len(gram))
        return gram.reshape(self.width, self.width)
