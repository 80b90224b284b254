"""Reading requests: whatever is not a JSON object that fits, or not a known query parameter, is refused by name."""

import json
import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from agent_memory.core.errors import InvalidInput, TooLarge
from agent_memory.core.http_limits import MAX_BODY_BYTES
from agent_memory.core.json_values import canonical_json

_MAX_PARAMETERS = 100


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
