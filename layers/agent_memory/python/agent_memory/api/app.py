"""The application of the HTTP API: its routes and error handlers."""

import binascii
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from agent_memory.api.http import (
    as_body_field,
    error_envelope,
    error_response,
    parse_body,
    reject_unknown_parameters,
    validation_error,
)
from agent_memory.api.observability import logger
from agent_memory.api.router import Operation
from agent_memory.api.routers import analytics, cycles, decisions, memory, quarantines, state
from agent_memory.core.errors import AgentMemoryError, InvalidInput

ROUTERS = (decisions.router, memory.router, quarantines.router, cycles.router, state.router, analytics.router)

app = APIGatewayHttpResolver(enable_validation=True, json_body_deserializer=parse_body)
Handler = TypeVar("Handler", bound=Callable[..., Any])


app.use(middlewares=[reject_unknown_parameters])
for _router in ROUTERS:
    app.include_router(_router)


def operations() -> dict[str, Operation]:
    """Every operation by its id in the OpenAPI document."""
    return {name: operation for router in ROUTERS for name, operation in router.operations.items()}


def handles(*error_types: type[Exception]) -> Callable[[Handler], Handler]:
    """Register an error handler with Powertools, keeping the handler's type."""
    return cast("Callable[[Handler], Handler]", app.exception_handler(list(error_types)))


@handles(AgentMemoryError)
def handle_domain_error(error: AgentMemoryError) -> Response[str]:
    """An error that this package raised deliberately."""
    if isinstance(error, InvalidInput):
        if error.field in app.context["_route_args"]:  # `decisions/batch` is a path of its own, not a decision's id
            wrong_method = _without_method()
            if wrong_method:
                return wrong_method
        bodies = app.context["_route"].dependant.body_params
        error = as_body_field(error, bodies[0].type_.__annotations__ if bodies else ())
    return error_response(error)


@handles(RequestValidationError)
def handle_validation_error(error: RequestValidationError) -> Response[str]:
    """A request that does not match the signature of its route."""
    return error_response(validation_error(error))


@handles(binascii.Error, UnicodeDecodeError)
def handle_undecodable_body(error: ValueError) -> Response[str]:
    """A body that is not Base64 of UTF-8 text, although it is marked as Base64."""
    return error_response(InvalidInput("body", f"not UTF-8 text: {error}"))


@handles(RecursionError)
def handle_deep_nesting(_: RecursionError) -> Response[str]:
    """Only input is processed recursively, so it is the input that is nested too deeply."""
    logger.exception("nested too deeply")
    return error_response(InvalidInput("body", "nested too deeply; 31 levels can be stored"))


@handles(NotFoundError)
def handle_unknown_path(_: NotFoundError) -> Response[str]:
    """A path without a route, or without one for this method."""
    method, path = app.current_event.http_method, app.current_event.path
    return _without_method() or error_envelope(
        HTTPStatus.NOT_FOUND, {"code": "no_route", "message": f"there is no route {method} {path}"}
    )


@handles(Exception)
def handle_unexpected_error(_: Exception) -> Response[str]:
    """Any other error: the log has its traceback under the request id that the caller receives."""
    logger.exception("unexpected error")
    request_id = app.lambda_context.aws_request_id
    error = {"code": "internal", "message": "unexpected error", "request_id": request_id}
    return error_envelope(HTTPStatus.INTERNAL_SERVER_ERROR, error)


def _without_method() -> Response[str] | None:
    """The response for a path that has other methods only; None if it has none, or the one of the request."""
    method, path = app.current_event.http_method, app.current_event.path
    allowed = sorted({one for router in ROUTERS for one in router.methods_of(path)})
    if not allowed or method in allowed:
        return None
    error = {"code": "method_not_allowed", "message": f"{path} has no {method}, only {', '.join(allowed)}"}
    response = error_envelope(HTTPStatus.METHOD_NOT_ALLOWED, error)
    response.headers["Allow"] = ", ".join(allowed)
    return response
