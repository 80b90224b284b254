"""Responses: JSON text that fits into what Lambda returns, and one table from errors to HTTP."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from agent_memory.core.errors import (
    AgentMemoryError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    ShortTermOff,
    TooLarge,
    Unavailable,
)
from agent_memory.core.http_limits import MAX_CARRIED_BYTES, carried_bytes

READ_DIRECTLY = "read it without HTTP between, with DecisionLogger"

# Whatever is not in this table is a 500 that says nothing but the request id.
STATUS: Mapping[type[AgentMemoryError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ShortTermOff: HTTPStatus.NOT_FOUND,  # not a fault of the server: this deployment has no such thing
}


def status_of(error: type[AgentMemoryError]) -> HTTPStatus:
    """HTTP status of a class of errors."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def json_response(body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """A response with a JSON object.

    Raises:
        TooLarge: Lambda could not return it.
    """
    return text_response(json_text(body), status)


def text_response(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """A response with the text of a JSON object.

    Raises:
        TooLarge: Lambda could not return it.
    """
    # A character takes four bytes at most, so that most texts need not be measured.
    if 4 * len(text) > MAX_CARRIED_BYTES and carried_bytes(text) > MAX_CARRIED_BYTES:
        raise TooLarge("reply", f"over the 6 MB that Lambda returns; ask for less, or {READ_DIRECTLY}")
    return Response(status_code=int(status), content_type="application/json", body=text)


def error_response(error: AgentMemoryError) -> Response[str]:
    """The response for an error that the caller can do something about."""
    return error_envelope(status_of(type(error)), error.as_dict())


def error_envelope(status: HTTPStatus, error: Mapping[str, Any]) -> Response[str]:
    """The response for any error."""
    return text_response(json_text({"error": error}), status)


def json_text(body: Any) -> str:
    """JSON without spaces, in as few bytes as Unicode takes; halves of surrogate pairs are escaped."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"), allow_nan=False)
    return text
