"""The HTTP API. Its routes stand in `agent_memory.api.app`."""

from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.app import resolve
from agent_memory.api.observability import emits_metrics, logger


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@emits_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    answer = resolve(event, context)
    logger.info("answered", status=answer["statusCode"], route=event.get("routeKey"))
    return answer
