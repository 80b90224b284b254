"""Trading agents that consult their memory before they decide."""

from trading_agents.agents.confidence import ConfidenceRule, OutcomeRecord, PosteriorRule, Unchanged, WinRateRule
from trading_agents.agents.hedge import HedgeAgentWithMemory
from trading_agents.agents.liquidity import LiquidityAgentWithMemory
from trading_agents.agents.markov import MarkovAgentWithMemory
from trading_agents.agents.memory_agent import MemoryAwareAgent
from trading_agents.agents.sentiment import SentimentAgentWithMemory
from trading_agents.agents.wyckoff import WyckoffAgentWithMemory

__all__ = [
    "ConfidenceRule",
    "HedgeAgentWithMemory",
    "LiquidityAgentWithMemory",
    "MarkovAgentWithMemory",
    "MemoryAwareAgent",
    "OutcomeRecord",
    "PosteriorRule",
    "SentimentAgentWithMemory",
    "Unchanged",
    "WinRateRule",
    "WyckoffAgentWithMemory",
]
