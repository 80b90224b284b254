"""Errors of the library as errors of tools: the model reads their text, and nothing of any other exception."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError

from agent_memory.core.errors import AgentMemoryError

P = ParamSpec("P")
T = TypeVar("T")


def with_tool_errors(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A tool whose expected errors have a code, such as `invalid_input`, and name the field."""

    @wraps(tool)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await tool(*args, **kwargs)
        except AgentMemoryError as error:
            raise ToolError(f"{error.code}: {error}") from error

    return call
