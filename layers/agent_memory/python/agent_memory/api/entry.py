"""The entry point of the API's function.

The domain is loaded while the function starts; routes, pydantic and the stores come with the first request.
"""

from typing import Any
from urllib.parse import parse_qsl

import aws_lambda_powertools.event_handler  # noqa: F401  see above
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

import agent_memory.api.deployment  # noqa: F401  see above
from agent_memory.api.observability import logger, metrics


def resolve(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one event of API Gateway.

    Every body is read as JSON, whatever its content type says. A query is read from the address as it came: what API
    Gateway makes of it lacks what is given twice or empty.
    """
    from agent_memory.api.app import app  # noqa: PLC0415  see above

    headers = {**(event.get("headers") or {}), "content-type": "application/json"}
    query = dict(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True))
    return app.resolve({**event, "headers": headers, "queryStringParameters": query}, context)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request: the entry point of the function."""
    try:
        answer = resolve(event, context)
    finally:
        if metrics.provider.metric_set:
            metrics.flush_metrics()
    logger.info("answered", status=answer["statusCode"], route=event.get("routeKey"))
    return answer
