"""Trading agents that log what they decide, remember what happened, and learn from what came of it."""

from trading_agents.agents import (
    ConfidenceRule,
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    MarkovAgentWithMemory,
    MemoryAwareAgent,
    OutcomeRecord,
    PosteriorRule,
    SentimentAgentWithMemory,
    Unchanged,
    WinRateRule,
    WyckoffAgentWithMemory,
)
from trading_agents.decisions import AGENT_ID
from trading_agents.features import WARM_UP_BARS, Features, MarketRow, features_of
from trading_agents.market import Bars
from trading_agents.market_hunter import MarketHunter
from trading_agents.memory import LongTermTradingMemory, TradingMemoryItem, TradingMemoryStore

__all__ = [
    "AGENT_ID",
    "WARM_UP_BARS",
    "Bars",
    "ConfidenceRule",
    "Features",
    "HedgeAgentWithMemory",
    "LiquidityAgentWithMemory",
    "LongTermTradingMemory",
    "MarketHunter",
    "MarketRow",
    "MarkovAgentWithMemory",
    "MemoryAwareAgent",
    "OutcomeRecord",
    "PosteriorRule",
    "SentimentAgentWithMemory",
    "TradingMemoryItem",
    "TradingMemoryStore",
    "Unchanged",
    "WinRateRule",
    "WyckoffAgentWithMemory",
    "features_of",
]
