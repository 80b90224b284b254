"""The HTTP API: finds a request's route, and tells errors by their status."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from agent_memory.api import replies
from agent_memory.api.deployment import deployment
from agent_memory.api.observability import logger
from agent_memory.api.replies import Reply
from agent_memory.api.routers.cycles import cycles
from agent_memory.api.routers.decisions import decisions
from agent_memory.api.routers.memory import memory
from agent_memory.api.routers.state import state
from agent_memory.api.routing import HttpRequest, Operation
from agent_memory.core.errors import AgentMemoryError, InvalidInput

ROOMS = (decisions, memory, cycles, state)

app = APIGatewayHttpResolver()
Handler = TypeVar("Handler", bound=Callable[..., Response[str]])


def serve(operation: Operation) -> None:
    """Answer an operation's path from now on; of two that match, the first one is taken."""

    def answer(**path: str) -> Response[str]:
        event = app.current_event
        http = HttpRequest(
            path, event.raw_query_string, event.body, bool(event.is_base64_encoded), principal=_principal(event)
        )
        return _response(operation.answer(deployment(), http))

    rule = re.sub(r"{(\w+)}", r"<\1>", operation.path)
    app.route(rule, operation.method)(answer)


for _room in ROOMS:
    for _operation in _room.operations:
        serve(_operation)


def handles(kind: type[Exception]) -> Callable[[Handler], Handler]:
    """Powertools' own registration of an error handler, with its type kept."""
    return cast("Callable[[Handler], Handler]", app.exception_handler(kind))


@handles(AgentMemoryError)
def told(error: AgentMemoryError) -> Response[str]:
    """An error that the caller can do something about."""
    return _response(replies.refusal(error))


@handles(RecursionError)
def too_deep(_: RecursionError) -> Response[str]:
    """What callers nest is all that this code recurses over."""
    logger.exception("nested too deeply")
    return _response(replies.refusal(InvalidInput("body", "nested too deeply; 31 levels can be kept")))


@handles(NotFoundError)
def no_route(_: NotFoundError) -> Response[str]:
    """A path that is none of ours."""
    where = f"{app.current_event.http_method} {app.current_event.path}"
    return _error(HTTPStatus.NOT_FOUND, {"code": "no_route", "message": f"there is no {where}"})


@handles(Exception)
def untold(_: Exception) -> Response[str]:
    """Anything else: the log has the trace, the caller has the request id to ask for it by."""
    logger.exception("unexpected error")
    request_id = app.lambda_context.aws_request_id
    return _error(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        {"code": "internal", "message": "unexpected error", "request_id": request_id},
    )


def _principal(event: APIGatewayProxyEventV2) -> str | None:
    """The ARN of who signed the request, as API Gateway saw it."""
    authorizer = event.request_context.authorizer
    iam = authorizer.iam if authorizer else None
    return iam.user_arn or None if iam else None


def _error(status: HTTPStatus, error: dict[str, str]) -> Response[str]:
    return _response(Reply(status, replies.json_text({"error": error})))


def _response(reply: Reply) -> Response[str]:
    return Response(status_code=int(reply.status), content_type="application/json", body=reply.text)
