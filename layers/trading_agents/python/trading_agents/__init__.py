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
from trading_agents.composing import Composer, FinalSignal, FixedShare, Hedge, MarketOutcome, RegimeMemory, WeightRule
from trading_agents.decisions import AGENT_ID
from trading_agents.features import WARM_UP_BARS, Features, MarketRow, features_of
from trading_agents.market import Bars
from trading_agents.market_hunter import MarketHunter
from trading_agents.memory import LongTermTradingMemory, TradingMemoryItem, TradingMemoryStore

__all__ = [
    "AGENT_ID",
    "WARM_UP_BARS",
    "Bars",
    "Composer",
    "ConfidenceRule",
    "Features",
    "FinalSignal",
    "FixedShare",
    "Hedge",
    "HedgeAgentWithMemory",
    "LiquidityAgentWithMemory",
    "LongTermTradingMemory",
    "MarketHunter",
    "MarketOutcome",
    "MarketRow",
    "MarkovAgentWithMemory",
    "MemoryAwareAgent",
    "OutcomeRecord",
    "PosteriorRule",
    "RegimeMemory",
    "SentimentAgentWithMemory",
    "TradingMemoryItem",
    "TradingMemoryStore",
    "Unchanged",
    "WeightRule",
    "WinRateRule",
    "WyckoffAgentWithMemory",
    "features_of",
]
