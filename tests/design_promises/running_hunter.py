"""The market hunter of the package `trading_agents`, after some cycles on the deployed stores."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from agent_memory import DecisionLogger, MemoryManager
from trading_agents import MemoryAwareMarketHunterAgent

MARKET = {"volatility": "high", "trend": "bullish"}
SOURCES = {
    "whaleMovements": lambda data: data["whale_flow"],
    "derivatives": lambda data: data["funding"],
    "institutional": lambda data: data["etf_flow"],
    "sentiment": lambda data: data["fear"],
}
CYCLES = 22
"""More than the ten cycles whose queries short-term memory keeps, and enough for patterns; all in the last hour."""


@dataclass(frozen=True)
class HuntingAgent:
    """The hunter with its memory, and the signals of its last cycle."""

    agent_id: str
    memory: MemoryManager
    logger: DecisionLogger
    agent: MemoryAwareMarketHunterAgent
    signals: list


def hunter_of(agent_id, stores, **settings):
    """A hunter on these stores, with its memory manager and its decision logger."""
    memory_manager = MemoryManager(agent_id, stores=stores)
    decision_logger = DecisionLogger(agent_id, memory_manager=memory_manager)
    return MemoryAwareMarketHunterAgent(
        agent_name=agent_id,
        learning_rate=0.1,
        memory_manager=memory_manager,
        decision_logger=decision_logger,
        **{"sources": SOURCES, **settings},
    )


def market_data(n, **changes):
    """The market data of cycle n: whales are always right, sentiment is always wrong."""
    at = datetime.now(UTC) - timedelta(minutes=2 * (CYCLES - n) + 1)
    rises = n % 3 != 2
    return {
        "context": MARKET,
        "close": [100 + n // 3 + n % 3],
        "whale_flow": 0.8 if rises else -0.8,
        "funding": 0.45,
        "etf_flow": -0.2,
        "fear": -0.3 if rises else 0.3,
        "timestamp": at,
        **changes,
    }


def run_hunter(stores, *, cycles=CYCLES):
    """Run some cycles of a new hunter."""
    agent_id = f"hunter-{uuid4().hex[:12]}"
    agent = hunter_of(agent_id, stores, exploration_rate=0.3)

    async def run():
        return [await agent.run_cycle_with_memory(market_data(n), max_sources=2) for n in range(cycles)]

    signals = asyncio.run(run())
    return HuntingAgent(agent_id, agent.memory, agent.logger, agent, signals[-1])
