"""The OpenAPI 3.1 document of the HTTP API, made from the routes as they are declared: `make openapi`."""

import inspect
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from agent_memory.api.http_errors import STATUS
from agent_memory.api.query import Parameter
from agent_memory.api.routing import Operation, Room
from agent_memory.api.schemas import base as openapi_shapes
from agent_memory.api.schemas import cycles as openapi_cycles
from agent_memory.api.schemas import decisions as openapi_decisions
from agent_memory.api.schemas import memory as openapi_memory
from agent_memory.core.errors import AgentMemoryError, InvalidInput, TooLarge, Unavailable

VERSION = "1.0"

_MODELS = (openapi_decisions, openapi_memory, openapi_cycles, openapi_shapes)

# An example for every name in a path.
PATH_EXAMPLES = {
    "agent_id": openapi_shapes.AGENT_ID,
    "decision_id": openapi_shapes.DECISION_ID,
    "key": "context:current",
    "name": "before-open",
    "source_id": "derivatives",
    "memory_type": "PATTERN",
    "pattern_id": "whale_pump_correlation",
}
_SIGNED = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4, service `execute-api`",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "Something sent is unusable; `field` says what.",
    HTTPStatus.FORBIDDEN: "The signature is missing or wrong, or the role may not act for this agent.",
    HTTPStatus.NOT_FOUND: "There is no such thing under this agent, or in this deployment.",
    HTTPStatus.CONFLICT: "It says something else already; nothing was changed.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More than one request or reply can carry.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Unexpected; ask for it by its `request_id`.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A store did not answer; the same request may be sent again.",
}


def document(rooms: tuple[Room, ...]) -> dict[str, Any]:
    """The document of these rooms' routes."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in (one for room in rooms for one in room.operations):
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Agent Memory",
            "version": VERSION,
            "description": "A memory and a decision log for AI trading agents. Every request is signed.",
        },
        "servers": [{"url": "/", "description": "The deployment's own address"}],
        "security": [{"signature": []}],
        "tags": [{"name": room.name, "description": room.description} for room in rooms],
        "paths": paths,
        "components": {"schemas": _schemas(rooms), "securitySchemes": {"signature": _SIGNED}},
    }


def model_of(name: str) -> Any:
    """The model that a route names."""
    return next(getattr(room, name) for room in _MODELS if hasattr(room, name))


def _operation(operation: Operation) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(operation.handler.__doc__ or "").partition("\n")
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.room],
        "summary": summary.rstrip("."),
        "description": " ".join(description.split()) or summary,
        "parameters": [*map(_path_parameter, operation.names), *map(_query_parameter, operation.query)],
        "responses": _responses(operation),
    }
    if operation.takes:
        told["requestBody"] = {"required": True, "content": _content(operation.takes)}
    return told


def _responses(operation: Operation) -> dict[str, Any]:
    meanings = {HTTPStatus.CREATED: "It is new.", HTTPStatus.OK: "It was there already."}
    responses = {
        str(status.value): {
            "description": meanings[status] if len(operation.statuses) > 1 else "The answer.",
            "content": _content(operation.gives),
        }
        for status in operation.statuses
    }
    refused = {HTTPStatus.FORBIDDEN, HTTPStatus.INTERNAL_SERVER_ERROR, *map(_status_of, operation.refuses)}
    refused |= {_status_of(kind) for kind in (InvalidInput, TooLarge, Unavailable)}
    return responses | {
        str(status.value): {"description": _REFUSALS[status], "content": _content("Error")}
        for status in sorted(refused)
    }


def _status_of(kind: type[AgentMemoryError]) -> HTTPStatus:
    return HTTPStatus(STATUS[kind])


def _content(model: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"application/json": {"schema": schema, "example": model_of(model).example}}


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": PATH_EXAMPLES[name]}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    told = {"name": parameter.name, "in": "query", "required": False, "description": parameter.description}
    if parameter.is_json:
        content = {"application/json": {"schema": dict(parameter.schema), "example": parameter.example}}
        return told | {"content": content}
    return told | {"schema": dict(parameter.schema), "example": parameter.example}


def _schemas(rooms: tuple[Room, ...]) -> dict[str, Any]:
    named = {one.gives for room in rooms for one in room.operations} | {"Error"}
    named |= {one.takes for room in rooms for one in room.operations if one.takes}
    models: list[type[BaseModel]] = [model_of(name) for name in sorted(named)]
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return dict(sorted(definitions["$defs"].items()))


def main() -> None:
    """Write the document to the file that is named on the command line."""
    from agent_memory.api.app import ROOMS  # noqa: PLC0415  the routes import what they need of this package

    Path(sys.argv[1]).write_text(json.dumps(document(ROOMS), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
