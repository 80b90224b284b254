"""`OrderedPlaces`: numbers of items, in the order of a column."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np

from trading_agents.memory.columns import Places

_INSERTED_ONE_BY_ONE = 16


class OrderedPlaces:
    """Places in ascending order of their keys; of equal keys the latest place comes first.

    So, read from the end: the highest keys first, and of equal ones the earliest place. New places wait at the end
    until somebody asks for the order: a list that nobody reads costs an append.
    """

    __slots__ = ("_keys", "_places", "_settled")

    def __init__(self, keys: "array[float]") -> None:
        self._keys = keys
        self._places = array("I")
        self._settled = 0

    def __len__(self) -> int:
        return len(self._places)

    def append(self, place: int) -> None:
        """Add a place, later than all before; its key is in the column."""
        self._places.append(place)

    def start_of(self, key: float) -> int:
        """Position of the first place whose key is not below `key`."""
        return bisect_left(self._settled_places(), key, key=self._keys.__getitem__)

    def end_of(self, key: float) -> int:
        """Position after the last place whose key is not above `key`."""
        return bisect_right(self._settled_places(), key, key=self._keys.__getitem__)

    def between(self, start: int, end: int) -> Places:
        """The places at positions `start` up to and not including `end`."""
        return np.array(self._settled_places()[max(start, 0) : end], dtype=np.uint32)

    def at(self, position: int) -> int:
        """The place at a position."""
        return self._settled_places()[position]

    def in_any_order(self) -> Places:
        """All places, in no order that means anything."""
        return np.array(self._places, dtype=np.uint32)

    def only(self, chosen: Callable[[Places], Places]) -> "OrderedPlaces":
        """A list of those places that `chosen` keeps, in the same order."""
        some = OrderedPlaces(self._keys)
        some._places = array("I", chosen(self.between(0, len(self))).astype(np.uint32).tobytes())
        some._settled = len(some._places)
        return some

    def drop(self, count: int) -> None:
        """Forget the first `count` places."""
        del self._settled_places()[:count]
        self._settled -= count

    def _settled_places(self) -> "array[int]":
        waiting = len(self._places) - self._settled
        if waiting > _INSERTED_ONE_BY_ONE + self._settled // 5_000:
            self._sort()
        elif waiting:
            self._insert(self._places[self._settled :])
        self._settled = len(self._places)
        return self._places

    def _insert(self, new: "array[int]") -> None:
        del self._places[self._settled :]
        for place in new:
            at = bisect_left(self._places, self._keys[place], key=self._keys.__getitem__)
            self._places.insert(at, place)

    def _sort(self) -> None:
        places = np.array(self._places, dtype=np.int64)
        order = np.lexsort((-places, np.frombuffer(self._keys)[places]))
        self._places = array("I", places[order].astype(np.uint32).tobytes())
