"""Trading agents that consult their memory before they decide."""

from collections.abc import Mapping

from trading_agents.agents.confidence import (
    AS_DESIGNED,
    ConfidenceRule,
    OutcomeRecord,
    PosteriorRule,
    Unchanged,
    WinRateRule,
)
from trading_agents.agents.hedge import HedgeAgentWithMemory
from trading_agents.agents.liquidity import LiquidityAgentWithMemory
from trading_agents.agents.markov import MarkovAgentWithMemory
from trading_agents.agents.memory_agent import MemoryAwareAgent
from trading_agents.agents.sentiment import SentimentAgentWithMemory
from trading_agents.agents.wyckoff import WyckoffAgentWithMemory

AGENT_TYPES: Mapping[str, type[MemoryAwareAgent]] = {
    "hedge": HedgeAgentWithMemory,
    "liquidity": LiquidityAgentWithMemory,
    "sentiment": SentimentAgentWithMemory,
    "wyckoff": WyckoffAgentWithMemory,
    "markov": MarkovAgentWithMemory,
}
"""The five agents, by the group of features that each of them reads."""

__all__ = [
    "AGENT_TYPES",
    "AS_DESIGNED",
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
