"""`AgentTool`: a tool whose arguments are checked by the catalog, as those of a gateway are."""

from collections.abc import Mapping
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool as ServedTool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp_types import ToolAnnotations

from agent_memory.cli.mcp_server.tool_errors import with_tool_errors
from agent_memory.client.tools.access import AgentAccess
from agent_memory.client.tools.catalog import Tool
from agent_memory.core.errors import InvalidInput


class _Arguments(FuncMetadata):
    """Arguments of which a text stays a text where the tool takes one, even if it is JSON.

    Attributes:
        texts: arguments that are a text, or none: clients may write `null` for none.
        values: arguments that are any value.
    """

    texts: frozenset[str]
    values: frozenset[str]

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        """Parse objects and lists that clients send as text."""
        parsed: dict[str, Any] = super().pre_parse_json(data)
        for name, value in parsed.items():
            if name in self.values or (name in self.texts and value is not None):
                parsed[name] = data[name]
        return parsed


def _arguments(found: FuncMetadata, schema: Mapping[str, Any]) -> _Arguments:
    kinds = {name: one.get("anyOf", [one]) for name, one in schema["properties"].items()}
    texts = frozenset(name for name, some in kinds.items() if any(map(_is_text, some)))
    values = frozenset(name for name, some in kinds.items() if not any({"type", "$ref"} & one.keys() for one in some))
    return _Arguments(**{name: getattr(found, name) for name in FuncMetadata.model_fields}, texts=texts, values=values)


def _is_text(kind: Mapping[str, Any]) -> bool:
    return kind.get("type") == "string" and not {"enum", "const"} & kind.keys()


class AgentTool(ServedTool):
    """A tool of one agent. Arguments that it does not have are an error, so that a filter is never left out."""

    checked_by: Tool

    async def run(self, arguments: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Check the arguments, and call the tool."""
        try:
            self.checked_by.checked(self.fn_metadata.pre_parse_json(arguments))
        except InvalidInput as error:
            raise ToolError(f"Error executing tool {self.name}: {error.code}: {error}") from error
        return await super().run(arguments, *args, **kwargs)


def agent_tool(tool: Tool, access: AgentAccess, annotations: ToolAnnotations) -> AgentTool:
    """A tool of the catalog for one agent, as the server takes it."""
    served = ServedTool.from_function(with_tool_errors(tool.of(access)), annotations=annotations)
    values = {name: getattr(served, name) for name in ServedTool.model_fields}
    values["fn_metadata"] = _arguments(served.fn_metadata, served.parameters)
    values["parameters"] = {**served.parameters, "additionalProperties": False}
    return AgentTool(**values, checked_by=tool)
