"""An agent of Microsoft Agent Framework that is told what it remembers, and logs its orders before they are placed.

The model is a program, which calls the tool once; use a real one in its place.

    pip install 'agent-memory[agent-framework]'
    python examples/agent_framework_trader.py sqlite:///memory.db
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, Content, FunctionInvocationLayer, Message, tool

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.client.integrations.agent_framework import AgentMemoryProvider

AGENT = "framework-trader"


class ScriptedModel(FunctionInvocationLayer, BaseChatClient):
    """A model that answers as a function of the messages says."""

    def __init__(self, answer: Callable[[Sequence[Message]], Content]) -> None:
        super().__init__()
        self._answer = answer

    async def _inner_get_response(self, *, messages: Sequence[Message], **_: Any) -> ChatResponse:
        return ChatResponse(messages=[Message("assistant", [self._answer(messages)])])


def buy_once(messages: Sequence[Message]) -> Content:
    """Call the tool, and then say so."""
    if messages[-1].role == "tool":
        return Content.from_text("bought")
    return Content.from_function_call("call-1", "place_order", arguments={"symbol": "BTC"})


async def ask(url: str) -> None:
    """Ask the agent once, on the memory at a URL."""
    orders: list[str] = []
    memory = MemoryManager(AGENT, stores=url)
    log = DecisionLogger(AGENT, memory_manager=memory)

    @tool(approval_mode="never_require")
    def place_order(symbol: str) -> str:
        """Place an order."""
        orders.append(symbol)
        return "placed"

    provider = AgentMemoryProvider(log, memory, {"place_order": "TRADE"})
    agent = Agent(ScriptedModel(buy_once), name="trader", tools=[place_order], context_providers=[provider])
    await agent.run("Buy some Bitcoin.")
    print(f"orders placed: {len(orders)}, decisions logged: {len(await log.query_decisions('TRADE'))}")


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db"))
