"""`agent_server`: the tools, resources and prompt of one agent's memory as an MCP server."""

import json
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError
from mcp_types import ToolAnnotations

from agent_memory import __version__
from agent_memory.cli.mcp_server.agent_tool import agent_tool
from agent_memory.client.tools.access import AgentAccess
from agent_memory.client.tools.catalog import Effect, allowed_tools
from agent_memory.client.tools.results import NOTICE, RecalledDecision, RecalledReport
from agent_memory.core.errors import AgentMemoryError
from agent_memory.reporting.analytics import MemoryAnalytics

_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
_ADDS_ONCE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_REPLACES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
_HINTS = {
    Effect.READS: ToolAnnotations(read_only_hint=True, open_world_hint=False),
    Effect.ADDS: _ADDS,
    Effect.ADDS_ONCE: _ADDS_ONCE,
    Effect.REPLACES: _REPLACES,
}
_JSON = "application/json"


def agent_server(access: AgentAccess) -> MCPServer[Any]:
    """The server of one agent. With `access.read_only`, it does not have the tools that write."""
    server: MCPServer[Any] = MCPServer(
        "agent-memory",
        title=f"Memory of {access.agent_id}",
        instructions=f"The decision log and memory of the agent {access.agent_id}. Record each decision before acting "
        f"on it, and its outcome once it is known. {NOTICE}",
        version=__version__,
        log_level="WARNING",
        tools=[agent_tool(one, access, _HINTS[one.effect]) for one in allowed_tools(read_only=access.read_only)],
    )
    _add_resources(server, access)
    server.prompt(title="Review a day's decisions")(review_decisions)
    return server


def _add_resources(server: MCPServer[Any], access: AgentAccess) -> None:
    analytics = MemoryAnalytics(access.log, access.memory)

    @server.resource("agent-memory://decisions/{decision_id}", mime_type=_JSON)
    async def decision(decision_id: str) -> str:
        """One decision with its outcomes."""
        try:
            found = await access.log.get_decision(decision_id)
        except AgentMemoryError as error:
            raise ResourceError(f"{error.code}: {error}") from error
        return RecalledDecision(decision=dict(found)).model_dump_json()

    @server.resource("agent-memory://report", mime_type=_JSON)
    async def report() -> str:
        """How the agent's decisions did and what it has learned, with every rate's interval."""
        try:
            found = await analytics.generate_performance_report()
        except AgentMemoryError as error:
            raise ResourceError(f"{error.code}: {error}") from error
        return json.dumps(RecalledReport(figures=found).model_dump())


def review_decisions(day: str = "yesterday") -> str:
    """Review the decisions of a day, yesterday by default, against what came of them."""
    return (
        f"Review the decisions of {day} (UTC). Read them with search_decisions, by start and end, until the result is "
        "complete. For each decision type, compare those that succeeded with those that failed: which facts of the "
        "context and which reasons differ? Follow the worst ones with get_decision_chain. Name what is pending. "
        "Compare rates by their intervals only, and say so where there are too few outcomes. End with at most three "
        f"lessons, each with the ids of the decisions that it rests on. {NOTICE}"
    )
