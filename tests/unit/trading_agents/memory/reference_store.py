"""The store as the design of the trading memory writes it down, with a clock: it scores every item."""


class ReferenceStore:
    def __init__(self, decay_half_life, clock):
        self.items = []
        self.decay_half_life = decay_half_life
        self.clock = clock

    def _decay_factor(self, item):
        dt = self.clock() - item.timestamp
        return 0.5 ** (dt / self.decay_half_life)

    def search(self, query="", kind=None, symbol=None, topk=5):
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

    def get_recent(self, kind=None, symbol=None, n=10):
        filtered = [
            item
            for item in self.items
            if (kind is None or item.kind == kind) and (symbol is None or item.symbol == symbol)
        ]
        return sorted(filtered, key=lambda x: x.timestamp, reverse=True)[:n]

    def cleanup(self, min_score=0.1):
        new_items = []
        for item in self.items:
            effective_score = item.score * self._decay_factor(item)
            if effective_score > min_score:
                new_items.append(item)

        removed = len(self.items) - len(new_items)
        self.items = new_items
        return removed

    def summarize(self, symbol="SPY", lookback_hours=24):
        cutoff = self.clock() - (lookback_hours * 3600)
        recent = [item for item in self.items if item.timestamp > cutoff and item.symbol == symbol]

        summary = {"total_memories": len(self.items), "recent_count": len(recent), "by_kind": {}, "avg_score": 0.0}

        if recent:
            summary["avg_score"] = sum(item.score for item in recent) / len(recent)

            for item in recent:
                summary["by_kind"][item.kind] = summary["by_kind"].get(item.kind, 0) + 1

        return summary


class ReferenceStoreWithHalfLives(ReferenceStore):
    """The reference store with half-lives by kind."""

    def __init__(self, decay_half_life, clock, half_lives):
        super().__init__(decay_half_life, clock)
        self.half_lives = half_lives

    def _decay_factor(self, item):
        return 0.5 ** ((self.clock() - item.timestamp) / self.half_lives.get(item.kind, self.decay_half_life))
