"""Requests by `lambda:InvokeFunction`, without API Gateway: the same operations, models, answers and errors.

    {"agent_id": "market-hunter", "operation": "log_decision", "decision_type": "QUERY", "context": {}, "reasoning": {}}

`operation` is an operation's id in the OpenAPI document. The other fields are its parameters, in the path or in the
query, by their names; what is none of them belongs to the body, which may also be given as one object, `body`. The
result is `{"statusCode": 201, "body": {…}}`.

IAM's permission to invoke a function has no condition on the payload, but its resource names an alias. Each agent
therefore has an alias of its own, and Lambda says in the context which one was invoked: the payload's agent has to be
that of the alias.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from agent_memory.core.errors import Forbidden, InvalidInput, shown
from agent_memory.core.ids import path_name

if TYPE_CHECKING:
    from agent_memory.api.router import Operation

_PARAMETER = re.compile("<([a-z_]+)>")
_ENVELOPE = frozenset({"agent_id", "operation"})


def event_of(
    payload: object, agent_id: str | None, operations: "Mapping[str, Operation]", *, request_id: str
) -> dict[str, Any]:
    """The event of API Gateway for the same request.

    Args:
        payload: of the invocation.
        agent_id: the agent by whose alias the function was invoked.
        operations: every operation by its id.
        request_id: of the invocation.

    Raises:
        Forbidden: the function was not invoked by an agent's alias, or by that of another agent.
        InvalidInput: names the field.
    """
    if agent_id is None:
        raise Forbidden("invoke the function by the alias of an agent, as agent-memory-api:agent-market-hunter")
    if not isinstance(payload, dict):
        raise InvalidInput("payload", f"expected a JSON object, got {type(payload).__name__}")
    if "agent_id" not in payload:
        raise InvalidInput("agent_id", f"is missing; write {agent_id!r}, the agent of the alias")
    if payload["agent_id"] != agent_id:
        raise Forbidden(f"the payload names agent {shown(payload['agent_id'])}, the alias is that of {agent_id!r}")
    operation = _operation(payload, operations)
    fields = {name: value for name, value in payload.items() if name not in _ENVELOPE}
    given = {name: fields.pop(name) for name in operation.parameters if name in fields}
    path = _PARAMETER.sub(lambda found: _segment(found[1], {**given, "agent_id": agent_id}), operation.path)
    in_path = _PARAMETER.findall(operation.path)
    query = {name: value for name, value in given.items() if name not in in_path}
    body = json.dumps(_body(fields)) if operation.has_body else None
    if not operation.has_body:
        query |= fields  # for the route to say which parameters it has
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode({name: _query_text(one) for name, one in query.items() if one is not None}),
        "headers": {},
        "requestContext": {
            "http": {"method": operation.method, "path": path},
            "requestId": request_id,
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def result_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """The result of an invocation for a response of the routes: its body as an object."""
    return {"statusCode": HTTPStatus(response["statusCode"]).value, "body": json.loads(response["body"])}


def _operation(payload: Mapping[str, Any], operations: "Mapping[str, Operation]") -> "Operation":
    name = payload.get("operation")
    if not isinstance(name, str) or name not in operations:
        problem = "is missing" if name is None else f"{shown(name)} is unknown"
        raise InvalidInput("operation", f"{problem}; write one of {', '.join(sorted(operations))}")
    return operations[name]


def _segment(name: str, given: Mapping[str, Any]) -> str:
    value = given.get(name)
    if not value:
        raise InvalidInput(name, "is missing")
    if not isinstance(value, str):
        raise InvalidInput(name, f"expected text, got {type(value).__name__}")
    return path_name(value)


def _query_text(value: Any) -> str:
    """A value of JSON as the text of a query parameter."""
    return value if isinstance(value, str) else json.dumps(value)


def _body(fields: Mapping[str, Any]) -> Any:
    """The body, given as one object or by its fields."""
    if "body" not in fields:
        return fields
    others = sorted(fields.keys() - {"body"})
    if others:
        raise InvalidInput(others[0], "neither a parameter of the operation nor in its `body`")
    return fields["body"]
