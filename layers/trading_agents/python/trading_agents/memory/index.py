"""`ItemIndex`: an inverted index of items, with posting lists by word, kind and symbol."""

from array import array
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import TypeVar

from trading_agents.memory.columns import Columns, Scope
from trading_agents.memory.decay import DecayGroup
from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.posting_list import PostingList
from trading_agents.memory.search import TopSearch

_EVERYTHING: Scope = (None, None)
_CHUNK = 64
_LONG = 512
_Name = TypeVar("_Name", bound=Hashable)


class ItemIndex:
    """Items by their row. `half_life_of` maps a kind to its half-life in seconds."""

    def __init__(self, half_life_of: Callable[[str], float]) -> None:
        self._half_life_of = half_life_of
        self._columns = Columns()
        self._groups: dict[tuple[float, bool], DecayGroup] = {}
        self._by_importance: dict[tuple[DecayGroup, Scope], PostingList] = {}
        self._by_word: dict[tuple[DecayGroup, int], PostingList] = {}
        self._by_word_in_scope: dict[Scope, dict[tuple[DecayGroup, int], PostingList]] = {}
        self._by_time: dict[Scope, PostingList] = {}
        self.removed = 0

    def __len__(self) -> int:
        return len(self._columns) - self.removed

    def add(self, item: TradingMemoryItem) -> int:
        """Add an item, and return its row."""
        group, row = self._group_of(item), len(self._columns)
        names = [(group, word) for word in self._columns.append(item, group)]
        for name in names:
            _append(self._by_word, name, self._columns.key, row)
        for scope in (_EVERYTHING, (item.kind, None), (None, item.symbol), (item.kind, item.symbol)):
            _append(self._by_importance, (group, scope), self._columns.key, row)
            _append(self._by_time, scope, self._columns.timestamp, row)
            if scope in self._by_word_in_scope:
                in_scope = self._by_word_in_scope[scope]
                for name in in_scope.keys() & names:
                    in_scope[name].append(row)
        return row

    def remove(self, row: int) -> None:
        """Remove the item in a row."""
        self._columns.is_live[row] = 0
        self.removed += 1

    def best(self, query: str, scope: Scope, count: int, now: float) -> list[int]:
        """Return the rows of the `count` items with the highest scores above 0, best first; see `search`."""
        words = self._columns.known_words(query)
        search = TopSearch(self._columns, words, scope, count, now)
        for group in self._groups.values():
            all_items = self._by_importance.get((group, scope))
            if all_items is not None:
                names = [(group, word) for word in words if (group, word) in self._by_word]
                search.search_group(group, all_items, [self._with_word(name, scope) for name in names])
        return search.rows()

    def newest(self, scope: Scope, count: int) -> list[int]:
        """Return the rows of the `count` latest items, latest first; among equal times the one added first."""
        by_time = self._by_time.get(scope)
        return [] if by_time is None else list(islice(self._live_from_end(by_time), count))

    def decayed_to(self, importance: float, now: float) -> list[int]:
        """Return the rows of all items whose importance has fallen to this value or less."""
        rows = []
        for group in self._groups.values():
            by_importance = self._by_importance[group, _EVERYTHING]
            candidates = by_importance.slice(0, by_importance.first_above(group.highest_key(importance, now)))
            rows += [
                row
                for row in self._columns.live_rows(candidates).tolist()
                if self._importance(group, row, now) <= importance
            ]
        return rows

    def least_important(self, now: float) -> int:
        """Return the row of the least important item; among equal ones the one added first."""
        return min(self._least_of_each_group(now))[1]

    # --- internals -----------------------------------------------------------------------------

    def _with_word(self, name: tuple[DecayGroup, int], scope: Scope) -> PostingList:
        """Return the items with a word. A long list is narrowed to the scope once, and kept up to date from then on."""
        anywhere = self._by_word[name]
        if scope == _EVERYTHING or len(anywhere) <= _LONG:
            return anywhere
        in_scope = self._by_word_in_scope.setdefault(scope, {})
        if name not in in_scope:
            in_scope[name] = anywhere.filtered(lambda rows: self._columns.live_rows(rows, scope))
        return in_scope[name]

    def _least_of_each_group(self, now: float) -> Iterator[tuple[tuple[int, float], int]]:
        for group in self._groups.values():
            by_importance = self._by_importance[group, _EVERYTHING]
            removed = 0
            while removed < len(by_importance) and not self._columns.is_live[by_importance.row_at(removed)]:
                removed += 1
            by_importance.drop_first(removed)
            if len(by_importance):
                key = self._columns.key[by_importance.row_at(0)]
                equals = self._columns.live_rows(by_importance.slice(0, by_importance.first_above(key)))
                yield group.rank(key, now), int(equals.min())

    def _importance(self, group: DecayGroup, row: int, now: float) -> float:
        return group.exact_importance(self._columns.score[row], self._columns.timestamp[row], now)

    def _group_of(self, item: TradingMemoryItem) -> DecayGroup:
        half_life, is_negative = self._half_life_of(item.kind), item.score < 0
        group = self._groups.get((half_life, is_negative))
        if group is None:
            group = self._groups[half_life, is_negative] = DecayGroup(half_life, is_negative, origin=item.timestamp)
        return group

    def _live_from_end(self, rows: PostingList) -> Iterator[int]:
        for stop in range(len(rows), 0, -_CHUNK):
            yield from self._columns.live_rows(rows.slice(stop - _CHUNK, stop))[::-1].tolist()


def _append(lists: dict[_Name, PostingList], name: _Name, keys: "array[float]", row: int) -> None:
    rows = lists.get(name)
    if rows is None:
        rows = lists[name] = PostingList(keys)
    rows.append(row)
