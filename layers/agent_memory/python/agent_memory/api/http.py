"""JSON over HTTP: requests are read, or refused by field; responses fit into what Lambda returns."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

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
from agent_memory.core.http_limits import MAX_BODY_BYTES, MAX_ESCAPED_BYTES, escaped_size
from agent_memory.core.json_values import canonical_json

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

_MAX_PARAMETERS = 100


# --- requests --------------------------------------------------------------------------------------


def parse_body(text: str) -> dict[str, Any]:
    """The JSON object that a request's body holds.

    Raises:
        TooLarge: over `MAX_BODY_BYTES`. InvalidInput: not JSON, or not an object.
    """
    # A character takes four bytes at most, so that most bodies need not be measured.
    if 4 * len(text) > MAX_BODY_BYTES and len(text.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise TooLarge("body", f"over {MAX_BODY_BYTES:,} bytes; keep such data elsewhere and refer to it")
    try:
        parsed = json.loads(text, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", f"not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidInput("body", f"expected a JSON object, got {type(parsed).__name__}")
    return parsed


def check_query(raw: str, known: Iterable[str]) -> None:
    """Check the names in a query string: each known, each once.

    Raises:
        InvalidInput: names the parameter.
    """
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidInput("query", f"not a query string of UTF-8 text: {error}") from error
    seen: set[str] = set()
    known = sorted(known)
    for name, _ in pairs:
        if name not in known:
            listed = f"known are {', '.join(known)}" if known else "this route takes none"
            raise InvalidInput(f"{name:.80}", f"no such query parameter; {listed}")
        if name in seen:
            raise InvalidInput(name, "is given twice; give it once")
        seen.add(name)


def parse_object(name: str, text: str | None) -> dict[str, Any] | None:
    """The JSON object that a query parameter holds; None where it is left out.

    Raises:
        InvalidInput: not JSON, or not an object.
    """
    if text is None:
        return None
    try:
        parsed = json.loads(text)
        # Python reads NaN, infinities and halves of surrogate pairs, which are not JSON.
        canonical_json(parsed).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidInput(name, f"not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidInput(name, f"expected a JSON object, got {type(parsed).__name__}")
    return parsed


def validation_error(error: RequestValidationError) -> InvalidInput:
    """The first of pydantic's complaints: a field of the body by its JSON Pointer, a parameter by its name.

    A field that is unknown comes before one that is missing: it may be the same one, misspelled.
    """
    complaints: Sequence[dict[str, Any]] = error.errors()
    first = next((one for one in complaints if one["type"] == "extra_forbidden"), complaints[0])
    where, *path = first["loc"]
    field = "".join([f"/{token}" for token in path]) if where == "body" else ".".join(map(str, path))
    return InvalidInput(field or "body", _message(first))


def as_body_field(error: InvalidInput, body_fields: Collection[str]) -> InvalidInput:
    """The error with its field as a JSON Pointer, where it is an argument that the body carried."""
    if re.split("[/.]", error.field, maxsplit=1)[0] not in body_fields:
        return error
    return type(error)(f"/{error.field}", error.message)


def refuse_unknown_parameters(app: Any, next_middleware: Callable[[Any], Any]) -> Any:
    """Middleware that refuses query parameters that a route does not have, or that are given twice."""
    route = app.context["_route"]
    if route.tags:  # each of ours has one: else there is no such path
        known = [parameter.alias for parameter in route.dependant.query_params]
        check_query(app.current_event.raw_query_string or "", known)
    return next_middleware(app)


# --- responses -------------------------------------------------------------------------------------


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
    if 4 * len(text) > MAX_ESCAPED_BYTES and escaped_size(text) > MAX_ESCAPED_BYTES:
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


# --- inside ----------------------------------------------------------------------------------------


def _message(complaint: dict[str, Any]) -> str:
    match complaint["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "no such field"
    message = str(complaint["msg"])
    return f"{message[:1].lower()}{message[1:]}, got {complaint['input']!r:.60}"


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _not_finite(text: str) -> NoReturn:
    raise ValueError(f"{text:.40} is not a number that can be kept")
