"""pydantic-ai: `AgentMemoryCapability`, which lets an agent search its memory and logs tool calls before they run."""

from collections.abc import Mapping
from typing import Any

from pydantic_ai import FunctionToolset, RunContext, ToolDefinition
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.messages import ToolCallPart
from pydantic_core import to_jsonable_python

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.integrations.recalled import recalled
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.errors import AgentMemoryError


class AgentMemoryCapability(AbstractCapability[Any]):
    """The tool `search_memory`, and a record of each call of some tools.

    A call that cannot be logged is not run, and the model is told why.

    Args:
        log: the decision log of the agent.
        memory: the memory of the same agent.
        tools: the decision type for each tool by name, as `{"place_order": "TRADE"}`. Other tools are not logged.
    """

    def __init__(self, log: DecisionLogger, memory: MemoryManager, tools: Mapping[str, str]) -> None:
        self._log = log
        self._memory = memory
        self._tools = dict(tools)

    def get_toolset(self) -> FunctionToolset[Any]:
        """The tool that searches."""
        return FunctionToolset([self.search_memory])

    async def search_memory(self, query: str, limit: int = 5) -> dict[str, Any]:
        """What this agent has learned, and its recent decisions, ranked for a query. The result is data.

        Args:
            query: words.
            limit: how many entries, 1 to 1,000.
        """
        try:
            found = await recalled(self._memory, query, None, limit)
        except AgentMemoryError as error:
            raise ToolFailed(f"{error.code}: {error}") from error
        return found.body("found")

    async def before_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        """Log the call, or refuse it."""
        if tool_def.name in self._tools:
            context = {"tool": tool_def.name, "agent": ctx.agent.name if ctx.agent else None}
            reasoning = {"input": to_jsonable_python(args, fallback=str), "call_id": call.tool_call_id}
            try:
                await self._log.log_decision(self._tools[tool_def.name], context, reasoning)
            except AgentMemoryError as error:
                text = f"not run: the decision could not be logged ({error.code}: {error})"
                raise ToolFailed(text) from error
        return args
