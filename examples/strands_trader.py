"""A Strands agent whose orders are logged before they are placed, and refused while the log is down.

The model is a script, so that the program runs anywhere; use a real one in its place.

    pip install 'agent-memory[strands]'
    python examples/strands_trader.py sqlite:///memory.db
"""

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from strands import Agent, tool
from strands.models.model import Model

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.client.integrations.strands import AgentMemoryStore, DecisionLogHandler

AGENT = "strands-trader"
orders: list[str] = []


@tool
def place_order(symbol: str) -> str:
    """Place an order.

    Args:
        symbol: what to buy.
    """
    orders.append(symbol)
    return "placed"


class OneOrder(Model):
    """Buys once, and is done."""

    def update_config(self, **_: Any) -> None:
        """It has none."""

    def get_config(self) -> dict[str, Any]:
        """It has none."""
        return {}

    async def structured_output(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        """It has none."""
        yield {}

    async def stream(self, messages: list[Any], *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        """Call the tool, or end after its result."""
        is_done = "toolResult" in messages[-1]["content"][0]
        use = {"toolUse": {"toolUseId": "order-1", "name": "place_order"}}
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {} if is_done else use}}
        text = {"text": "done"} if is_done else {"toolUse": {"input": json.dumps({"symbol": "BTC"})}}
        yield {"contentBlockDelta": {"delta": text}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn" if is_done else "tool_use"}}


def run(url: str) -> None:
    """Ask the agent once, on the memory at a URL."""
    memory = MemoryManager(AGENT, stores=url)
    log = DecisionLogger(AGENT, memory_manager=memory)
    trader = Agent(
        model=OneOrder(),
        tools=[place_order],
        interventions=[DecisionLogHandler(log, {"place_order": "TRADE"})],
        memory_manager={"stores": [AgentMemoryStore(memory)]},
        callback_handler=None,
    )
    trader("Buy some Bitcoin.")
    print(f"orders placed: {len(orders)}, decisions logged: {len(log.sync.query_decisions('TRADE'))}")


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
