from agent_memory import MemoryManager
from agent_memory.storage.factory import in_memory_stores
from trading_agents.memory import LongTermTradingMemory, TradingMemoryStore

NOW = 1_795_176_000.25


async def test_important_items_are_saved_once_and_loaded_again():
    long_term = LongTermTradingMemory(MemoryManager("hedge", stores=in_memory_stores()))
    store = TradingMemoryStore(clock=lambda: NOW)
    store.add("trade", "win", 2.0, "BTC", {"pnl": 1.5, "path": [1, None]})
    store.add("signal", "weak", 0.2)
    assert (await long_term.save(store, min_score=0.5), await long_term.save(store)) == (1, 2)
    again = TradingMemoryStore(clock=lambda: NOW)
    assert await long_term.load(again) == 2
    assert sorted(again.items, key=lambda item: -item.score) == list(store.items)
