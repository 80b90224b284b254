"""`TradingMemoryStore`: what agents remember, searched as if every item were looked at."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from agent_memory.core.errors import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import store_file as files
from trading_agents.memory.decay import decay
from trading_agents.memory.index import ItemIndex
from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.items_view import ItemsView

_HOUR_SECONDS = 3_600


class TradingMemoryStore:
    """Memory whose items fade with time, for one thread at a time.

    Args:
        decay_half_life: seconds in which an item loses half its importance.
        half_lives: the same for single kinds.
        max_items: how many are kept; beyond that the least important is forgotten, be it the newest.
        reset_every: seconds after which everything is forgotten at the next use, so that what was remembered cannot
            feed on itself for ever; counted from the store's making, or its last reset.
        clock: tells the time in seconds since the epoch.

    Raises:
        InvalidInput: names the setting.
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
            _check_count("max_items", max_items, least=1)
        if reset_every is not None:
            _check_seconds("reset_every", reset_every)
        self.max_items, self.reset_every, self.clock = max_items, reset_every, clock
        self._started = clock()
        self._kept: dict[int, TradingMemoryItem] = {}
        self._index: ItemIndex | None = None
        self.decay_half_life = decay_half_life

    @property
    def decay_half_life(self) -> float:
        """Seconds in which an item loses half its importance; it may be changed."""
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
        """Everything that is kept, in the order in which it was added: a list that may be changed in place."""
        self._reset_when_due()
        return ItemsView(self)

    @items.setter
    def items(self, items: Iterable[TradingMemoryItem]) -> None:
        self.replace_all(items)

    def __len__(self) -> int:
        return len(self._kept)

    def all_items(self) -> Iterable[TradingMemoryItem]:
        """Everything that is kept, in the order in which it was added."""
        return self._kept.values()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_index": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.replace_all(self._kept.values())

    # --- adding and asking ---------------------------------------------------------------------

    def add(
        self,
        kind: str,
        content: str,
        score: float = 1.0,
        symbol: str = "SPY",
        metadata: dict[str, Any] | None = None,
    ) -> TradingMemoryItem:
        """Remember something, now, and return it. `InvalidInput` names what is unusable."""
        item = TradingMemoryItem(kind, content, score, symbol, metadata, timestamp=self.clock())
        self.append(item)
        return item

    def append(self, item: TradingMemoryItem) -> None:
        """Remember an item that carries its own time."""
        self._reset_when_due()
        item.watched_by(self._invalidate)
        place = self._ready_index().add(item)
        self._kept[place] = item
        if self.max_items is not None and len(self._kept) > self.max_items:
            self._forget([self._ready_index().least_important(self.clock())])

    def search(
        self, query: str = "", kind: str | None = None, symbol: str | None = None, topk: int = 5
    ) -> list[TradingMemoryItem]:
        """The items with the highest scores above 0, best first; of equal ones that which was added first.

        The score is importance × 0.5^(age / half-life) + number of different words that query and content share.

        Args:
            query: words, separated by white space; case does not matter.
            kind: items of this kind only.
            symbol: items of this instrument only.
            topk: how many at most (0 or more).

        Raises:
            InvalidInput: an unusable query or `topk`.
        """
        if not isinstance(query, str):
            raise InvalidInput("query", f"expected text, got {type(query).__name__}")
        _check_count("topk", topk)
        self._reset_when_due()
        if not topk:
            return []
        places = self._ready_index().best(query, (kind or None, symbol or None), topk, self.clock())
        return [self._kept[place] for place in places]

    def get_recent(self, kind: str | None = None, symbol: str | None = None, n: int = 10) -> list[TradingMemoryItem]:
        """The `n` latest items, latest first, however faded; of equal times that which was added first."""
        _check_count("n", n)
        self._reset_when_due()
        places = self._ready_index().newest((kind, symbol), n)
        return [self._kept[place] for place in places]

    def importance(self, item: TradingMemoryItem) -> float:
        """What is left of an item's score now."""
        return item.score * self._decay_factor(item)

    def summarize(self, symbol: str = "SPY", lookback_hours: float = 24) -> dict[str, Any]:
        """Count what is remembered, and the last hours of one symbol by kind, with the mean of their scores."""
        self._reset_when_due()
        cutoff = self.clock() - lookback_hours * _HOUR_SECONDS
        recent = [item for item in self._kept.values() if item.timestamp > cutoff and item.symbol == symbol]
        by_kind: dict[str, int] = {}
        for item in recent:
            by_kind[item.kind] = by_kind.get(item.kind, 0) + 1
        return {
            "total_memories": len(self._kept),
            "recent_count": len(recent),
            "by_kind": by_kind,
            "avg_score": sum(item.score for item in recent) / len(recent) if recent else 0.0,
        }

    # --- forgetting ----------------------------------------------------------------------------

    def cleanup(self, min_score: float = 0.1) -> int:
        """Forget the items of whose importance `min_score` or less is left; returns how many."""
        self._reset_when_due()
        faded = self._ready_index().faded_to(min_score, self.clock())
        self._forget(faded)
        return len(faded)

    def reset(self) -> None:
        """Forget everything."""
        self._started = self.clock()
        self.replace_all([])

    def replace_all(self, items: Iterable[TradingMemoryItem]) -> None:
        """Keep these items and no other."""
        self._kept = dict(enumerate(items))
        for item in self._kept.values():
            item.watched_by(self._invalidate)
        self._invalidate()

    # --- on disk -------------------------------------------------------------------------------

    def save(self, path: Path | str) -> None:
        """Write everything into a file: beside it first, then renamed, so that a crash leaves the old file whole.

        Raises:
            InvalidInput: metadata that JSON cannot hold; names the item. OSError: the file cannot be written.
        """
        self._reset_when_due()
        files.write(Path(path), self._settings(), self._kept.values())

    @classmethod
    def load(cls, path: Path | str, *, clock: Callable[[], float] = time.time) -> "TradingMemoryStore":
        """A store as it was saved.

        Raises:
            InvalidInput: the file is not such a store, or damaged. OSError: it cannot be read.
        """
        return cls._made_of(*files.read(Path(path)), clock)

    def to_state(self) -> Snapshot:
        """Everything as plain data, for `from_state`; metadata as it was given."""
        self._reset_when_due()
        items = [files.row_of(item) for item in self._kept.values()]
        return snapshot("TradingMemoryStore", settings=self._settings(), items=items)

    @classmethod
    def from_state(cls, state: Snapshot, *, clock: Callable[[], float] = time.time) -> "TradingMemoryStore":
        """The store that was written. `InvalidInput` where `state` is none."""
        data = data_of(state, "TradingMemoryStore")
        return cls._made_of(data["settings"], [files.item_of(row) for row in data["items"]], clock)

    def _settings(self) -> dict[str, Any]:
        return {
            "decay_half_life": self.decay_half_life,
            "half_lives": dict(self._half_lives),
            "max_items": self.max_items,
            "reset_every": self.reset_every,
            "started": self._started,
        }

    @classmethod
    def _made_of(
        cls, settings: Mapping[str, Any], items: Iterable[TradingMemoryItem], clock: Callable[[], float]
    ) -> "TradingMemoryStore":
        store = cls(**{name: value for name, value in settings.items() if name != "started"}, clock=clock)
        store._started = settings["started"]
        store.replace_all(items)
        return store

    # --- inside --------------------------------------------------------------------------------

    def _decay_factor(self, item: TradingMemoryItem) -> float:
        """0.5^(age / half-life)."""
        return decay(self.clock() - item.timestamp, self._half_life_of(item.kind))

    def _half_life_of(self, kind: str) -> float:
        return self._half_lives.get(kind, self._decay_half_life)

    def _forget(self, places: Iterable[int]) -> None:
        index = self._ready_index()
        for place in places:
            index.remove(place)
            del self._kept[place]
        if index.removed > len(index):
            self._invalidate()

    def _invalidate(self) -> None:
        self._index = None

    def _ready_index(self) -> ItemIndex:
        if self._index is None:
            self._index = index = ItemIndex(self._half_life_of)
            self._kept = {index.add(item): item for item in self._kept.values()}
        return self._index

    def _reset_when_due(self) -> None:
        if self.reset_every is not None and self.clock() - self._started >= self.reset_every:
            self.reset()


def _check_seconds(name: str, seconds: float) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise InvalidInput(name, f"{seconds!r:.40} is not a number of seconds above 0")


def _check_count(name: str, count: int, least: int = 0) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise InvalidInput(name, f"{count!r:.40} is not a whole number from {least} on")
