"""`LongTermTradingMemory`: copies items into an agent's long-term memory, and back."""

import hashlib
from typing import Any

from agent_memory import MemoryManager
from agent_memory.core.clock import parse_instant, to_iso
from agent_memory.core.json_values import canonical_json
from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.store import TradingMemoryStore

MEMORY_TYPE = "TRADING_MEMORY"


class LongTermTradingMemory:
    """Saves items of a `TradingMemoryStore` in an agent's long-term memory, where they outlive the process.

    The id of an item is a hash of its content: saving it again changes nothing, and identical items become one. Its
    `confidence` there is its score limit_adjustment to 0-1. Times are kept to the millisecond.
    """

    def __init__(self, memory_manager: MemoryManager) -> None:
        self._memory = memory_manager

    async def save(self, store: TradingMemoryStore, min_score: float = 0.0) -> int:
        """Save all items whose importance is above `min_score` now; returns how many.

        Raises:
            InvalidInput: metadata that cannot be stored. Unavailable: the table did not respond.
        """
        important = [item for item in store.items if store.importance(item) > min_score]
        for item in important:
            data = _to_data(item)
            digest = hashlib.sha256(canonical_json(data).encode()).hexdigest()[:32]
            confidence = min(1.0, max(0.0, float(item.score)))
            await self._memory.store_ltm(MEMORY_TYPE, digest, {**data, "confidence": confidence})
        return len(important)

    async def load(self, store: TradingMemoryStore) -> int:
        """Add all saved items to a store, oldest first; returns how many.

        Raises:
            Unavailable: the table did not respond.
        """
        items = [_from_data(memory) for memory in await self._memory.retrieve_ltm(MEMORY_TYPE)]
        for item in sorted(items, key=lambda item: item.timestamp):
            store.append(item)
        return len(items)


def _to_data(item: TradingMemoryItem) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "content": item.content,
        "score": item.score,
        "symbol": item.symbol,
        "occurred_at": to_iso(round(item.timestamp * 1_000)),
        "metadata": item.metadata,
    }


def _from_data(data: dict[str, Any]) -> TradingMemoryItem:
    seconds = parse_instant(data["occurred_at"]) / 1_000
    return TradingMemoryItem(
        data["kind"], data["content"], data["score"], data["symbol"], data["metadata"], timestamp=seconds
    )
