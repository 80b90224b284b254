"""The entry point of the API's function: HTTP requests, and invocations by an agent's alias.

An HTTP request is refused if IAM may have judged its path as another one. IAM judges a path before the function sees
it, and which form of it API Gateway passes on is not documented: HTTP APIs are known to decode it and to cut it at a
decoded `?`. The function therefore serves only paths that have one reading, and only if every field of the event that
names an agent names the same one.

The decision log is imported while the function starts; routes, pydantic and the stores with the first request, and
memory with the first request for it (docs/decisions/0081).
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import aws_lambda_powertools.event_handler  # noqa: F401  see above
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

import agent_memory.api.deployment  # noqa: F401  see above
from agent_memory.api.observability import logger, metrics
from agent_memory.core.errors import AgentMemoryError, Forbidden
from agent_memory.core.ids import agent_of_arn as invoking_agent

_AGENTS = "/v1/agents/"
# Empty segments, dot segments, separators that some servers know, control characters, bytes that are not UTF-8, an
# encoded slash, and what becomes an escape when it is decoded twice.
_AMBIGUOUS = re.compile(r"//|/\.{1,2}(?:/|\Z)|[\\;?#\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]|%2[fF5]|%.?%")


def resolve(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the response to an event of API Gateway.

    Every body is parsed as JSON, regardless of its content type. The query is parsed from the raw query string, because
    API Gateway joins repeated parameters and drops empty ones.
    """
    from agent_memory.api.app import app  # noqa: PLC0415  see above

    try:
        _check_path(event)
    except Forbidden as error:
        logger.warning("path refused", reason=str(error))
        return _refusal(error)
    headers = {**(event.get("headers") or {}), "content-type": "application/json"}
    query = dict(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True))
    return app.resolve({**event, "headers": headers, "queryStringParameters": query}, context)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function's entry point: processes one request.

    An agent's alias names the agent, and whoever may invoke it writes the event, so that an event of API Gateway is not
    believed there.
    """
    agent_id = invoking_agent(context.invoked_function_arn)
    is_http = agent_id is None and isinstance(event, dict) and "requestContext" in event
    try:
        response = resolve(event, context) if is_http else answer(event, agent_id, context)
    finally:
        if metrics.provider.metric_set:
            metrics.flush_metrics()
    # The access log has a line for every request; one that succeeded needs no second one.
    log = logger.info if response["statusCode"] >= HTTPStatus.BAD_REQUEST else logger.debug
    log("responded", status=response["statusCode"], route=event.get("routeKey") if is_http else "invoked")
    return response


def answer(payload: object, agent_id: str | None, context: LambdaContext) -> dict[str, Any]:
    """Return the result of a direct invocation: the status and the body that the operation's route responds with.

    Args:
        payload: as `agent_memory.api.direct_invocation` describes it.
        agent_id: the agent by whose alias the function was invoked; None if it was another one.
        context: of the invocation.
    """
    from agent_memory.api.app import operations  # noqa: PLC0415  see above
    from agent_memory.api.direct_invocation import event_of, result_of  # noqa: PLC0415
    from agent_memory.api.http import error_response  # noqa: PLC0415

    try:
        event = event_of(payload, agent_id, operations(), request_id=context.aws_request_id)
    except AgentMemoryError as error:
        response = error_response(error)
        return result_of({"statusCode": response.status_code, "body": response.body})
    return result_of(resolve(event, context))


# --- the path that IAM judged ----------------------------------------------------------------------


def _check_path(event: Mapping[str, Any]) -> None:
    """Check that an event's path has one reading, and that all of its fields name the same agent and method.

    Raises:
        Forbidden: says what to write instead.
    """
    http = event["requestContext"]["http"]
    parameters = event.get("pathParameters") or {}
    paths = {event["rawPath"], http.get("path", event["rawPath"])}
    if "proxy" in parameters:
        paths.add(f"/v1/{parameters['proxy']}")
    agents = {parameters["agent_id"]} if "agent_id" in parameters else set()
    for path in paths:
        if _AMBIGUOUS.search(path) or _AMBIGUOUS.search(unquote(path)):
            raise Forbidden(
                "the path has an empty segment, a dot segment, an encoded separator or a character that no name has; "
                "write each name as one segment, and / in a name as ~1"
            )
        _, _, below = path.partition(_AGENTS)
        agents.add(below.partition("/")[0])
        if _AGENTS in below:
            raise Forbidden("the path names two agents; write /v1/agents/{agent_id}/… once")
    if len(agents) > 1:
        raise Forbidden("the request names different agents in its path and in the route that was permitted")
    if event.get("routeKey", "ANY").partition(" ")[0] not in {"ANY", "$default", http["method"]}:
        raise Forbidden("the request has another method than the route that was permitted")


def _refusal(error: Forbidden) -> dict[str, Any]:
    return {
        "statusCode": int(HTTPStatus.FORBIDDEN),
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"error": error.as_dict()}),
        "isBase64Encoded": False,
    }
