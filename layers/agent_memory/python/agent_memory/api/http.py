"""JSON over HTTP: parsing and checking requests, and building responses within Lambda's size limit."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import MAX_PREC, Context, Decimal
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from agent_memory.core.checks import check_list
from agent_memory.core.errors import (
    AccessDenied,
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
from agent_memory.core.json_values import canonical_json, check_object

READ_DIRECTLY = "read from the stores with DecisionLogger"

# Errors that are not in this table have status 500 and only a request id.
STATUS: Mapping[type[AgentMemoryError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ShortTermOff: HTTPStatus.NOT_FOUND,  # not an outage: the deployment has no short-term memory
    AccessDenied: HTTPStatus.SERVICE_UNAVAILABLE,  # to the function itself, not to the caller
}

_MAX_PARAMETERS = 100
_REPLACEMENT = "\ufffd"
_FLOAT_DIGITS = 17
_ALL_DIGITS = Context(prec=MAX_PREC)


# --- requests --------------------------------------------------------------------------------------


def parse_body(text: str) -> dict[str, Any]:
    """Parse the body of a request, a JSON object; nothing in it is changed or dropped.

    Raises:
        TooLarge: over `MAX_BODY_BYTES`. InvalidInput: not UTF-8, not JSON, not an object, a key that is given twice, or
            a number that cannot be kept.
    """
    # A character has at most four bytes, so that most bodies need not be measured.
    if 4 * len(text) > MAX_BODY_BYTES and len(text.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise TooLarge("body", f"exceeds {MAX_BODY_BYTES:,} bytes; store large data elsewhere and refer to it")
    try:
        parsed = _loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", f"not JSON: {error}") from error
    if _REPLACEMENT in text:
        raise InvalidInput("body", "not UTF-8: it contains U+FFFD, which stands for unreadable bytes; or write \\ufffd")
    if not isinstance(parsed, dict):
        raise InvalidInput("body", f"expected a JSON object, got {type(parsed).__name__}")
    return parsed


def check_query(raw: str, known: Iterable[str]) -> None:
    """Check that a query string has only known parameters, and each of them once.

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
            expected = f"expected {', '.join(known)}" if known else "this route has none"
            raise InvalidInput(f"{name:.80}", f"unknown query parameter; {expected}")
        if name in seen:
            raise InvalidInput(name, "is repeated; send it once")
        seen.add(name)


def parse_object(name: str, text: str | None) -> dict[str, Any] | None:
    """Parse a query parameter that is a JSON object; None if it is missing.

    Raises:
        InvalidInput: not JSON, or not an object.
    """
    return None if text is None else dict(check_object(name, _parse(name, text)))


def parse_list(name: str, text: str) -> list[Any]:
    """Parse a query parameter that is a JSON array; `InvalidInput` if it is none."""
    return check_list(name, _parse(name, text))


def _parse(name: str, text: str) -> Any:
    try:
        parsed = _loads(text)
        canonical_json(parsed).encode()  # halves of surrogate pairs are not Unicode
    except (ValueError, RecursionError) as error:
        raise InvalidInput(name, f"not JSON: {error}") from error
    return parsed


def validation_error(error: RequestValidationError) -> InvalidInput:
    """The most useful of pydantic's errors, with the JSON Pointer of a field or the name of a parameter.

    An unknown field is reported before a missing one, as it may be that field misspelled.
    """
    errors: Sequence[dict[str, Any]] = error.errors()
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    location, *path = first["loc"]
    field = "".join([f"/{token}" for token in path]) if location == "body" else ".".join(map(str, path))
    return InvalidInput(field or "body", _message(first))


def as_body_field(error: InvalidInput, body_fields: Collection[str]) -> InvalidInput:
    """The error with its field as a JSON Pointer, if the field is one of the body's."""
    if re.split("[/.]", error.field, maxsplit=1)[0] not in body_fields:
        return error
    return error.with_field(f"/{error.field}")


def reject_unknown_parameters(app: Any, next_middleware: Callable[[Any], Any]) -> Any:
    """Middleware that rejects unknown and repeated query parameters."""
    route = app.context["_route"]
    if route.tags:  # all routes have a tag; without one the path is unknown
        known = [parameter.alias for parameter in route.dependant.query_params]
        check_query(app.current_event.raw_query_string or "", known)
    return next_middleware(app)


# --- responses -------------------------------------------------------------------------------------


def status_of(error: type[AgentMemoryError]) -> HTTPStatus:
    """The HTTP status of an error class."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def json_response(body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """A response with a JSON object.

    Raises:
        TooLarge: it exceeds Lambda's limit.
    """
    return text_response(json_text(body), status)


def text_response(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """A response with a JSON object that is already serialized.

    Raises:
        TooLarge: it exceeds Lambda's limit.
    """
    # A character has at most four bytes, so that most texts need not be measured.
    if 4 * len(text) > MAX_ESCAPED_BYTES and escaped_size(text) > MAX_ESCAPED_BYTES:
        raise TooLarge("reply", f"exceeds the 6 MB that Lambda can return; request less, or {READ_DIRECTLY}")
    return Response(status_code=int(status), content_type="application/json", body=text)


def error_response(error: AgentMemoryError) -> Response[str]:
    """The response for an error of this package."""
    return error_envelope(status_of(type(error)), error.as_dict())


def error_envelope(status: HTTPStatus, error: Mapping[str, Any]) -> Response[str]:
    """The response for any error."""
    return text_response(json_text({"error": error}), status)


def json_text(body: Any) -> str:
    """Serialize as compact JSON with Unicode characters unescaped, except in texts with lone surrogates."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"), allow_nan=False)
    return text


# --- private ---------------------------------------------------------------------------------------


def _message(error: dict[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "unknown field"
    message = str(error["msg"])
    return f"{message[:1].lower()}{message[1:]}, got {error['input']!r:.60}"


def _loads(text: str) -> Any:
    return json.loads(text, parse_constant=_not_finite, parse_float=_exact, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.80} is given twice in an object")
    return found


def _exact(text: str) -> float:
    """The float that a number's text names: every float has a text of 17 digits, and more digits would be lost."""
    number = float(text)
    if not math.isfinite(number):
        _not_finite(text)
    if len(text) > _FLOAT_DIGITS or not number:
        exact = Decimal(text)
        digits = len(exact.normalize(_ALL_DIGITS).as_tuple().digits)
        if (digits > _FLOAT_DIGITS and exact != Decimal(repr(number))) or bool(exact) != bool(number):
            raise ValueError(
                f"{text:.60} has more digits than the {_FLOAT_DIGITS} of a number that can be kept; use text"
            )
    return number


def _not_finite(text: str) -> NoReturn:
    raise ValueError(f"{text:.40} is not a finite number")
