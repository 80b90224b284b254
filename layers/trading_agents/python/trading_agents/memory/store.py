"""`TradingMemoryStore`: the memory of an agent, or of several, with search by words and importance."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import store_file
from trading_agents.memory.decay import decay_factor
from trading_agents.memory.index import ItemIndex
from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.items_view import ItemsView

_HOUR_SECONDS = 3_600


class TradingMemoryStore:
    """A memory whose items lose importance with time. Not safe for use by several threads at once.

    Args:
        decay_half_life: seconds in which an item loses half its importance.
        half_lives: half-lives of single kinds, in seconds.
        max_items: maximum number of items; beyond it the least important is removed, even if it is the newest.
        reset_every: seconds after which all items are removed at the next use, which ends feedback loops; counted from
            the construction of the store or its last reset.
        clock: returns the time in seconds since the epoch.

    Raises:
        InvalidInput: a setting is out of range; names it.
    """

    def __init__(
        self,
        decay_half_life: float = _HOUR_SECONDS,
        *,
        half_lives: Mapping[str, float] | None = None,
        max_items: int | None = None,
        reset_every: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._half_lives = dict(half_lives or {})
        for kind, seconds in self._half_lives.items():
            _check_seconds(f"half_lives[{kind!r}]", seconds)
        if max_items is not None:
            _check_count("max_items", max_items, minimum=1)
        if reset_every is not None:
            _check_seconds("reset_every", reset_every)
        self.max_items, self.reset_every, self.clock = max_items, reset_every, clock
        self._started = clock()
        self._items: dict[int, TradingMemoryItem] = {}
        self._index: ItemIndex | None = None
        self.decay_half_life = decay_half_life

    @property
    def decay_half_life(self) -> float:
        """Seconds in which an item loses half its importance; can be changed."""
        return self._decay_half_life

    @decay_half_life.setter
    def decay_half_life(self, seconds: float) -> None:
        _check_seconds("decay_half_life", seconds)
        self._decay_half_life = seconds
        self._invalidate()

    @property
    def half_lives(self) -> Mapping[str, float]:
        """Half-lives of single kinds, in seconds."""
        return dict(self._half_lives)

    @property
    def items(self) -> ItemsView:
        """All items in the order in which they were added, as a list that can be changed in place."""
        self._reset_when_due()
        return ItemsView(self)

    @items.setter
    def items(self, items: Iterable[TradingMemoryItem]) -> None:
        self.replace_all(items)

    def __len__(self) -> int:
        return len(self._items)

    def all_items(self) -> Iterable[TradingMemoryItem]:
        """Return all items in the order in which they were added."""
        return self._items.values()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_index": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.replace_all(self._items.values())

    # --- adding and searching ------------------------------------------------------------------

    def add(
        self, kind: str, content: str, score: float = 1.0, symbol: str = "SPY", metadata: dict[str, Any] | None = None
    ) -> TradingMemoryItem:
        """Add an item with the present time, and return it. `InvalidInput` names a field that cannot be used."""
        item = TradingMemoryItem(kind, content, score, symbol, metadata, timestamp=self.clock())
        self.append(item)
        return item

    def append(self, item: TradingMemoryItem) -> None:
        """Add an item that has a timestamp of its own."""
        self._reset_when_due()
        item.on_change(self._invalidate)
        row = self._current_index().add(item)
        self._items[row] = item
        if self.max_items is not None and len(self._items) > self.max_items:
            self._remove([self._current_index().least_important(self.clock())])

    def search(
        self, query: str = "", kind: str | None = None, symbol: str | None = None, topk: int = 5
    ) -> list[TradingMemoryItem]:
        """Return the items with the highest scores above 0, best first; among equal ones the one added first.

        The score is importance × 0.5^(age / half-life) + number of distinct words that query and content share.

        Args:
            query: words separated by white space; case is ignored.
            kind: only items of this kind.
            symbol: only items of this instrument.
            topk: maximum number of results, 0 or more.

        Raises:
            InvalidInput: `query` is not text, or `topk` is not an integer of 0 or more.
        """
        if not isinstance(query, str):
            raise InvalidInput("query", f"expected text, got {type(query).__name__}")
        _check_count("topk", topk)
        self._reset_when_due()
        if not topk:
            return []
        rows = self._current_index().best(query, (kind or None, symbol or None), topk, self.clock())
        return [self._items[row] for row in rows]

    def get_recent(self, kind: str | None = None, symbol: str | None = None, n: int = 10) -> list[TradingMemoryItem]:
        """Return the `n` latest items, latest first, whatever their importance; of equal times the one added first."""
        _check_count("n", n)
        self._reset_when_due()
        rows = self._current_index().newest((kind, symbol), n)
        return [self._items[row] for row in rows]

    def importance(self, item: TradingMemoryItem) -> float:
        """Return the importance of an item now: its score after decay."""
        return item.score * self._decay_factor(item)

    def summarize(self, symbol: str = "SPY", lookback_hours: float = 24) -> dict[str, Any]:
        """Return the number of items, and of one symbol's recent items by kind, with the mean of their scores."""
        self._reset_when_due()
        cutoff = self.clock() - lookback_hours * _HOUR_SECONDS
        recent = [item for item in self._items.values() if item.timestamp > cutoff and item.symbol == symbol]
        by_kind: dict[str, int] = {}
        for item in recent:
            by_kind[item.kind] = by_kind.get(item.kind, 0) + 1
        return {
            "total_memories": len(self._items),
            "recent_count": len(recent),
            "by_kind": by_kind,
            "avg_score": sum(item.score for item in recent) / len(recent) if recent else 0.0,
        }

    # --- removing ------------------------------------------------------------------------------

    def cleanup(self, min_score: float = 0.1) -> int:
        """Remove the items whose importance has fallen to `min_score` or less; returns how many."""
        self._reset_when_due()
        decayed = self._current_index().decayed_to(min_score, self.clock())
        self._remove(decayed)
        return len(decayed)

    def reset(self) -> None:
        """Remove all items."""
        self._started = self.clock()
        self.replace_all([])

    def replace_all(self, items: Iterable[TradingMemoryItem]) -> None:
        """Replace all items by these."""
        self._items = dict(enumerate(items))
        for item in self._items.values():
            item.on_change(self._invalidate)
        self._invalidate()

    # --- on disk -------------------------------------------------------------------------------

    def save(self, path: Path | str) -> None:
        """Write the store to a file atomically: a crash leaves the old or the new file.

        Raises:
            InvalidInput: metadata that JSON cannot represent; names the item. OSError: the file cannot be written.
        """
        self._reset_when_due()
        store_file.write(Path(path), self._settings(), self._items.values())

    @classmethod
    def load(cls, path: Path | str, *, clock: Callable[[], float] = time.time) -> "TradingMemoryStore":
        """Return a store that was saved.

        Raises:
            InvalidInput: the file is not a store, or is damaged. OSError: it cannot be read.
        """
        return cls._restore(*store_file.read(Path(path)), clock)

    def to_state(self) -> Snapshot:
        """Return settings and items for `from_state`; metadata unchanged."""
        self._reset_when_due()
        items = [store_file.item_to_row(item) for item in self._items.values()]
        return snapshot("TradingMemoryStore", settings=self._settings(), items=items)

    @classmethod
    def from_state(cls, state: Snapshot, *, clock: Callable[[], float] = time.time) -> "TradingMemoryStore":
        """Return the store of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "TradingMemoryStore")
        return cls._restore(data["settings"], [store_file.item_from_row(row) for row in data["items"]], clock)

    def _settings(self) -> dict[str, Any]:
        return {
            "decay_half_life": self.decay_half_life,
            "half_lives": dict(self._half_lives),
            "max_items": self.max_items,
            "reset_every": self.reset_every,
            "started": self._started,
        }

    @classmethod
    def _restore(
        cls, settings: Mapping[str, Any], items: Iterable[TradingMemoryItem], clock: Callable[[], float]
    ) -> "TradingMemoryStore":
        store = cls(**{name: value for name, value in settings.items() if name != "started"}, clock=clock)
        store._started = settings["started"]
        store.replace_all(items)
        return store

    # --- internals -----------------------------------------------------------------------------

    def _decay_factor(self, item: TradingMemoryItem) -> float:
        """0.5^(age / half-life)."""
        return decay_factor(self.clock() - item.timestamp, self._half_life_of(item.kind))

    def _half_life_of(self, kind: str) -> float:
        return self._half_lives.get(kind, self._decay_half_life)

    def _remove(self, rows: Iterable[int]) -> None:
        index = self._current_index()
        for row in rows:
            index.remove(row)
            del self._items[row]
        if index.removed > len(index):
            self._invalidate()

    def _invalidate(self) -> None:
        self._index = None

    def _current_index(self) -> ItemIndex:
        if self._index is None:
            self._index = index = ItemIndex(self._half_life_of)
            self._items = {index.add(item): item for item in self._items.values()}
        return self._index

    def _reset_when_due(self) -> None:
        if self.reset_every is not None and self.clock() - self._started >= self.reset_every:
            self.reset()


def _check_seconds(name: str, seconds: float) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise InvalidInput(name, f"{seconds!r:.40} is not a number of seconds above 0")


def _check_count(name: str, count: int, minimum: int = 0) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < minimum:
        raise InvalidInput(name, f"{count!r:.40} is not an integer of {minimum} or more")
