"""Calls of tools by Amazon Bedrock AgentCore Gateway.

The event has the arguments; the tool's name, after that of the gateway's target, is in the client context. The agent is
that of the alias by which the gateway invokes the function: a gateway may invoke only one, and IAM says who may call
the gateway. Neither arguments nor headers are asked, because callers write them.
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
"""

import asyncio
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.observability import logger
from agent_memory.api.settings import FunctionSettings
from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.client.tools.access import AgentAccess
from agent_memory.client.tools.catalog import Tool, allowed_tools
from agent_memory.core.errors import AgentMemoryError, Forbidden, InvalidInput, NotFound, TooLarge
from agent_memory.core.http_limits import MAX_ESCAPED_BYTES, escaped_size
from agent_memory.core.ids import agent_of_arn

READ_ONLY_VARIABLE = "AGENT_MEMORY_GATEWAY_READ_ONLY"
_TOOL_NAME = "bedrockAgentCoreToolName"
_SEPARATOR = "___"
_MAX_AGENTS = 128


def answer(arguments: object, context: LambdaContext) -> dict[str, Any]:
    """The result of a tool, or `{"error": {"code", "message"}}`, in which nothing of an unexpected error is shown."""
    try:
        return _call(arguments, context)
    except AgentMemoryError as error:
        logger.info("refused", code=error.code, reason=str(error))
        return {"error": error.as_dict()}
    except Exception:  # a fault of ours: the caller gets its request id, and the log the error
        logger.exception("failed")
        message = f"an unexpected error; the function's log has it under the request id {context.aws_request_id}"
        return {"error": {"code": "internal_error", "message": message}}


def _call(arguments: object, context: LambdaContext) -> dict[str, Any]:
    agent_id = agent_of_arn(context.invoked_function_arn)
    if agent_id is None:
        raise Forbidden("the function was not invoked by the alias of an agent, which its gateway does")
    tool = _tool_of(context)
    if not isinstance(arguments, Mapping):
        raise InvalidInput("arguments", f"expected a JSON object, got {type(arguments).__name__}")
    call = tool.of(_access(agent_id))
    result = asyncio.run(call(**tool.checked(arguments)))
    if escaped_size(result.model_dump_json()) > MAX_ESCAPED_BYTES:
        raise TooLarge("result", "exceeds the 6 MB that Lambda can return; ask for less, with limit or by time")
    return result.model_dump(mode="json")


def _tool_of(context: LambdaContext) -> Tool:
    client_context = getattr(context, "client_context", None)
    name = str((getattr(client_context, "custom", None) or {}).get(_TOOL_NAME, ""))
    known = {one.name: one for one in allowed_tools(read_only=os.environ.get(READ_ONLY_VARIABLE) == "true")}
    found = known.get(name.rpartition(_SEPARATOR)[2])
    if found is None:
        raise NotFound(f"there is no tool {name!r:.100}; this gateway has {', '.join(known)}")
    return found


@lru_cache(maxsize=_MAX_AGENTS)
def _access(agent_id: str) -> AgentAccess:
    settings = FunctionSettings.from_environment()
    stores = settings.open_stores()
    log = DecisionLogger(agent_id, stores=stores, write_shards=settings.write_shards)
    read_only = os.environ.get(READ_ONLY_VARIABLE) == "true"
    return AgentAccess(log, MemoryManager(agent_id, stores=stores), stores, read_only)
