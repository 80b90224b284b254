"""What trading agents remember: items that fade with time and are found by what they say."""

from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.long_term import LongTermTradingMemory
from trading_agents.memory.store import TradingMemoryStore

__all__ = ["LongTermTradingMemory", "TradingMemoryItem", "TradingMemoryStore"]
