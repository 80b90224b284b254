"""Writes the bodies of requests as JSON has their parameters, instead of through botocore's serializer.

botocore converts every attribute value by the description of its shape, which for an item of thousands of numbers takes
longer than all else of a request. The parameters that this package passes have the form that DynamoDB expects already.

The event `before-parameter-build` of botocore hands over the parameters before they are serialized, and `before-call`
the request before it is signed. In between botocore serializes what is left: the names of tables, keys and expressions,
by which it chooses an endpoint.
"""

import json
from typing import Any

_OPERATIONS = ("PutItem", "UpdateItem", "TransactWriteItems", "BatchExecuteStatement", "BatchWriteItem")
"""The operations that write items."""

_VALUES = ("Item", "ExpressionAttributeValues")
_LISTS = ("Statements", "TransactItems", "RequestItems")
"""The parameters that are attribute values, and those that contain such."""

_ID = "agent-memory-bodies"
_BODY = "agent_memory_body"
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def write_bodies_from_parameters(client: Any) -> None:
    """Let a boto3 client of DynamoDB send the parameters of its writes as JSON has them, which is the same.

    What is no client of botocore, such as a caller's wrapper, is left as it is.
    """
    events = getattr(getattr(client, "meta", None), "events", None)
    if events is None:
        return
    # Of all handlers the last, after what others change in the parameters, and the token that botocore adds to them:
    # those of an operation are called before those of every operation.
    events.register_last("before-parameter-build", _keep_body, unique_id=f"{_ID}-parameters")
    for operation in _OPERATIONS:
        events.register_first(f"before-call.dynamodb.{operation}", _replace_body, unique_id=f"{_ID}-{operation}")


def _keep_body(*, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    if model.name not in _OPERATIONS:
        return
    try:
        context[_BODY] = _encode(params).encode()
    except (TypeError, ValueError):  # binary values, which botocore encodes; it also says what is wrong with others
        return
    for name in _VALUES:
        if name in params:
            params[name] = {}
    for name in _LISTS:
        if name in params:
            params[name] = _without_values(name, params[name])


def _replace_body(*, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _BODY in context:
        params["body"] = context.pop(_BODY)


def _without_values(name: str, value: Any) -> Any:
    """A list of requests without the attribute values of their items, as valid as it was."""
    if name == "Statements":
        return [{"Statement": one["Statement"]} for one in value]
    if name == "TransactItems":
        return [{kind: _stripped(request) for kind, request in one.items()} for one in value]
    return {
        table: [{kind: _stripped(request) for kind, request in one.items()} for one in requests]
        for table, requests in value.items()
    }


def _stripped(request: dict[str, Any]) -> dict[str, Any]:
    return {name: {} if name in _VALUES else value for name, value in request.items()}
