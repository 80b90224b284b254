"""A pydantic-ai agent that can search its memory, and whose orders are logged before they are placed.

The model is pydantic-ai's own test model, which calls each tool once; use a real one in its place.

    pip install 'agent-memory[pydantic-ai]'
    python examples/pydantic_ai_trader.py sqlite:///memory.db
"""

import sys

from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.client.integrations.pydantic_ai import AgentMemoryCapability

AGENT = "pydantic-trader"


def run(url: str) -> None:
    """Ask the agent once, on the memory at a URL."""
    orders: list[str] = []
    memory = MemoryManager(AGENT, stores=url)
    log = DecisionLogger(AGENT, memory_manager=memory)
    agent = Agent(TestModel(), capabilities=[AgentMemoryCapability(log, memory, {"place_order": "TRADE"})])

    @agent.tool_plain
    def place_order(symbol: str) -> str:
        """Place an order."""
        orders.append(symbol)
        return "placed"

    agent.run_sync("Buy some Bitcoin.")
    print(f"orders placed: {len(orders)}, decisions logged: {len(log.sync.query_decisions('TRADE'))}")


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
