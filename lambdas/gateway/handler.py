"""The tools of one agent's memory for Amazon Bedrock AgentCore Gateway; see `agent_memory.api.gateway`."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.gateway import answer
from agent_memory.api.observability import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Call a tool: the event has its arguments, the client context its name."""
    return answer(event, context)
