"""The decorator that declares a route, for serving it and for the OpenAPI document.

    router = Router("decisions", "What an agent decided, why, and with what outcome.")

    @router.operation("POST", "/decisions", LoggedDecision, statuses=CREATED_OR_UNCHANGED, errors=(Conflict,))
    def log_decision(agent_id: AgentId, body: Annotated[DecisionInput, Body()]) -> Response[str]:

The handler's signature validates path, query and body. Its name is the operation id, its docstring the description.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_memory.api.http import status_of
from agent_memory.api.schemas.errors import Error, GatewayError
from agent_memory.core.errors import AgentMemoryError, InvalidInput, NotFound, TooLarge, Unavailable

Method = Literal["DELETE", "GET", "POST", "PUT"]
Middleware = Callable[[Any, Callable[[Any], Any]], Any]
Handler = TypeVar("Handler", bound=Callable[..., Response[str]])

_PARAMETER = re.compile("<[a-z_]+>")
AGENT_PATH = "/v1/agents/<agent_id>"
CREATED_OR_UNCHANGED = (HTTPStatus.CREATED, HTTPStatus.OK)

_MEANINGS = {HTTPStatus.CREATED: "It was created.", HTTPStatus.OK: "It existed already with the same content."}
_ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request is invalid; `field` names the part.",
    HTTPStatus.FORBIDDEN: "The signature is missing or wrong, the role may not act for this agent, or the path "
    "could be read as that of another one.",
    HTTPStatus.NOT_FOUND: "It does not exist for this agent, or in this deployment; `no_route`: there is no such path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The path has no such method; the header `Allow` lists those that it has.",
    HTTPStatus.CONFLICT: "It exists with other content, or at another version; nothing was changed.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Larger than a request or a response may be.",
    HTTPStatus.TOO_MANY_REQUESTS: "Over a limit of requests per second; send it again later.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Unexpected error; the log has it under its `request_id`.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A store did not respond; the request may be sent again.",
}
# What only API Gateway answers, and what only the function does; both may answer the others.
_OF_GATEWAY = frozenset({HTTPStatus.TOO_MANY_REQUESTS})
_OF_FUNCTION = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.CONFLICT})
# Every route may reject input, and may find a store unavailable.
_COMMON_ERRORS = (InvalidInput, NotFound, TooLarge, Unavailable)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route by the names of its parts, for requests that are not made of a method and a path.

    Attributes:
        method: its HTTP method.
        path: its path, with parameters as `<name>`.
        parameters: the names of its parameters in path and query, without the agent's id.
        has_body: whether it has a body.
    """

    method: Method
    path: str
    parameters: tuple[str, ...]
    has_body: bool

    @classmethod
    def of(cls, method: Method, path: str, handler: Callable[..., Any]) -> "Operation":
        """The operation of a handler."""
        names = inspect.signature(handler).parameters
        own = tuple(name for name in names if name not in {"agent_id", "body"})
        return cls(method, f"{AGENT_PATH}{path}", own, "body" in names)


class Router(APIGatewayHttpRouter):
    """The routes below an agent's path that share a tag of the document.

    Args:
        name: the tag.
        description: the tag's description in the document.
        middlewares: middlewares of each of the routes.
    """

    def __init__(self, name: str, description: str, *, middlewares: Sequence[Middleware] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools' own
        self._middlewares = list(middlewares)
        self._paths: list[tuple[Method, str]] = []
        self.operations: dict[str, Operation] = {}
        self.name = name
        self.description = description

    def methods_of(self, path: str) -> list[Method]:
        """The methods that a path of a request has."""
        matching = [(template.count("<"), method) for method, template in self._paths if _matches(template, path)]
        fewest = min(matching, default=(0,))[0]  # `decisions/batch` is not a decision's id
        return [method for parameters, method in matching if parameters == fewest]

    def operation(
        self,
        method: Method,
        path: str,
        response: Any,
        *,
        statuses: tuple[HTTPStatus, ...] = (HTTPStatus.OK,),
        errors: tuple[type[AgentMemoryError], ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Declare a handler for a method and a path below the agent's path.

        Args:
            method: the HTTP method.
            path: the path, with parameters as `<name>`.
            response: the typed dictionary of the response.
            statuses: the statuses of success.
            errors: the errors that this route may return in addition to those of every route.
        """

        def declare(handler: Handler) -> Handler:
            self._paths.append((method, path))
            self.operations[handler.__name__] = Operation.of(method, path, handler)
            summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n")
            self.route(
                f"{AGENT_PATH}{path}",
                method=method,
                summary=summary.rstrip("."),
                description=" ".join(description.split()) or summary,
                responses=_responses(response, statuses, errors),
                operation_id=handler.__name__,
                tags=[self.name],
                middlewares=self._middlewares,
            )(handler)
            return handler

        return declare


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(_PARAMETER.sub("[^/]+", f"{AGENT_PATH}{template}"), path) is not None


def _responses(
    response: Any, statuses: tuple[HTTPStatus, ...], errors: tuple[type[AgentMemoryError], ...]
) -> dict[int, OpenAPIResponse]:
    successes: dict[int, OpenAPIResponse] = {
        int(status): _response(response, _MEANINGS[status] if len(statuses) > 1 else "Success.") for status in statuses
    }
    failures = {
        *_OF_GATEWAY,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        *map(status_of, (*_COMMON_ERRORS, *errors)),
    }
    return successes | {int(status): _response(_error_model(status), _ERRORS[status]) for status in sorted(failures)}


def _error_model(status: HTTPStatus) -> Any:
    if status in _OF_GATEWAY:
        return GatewayError
    return Error if status in _OF_FUNCTION else Error | GatewayError


def _response(model: Any, description: str) -> OpenAPIResponse:
    return {"description": description, "content": {"application/json": {"model": model}}}
