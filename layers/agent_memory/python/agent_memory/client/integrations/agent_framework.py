"""Microsoft Agent Framework: `AgentMemoryProvider`, which recalls before a run and logs tool calls before they run."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agent_framework import (
    AgentSession,
    ContextProvider,
    FunctionInvocationContext,
    FunctionMiddleware,
    Message,
    SessionContext,
    SupportsAgentRun,
)
from pydantic import BaseModel

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.integrations.recalled import recalled
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.client.tools.results import NOTICE
from agent_memory.core.errors import AgentMemoryError

SOURCE_ID = "agent_memory"


class AgentMemoryProvider(ContextProvider):
    """What an agent has learned, and its recent decisions, as a message before the model is asked.

    The message is JSON that begins with a notice that it is data. While the memory does not respond, the message says
    so, and the run goes on. Each call of the tools that are named is logged before it runs; while the log is down it is
    not run, and the model is told why.

    Args:
        log: the decision log of the agent.
        memory: the memory of the same agent.
        tools: the decision type for each tool by name, as `{"place_order": "TRADE"}`. Other tools are not logged.
        kind: recall only this type of memory or decision.
        max_entries: how many entries are recalled, 1 to 1,000.
    """

    def __init__(
        self,
        log: DecisionLogger,
        memory: MemoryManager,
        tools: Mapping[str, str],
        *,
        kind: str | None = None,
        max_entries: int = 5,
    ) -> None:
        super().__init__(SOURCE_ID)
        self._memory = memory
        self._kind = kind
        self._max_entries = max_entries
        self._middleware = DecisionLogMiddleware(log, tools)

    async def before_run(
        self,
        *,
        agent: SupportsAgentRun,
        session: AgentSession,  # noqa: ARG002  the framework's interface
        context: SessionContext,
        state: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Recall for the text of the new messages."""
        query = " ".join(message.text for message in context.input_messages if message.text)
        try:
            found = (await recalled(self._memory, query, self._kind, self._max_entries)).body("found")
        except AgentMemoryError as error:
            found = {"error": error.as_dict()}
        text = json.dumps({"notice": NOTICE, **found})
        context.extend_messages(self, [Message("user", [text])])
        context.extend_middleware(self.source_id, [self._middleware.of(agent.name)])


class DecisionLogMiddleware(FunctionMiddleware):
    """Logs each call of some tools, or refuses it. `AgentMemoryProvider` adds it; alone, it is an agent's middleware.

    Args:
        log: the decision log of the agent.
        tools: the decision type for each tool by name. Other tools are not logged.
        agent_name: the name that is logged with each call.
    """

    def __init__(self, log: DecisionLogger, tools: Mapping[str, str], agent_name: str | None = None) -> None:
        self._log = log
        self._tools = dict(tools)
        self._agent_name = agent_name

    def of(self, agent_name: str | None) -> "DecisionLogMiddleware":
        """The same for an agent with this name."""
        return type(self)(self._log, self._tools, agent_name)

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Log the call and run the tool, or tell the model why it was not run."""
        tool = context.function.name
        if tool in self._tools:
            given = context.arguments
            arguments = given.model_dump(mode="json") if isinstance(given, BaseModel) else dict(given)
            try:
                await self._log.log_decision(
                    self._tools[tool], {"tool": tool, "agent": self._agent_name}, {"input": arguments}
                )
            except AgentMemoryError as error:
                context.result = f"not run: the decision could not be logged ({error.code}: {error})"
                return
        await call_next()
