"""The HTTP API; its routes are in `agent_memory.api`."""

from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.app import resolve
from agent_memory.api.observability import emits_metrics, logger


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@emits_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    response = resolve(event, context)
    logger.info("answered", status=response["statusCode"], route=event.get("routeKey"))
    return response
