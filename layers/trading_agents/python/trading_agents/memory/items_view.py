"""`ItemsView`: the items of a store as a list that can be changed in place."""

from collections.abc import Iterable, Iterator, MutableSequence
from itertools import islice
from typing import Any, Protocol

from trading_agents.memory.item import TradingMemoryItem


class ItemContainer(Protocol):
    """What holds the items; `TradingMemoryStore` is one."""

    def __len__(self) -> int: ...

    def all_items(self) -> Iterable[TradingMemoryItem]:
        """Return all items in the order in which they were added."""
        ...

    def append(self, item: TradingMemoryItem) -> None:
        """Add an item."""
        ...

    def replace_all(self, items: Iterable[TradingMemoryItem]) -> None:
        """Replace all items by these."""
        ...


class ItemsView(MutableSequence[TradingMemoryItem]):
    """The items of a store in the order in which they were added. Changing the list changes the store.

    Appending is cheap; any other change makes the store rebuild its index at the next search.
    """

    def __init__(self, store: ItemContainer) -> None:
        self._store = store

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[TradingMemoryItem]:
        return iter(self._store.all_items())

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int) and 0 <= at < len(self):
            return next(islice(self._store.all_items(), at, None))
        return list(self)[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        items = list(self)
        items[at] = value
        self._store.replace_all(items)

    def __delitem__(self, at: Any) -> None:
        items = list(self)
        del items[at]
        self._store.replace_all(items)

    def insert(self, index: int, value: TradingMemoryItem) -> None:
        """Insert an item before the one at `index`."""
        if index == len(self):
            self._store.append(value)
            return
        items = list(self)
        items.insert(index, value)
        self._store.replace_all(items)

    def clear(self) -> None:
        """Remove all items."""
        self._store.replace_all([])

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, list | ItemsView) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))
