"""All tools by name, what each does to the stores, and the arguments that it takes."""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from agent_memory.client.tools.access import AgentAccess
from agent_memory.client.tools.audit_tools import AuditTools
from agent_memory.client.tools.decision_tools import DecisionTools
from agent_memory.client.tools.memory_tools import MemoryTools
from agent_memory.core.errors import InvalidInput

Call = Callable[..., Coroutine[Any, Any, BaseModel]]


class Effect(Enum):
    """What a tool does to the stores."""

    READS = "reads"
    ADDS = "adds"
    ADDS_ONCE = "adds once"  # repeating the call changes nothing
    REPLACES = "replaces"


@dataclass(frozen=True)
class Tool:
    """A method of one of the classes of tools. Its signature is the tool's schema.

    Attributes:
        owner: the class, which is made of an `AgentAccess`.
        name: the method's name, which is the tool's.
        effect: what it does to the stores.
    """

    owner: Callable[[AgentAccess], Any]
    name: str
    effect: Effect

    @property
    def method(self) -> Callable[..., Any]:
        """The method, without an agent."""
        method: Callable[..., Any] = getattr(self.owner, self.name)
        return method

    @property
    def description(self) -> str:
        """What the model reads about the tool."""
        return inspect.getdoc(self.method) or ""

    def of(self, access: AgentAccess) -> Call:
        """The tool of one agent."""
        call: Call = getattr(self.owner(access), self.name)
        return call

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The model of the arguments, which refuses others."""
        hints = get_type_hints(self.method, include_extras=True)
        parameters = [one for one in inspect.signature(self.method).parameters.values() if one.name != "self"]
        fields: dict[str, Any] = {
            one.name: (hints[one.name], ... if one.default is one.empty else one.default) for one in parameters
        }
        return create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments from outside, as the method takes them.

        Raises:
            InvalidInput: names the first argument that cannot be used.
        """
        try:
            found = self.arguments.model_validate(arguments)
        except ValidationError as error:
            # An unknown argument may be a missing one, misspelled.
            errors = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
            field = "".join(f"/{part}" for part in errors[0]["loc"])
            unknown = f"there is no such argument; {self.name} takes {', '.join(self.arguments.model_fields)}"
            message = unknown if errors[0]["type"] == "extra_forbidden" else errors[0]["msg"]
            raise InvalidInput(field or "arguments", message) from None
        return {name: getattr(found, name) for name in self.arguments.model_fields}


TOOLS = (
    Tool(DecisionTools, "record_decision", Effect.ADDS),
    Tool(DecisionTools, "record_outcome", Effect.ADDS_ONCE),
    Tool(DecisionTools, "get_decision", Effect.READS),
    Tool(DecisionTools, "search_decisions", Effect.READS),
    Tool(DecisionTools, "find_similar_decisions", Effect.READS),
    Tool(DecisionTools, "get_decision_chain", Effect.READS),
    Tool(DecisionTools, "get_decision_stats", Effect.READS),
    Tool(MemoryTools, "advise", Effect.READS),
    Tool(MemoryTools, "add_memory", Effect.ADDS),
    Tool(MemoryTools, "search_memories", Effect.READS),
    Tool(MemoryTools, "get_memory", Effect.READS),
    Tool(MemoryTools, "update_memory", Effect.REPLACES),
    Tool(MemoryTools, "delete_memory", Effect.REPLACES),
    Tool(MemoryTools, "get_memory_history", Effect.READS),
    Tool(MemoryTools, "get_working_memory", Effect.READS),
    Tool(MemoryTools, "set_working_memory", Effect.REPLACES),
    Tool(MemoryTools, "search_patterns", Effect.READS),
    Tool(AuditTools, "verify_audit_chain", Effect.READS),
    Tool(AuditTools, "get_service_status", Effect.READS),
)


def allowed_tools(*, read_only: bool) -> tuple[Tool, ...]:
    """All tools, or those that do not write."""
    return tuple(one for one in TOOLS if not read_only or one.effect is Effect.READS)
