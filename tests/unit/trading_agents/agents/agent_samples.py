"""What the tests of the agents share."""

from trading_agents import (
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    MarkovAgentWithMemory,
    SentimentAgentWithMemory,
    TradingMemoryStore,
    WyckoffAgentWithMemory,
)

ALL = (
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    SentimentAgentWithMemory,
    WyckoffAgentWithMemory,
    MarkovAgentWithMemory,
)


def agent_of(kind, **settings):
    """An agent with an empty memory of its own."""
    return kind("A", TradingMemoryStore(), **settings)


def vote(agent, group, **values):
    """Signal and confidence for one bar with one group of features."""
    return agent.act_with_memory("SPY", 0, {group: values})[:2]
