"""The trading memory of the design document, with a clock: it scores every item at each search."""

from collections.abc import Callable, Mapping
from typing import Any

from trading_agents.memory import TradingMemoryItem


class ReferenceStore:
    """Items in a list."""

    def __init__(self, decay_half_life: float, clock: Callable[[], float]) -> None:
        self.items: list[TradingMemoryItem] = []
        self.decay_half_life = decay_half_life
        self.clock = clock

    def _decay_factor(self, item: TradingMemoryItem) -> float:
        dt = self.clock() - item.timestamp
        return float(0.5 ** (dt / self.decay_half_life))

    def search(
        self, query: str = "", kind: str | None = None, symbol: str | None = None, topk: int = 5
    ) -> list[TradingMemoryItem]:
        """The items with the highest scores above 0, best first."""
        scored = []

        for item in self.items:
            # Apply filters
            if kind and item.kind != kind:
                continue
            if symbol and item.symbol != symbol:
                continue

            # Calculate relevance score
            decay = self._decay_factor(item)

            # Text similarity (simple word overlap)
            if query:
                query_words = set(query.lower().split())
                content_words = set(item.content.lower().split())
                sim = len(query_words & content_words)
            else:
                sim = 0

            # Combined score: importance * decay + similarity
            final_score = (item.score * decay) + sim
            scored.append((final_score, item))

        # Sort by score and return top-k
        scored.sort(key=lambda x: x[0], reverse=True)
        return [item for score, item in scored[:topk] if score > 0]

    def get_recent(self, kind: str | None = None, symbol: str | None = None, n: int = 10) -> list[TradingMemoryItem]:
        """The newest items, newest first."""
        filtered = [
            item
            for item in self.items
            if (kind is None or item.kind == kind) and (symbol is None or item.symbol == symbol)
        ]
        return sorted(filtered, key=lambda x: x.timestamp, reverse=True)[:n]

    def cleanup(self, min_score: float = 0.1) -> int:
        """Remove the items with a score of at most `min_score`, and return how many."""
        new_items = []
        for item in self.items:
            effective_score = item.score * self._decay_factor(item)
            if effective_score > min_score:
                new_items.append(item)

        removed = len(self.items) - len(new_items)
        self.items = new_items
        return removed

    def summarize(self, symbol: str = "SPY", lookback_hours: float = 24) -> dict[str, Any]:
        """Counts and the mean score of the items of a symbol in the last hours."""
        cutoff = self.clock() - (lookback_hours * 3600)
        recent = [item for item in self.items if item.timestamp > cutoff and item.symbol == symbol]

        summary: dict[str, Any] = {
            "total_memories": len(self.items),
            "recent_count": len(recent),
            "by_kind": {},
            "avg_score": 0.0,
        }

        if recent:
            summary["avg_score"] = sum(item.score for item in recent) / len(recent)

            for item in recent:
                summary["by_kind"][item.kind] = summary["by_kind"].get(item.kind, 0) + 1

        return summary


class ReferenceStoreWithHalfLives(ReferenceStore):
    """The reference store with half-lives by kind."""

    def __init__(self, decay_half_life: float, clock: Callable[[], float], half_lives: Mapping[str, float]) -> None:
        super().__init__(decay_half_life, clock)
        self.half_lives = half_lives

    def _decay_factor(self, item: TradingMemoryItem) -> float:
        half_life = self.half_lives.get(item.kind, self.decay_half_life)
        return float(0.5 ** ((self.clock() - item.timestamp) / half_life))
