"""`ItemIndex`: items in columns, and lists of them by word, kind and symbol in the orders that are asked for."""

from array import array
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import TypeVar

from trading_agents.memory.columns import Columns, Labels
from trading_agents.memory.decay import Fading
from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.posting_list import OrderedPlaces
from trading_agents.memory.search import Search

_ANY: Labels = (None, None)
_AT_A_TIME = 64
_LONG = 512
_Name = TypeVar("_Name", bound=Hashable)


class ItemIndex:
    """Items by their place, the number under which they were added. `half_life_of` a kind is in seconds."""

    def __init__(self, half_life_of: Callable[[str], float]) -> None:
        self._half_life_of = half_life_of
        self._columns = Columns()
        self._fadings: dict[tuple[float, bool], Fading] = {}
        self._by_importance: dict[tuple[Fading, Labels], OrderedPlaces] = {}
        self._by_word: dict[tuple[Fading, int], OrderedPlaces] = {}
        self._narrowed: dict[Labels, dict[tuple[Fading, int], OrderedPlaces]] = {}
        self._by_time: dict[Labels, OrderedPlaces] = {}
        self.removed = 0

    def __len__(self) -> int:
        return len(self._columns) - self.removed

    def add(self, item: TradingMemoryItem) -> int:
        """Add an item and return its place."""
        fading, place = self._fading_of(item), len(self._columns)
        names = [(fading, word) for word in self._columns.append(item, fading)]
        for name in names:
            _append(self._by_word, name, self._columns.key, place)
        for labels in (_ANY, (item.kind, None), (None, item.symbol), (item.kind, item.symbol)):
            _append(self._by_importance, (fading, labels), self._columns.key, place)
            _append(self._by_time, labels, self._columns.timestamp, place)
            if labels in self._narrowed:
                narrowed = self._narrowed[labels]
                for name in narrowed.keys() & names:
                    narrowed[name].append(place)
        return place

    def remove(self, place: int) -> None:
        """Forget the item at a place."""
        self._columns.is_alive[place] = 0
        self.removed += 1

    def best(self, query: str, labels: Labels, count: int, now: float) -> list[int]:
        """Places of the `count` items with the highest sums above 0; see `search`."""
        words = self._columns.numbers_of(query)
        search = Search(self._columns, words, labels, count, now)
        for fading in self._fadings.values():
            everything = self._by_importance.get((fading, labels))
            if everything is not None:
                names = [(fading, word) for word in words if (fading, word) in self._by_word]
                search.look_into(fading, everything, [self._of_word(name, labels) for name in names])
        return search.places()

    def newest(self, labels: Labels, count: int) -> list[int]:
        """Places of the `count` latest items, latest first; of equal times that which was added first."""
        ordered = self._by_time.get(labels)
        return [] if ordered is None else list(islice(self._alive_from_end(ordered), count))

    def faded_to(self, value: float, now: float) -> list[int]:
        """Places of all items of which `value` or less is left."""
        places = []
        for fading in self._fadings.values():
            ordered = self._by_importance[fading, _ANY]
            candidates = ordered.between(0, ordered.end_of(fading.key_up_to(value, now)))
            places += [
                place
                for place in self._columns.alive(candidates).tolist()
                if self._importance(fading, place, now) <= value
            ]
        return places

    def least_important(self, now: float) -> int:
        """Place of the item of which least is left; of equal ones that which was added first."""
        return min(self._least_of_each_fading(now))[1]

    # --- inside --------------------------------------------------------------------------------

    def _of_word(self, name: tuple[Fading, int], labels: Labels) -> OrderedPlaces:
        """The items with a word; of a long list those of the kind and symbol only, which is kept from then on."""
        everywhere = self._by_word[name]
        if labels == _ANY or len(everywhere) <= _LONG:
            return everywhere
        narrowed = self._narrowed.setdefault(labels, {})
        if name not in narrowed:
            narrowed[name] = everywhere.only(lambda places: self._columns.alive(places, labels))
        return narrowed[name]

    def _least_of_each_fading(self, now: float) -> Iterator[tuple[tuple[int, float], int]]:
        for fading in self._fadings.values():
            ordered = self._by_importance[fading, _ANY]
            gone = 0
            while gone < len(ordered) and not self._columns.is_alive[ordered.at(gone)]:
                gone += 1
            ordered.drop(gone)
            if len(ordered):
                key = self._columns.key[ordered.at(0)]
                equals = self._columns.alive(ordered.between(0, ordered.end_of(key)))
                yield fading.rank(key, now), int(equals.min())

    def _importance(self, fading: Fading, place: int, now: float) -> float:
        return fading.exactly(self._columns.score[place], self._columns.timestamp[place], now)

    def _fading_of(self, item: TradingMemoryItem) -> Fading:
        half_life, is_negative = self._half_life_of(item.kind), item.score < 0
        fading = self._fadings.get((half_life, is_negative))
        if fading is None:
            fading = self._fadings[half_life, is_negative] = Fading(half_life, is_negative, origin=item.timestamp)
        return fading

    def _alive_from_end(self, ordered: OrderedPlaces) -> Iterator[int]:
        for end in range(len(ordered), 0, -_AT_A_TIME):
            yield from self._columns.alive(ordered.between(end - _AT_A_TIME, end))[::-1].tolist()


def _append(lists: dict[_Name, OrderedPlaces], name: _Name, keys: "array[float]", place: int) -> None:
    ordered = lists.get(name)
    if ordered is None:
        ordered = lists[name] = OrderedPlaces(keys)
    ordered.append(place)
