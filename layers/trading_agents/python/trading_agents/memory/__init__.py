"""The memory of trading agents: items whose importance decays with time, searched by the words they contain."""

from trading_agents.memory.item import TradingMemoryItem
from trading_agents.memory.long_term import LongTermTradingMemory
from trading_agents.memory.store import TradingMemoryStore

__all__ = ["LongTermTradingMemory", "TradingMemoryItem", "TradingMemoryStore"]
