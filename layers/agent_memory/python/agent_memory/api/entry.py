"""The entry point of the API's function.

The domain is imported while the function starts; routes, pydantic and the stores with the first request.
"""

from typing import Any
from urllib.parse import parse_qsl

import aws_lambda_powertools.event_handler  # noqa: F401  see above
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

import agent_memory.api.deployment  # noqa: F401  see above
from agent_memory.api.observability import logger, metrics


def resolve(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the response to an event of API Gateway.

    Every body is parsed as JSON, regardless of its content type. The query is parsed from the raw query string, because
    API Gateway joins repeated parameters and drops empty ones.
    """
    from agent_memory.api.app import app  # noqa: PLC0415  see above

    headers = {**(event.get("headers") or {}), "content-type": "application/json"}
    query = dict(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True))
    return app.resolve({**event, "headers": headers, "queryStringParameters": query}, context)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function's entry point: processes one request."""
    try:
        response = resolve(event, context)
    finally:
        if metrics.provider.metric_set:
            metrics.flush_metrics()
    logger.info("responded", status=response["statusCode"], route=event.get("routeKey"))
    return response
