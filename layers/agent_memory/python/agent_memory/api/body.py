"""Reading request bodies: whatever is not a JSON object that fits is refused by name."""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from agent_memory.core.errors import InvalidInput, TooLarge
from agent_memory.core.http_limits import MAX_BATCH, MAX_BODY_BYTES


def read_object(body: str | None, *, is_base64: bool = False) -> dict[str, Any]:
    """The JSON object that a request's body holds.

    Raises:
        TooLarge: over `MAX_BODY_BYTES`. InvalidInput: not UTF-8, not JSON, or no object.
    """
    text = _decoded(body) if is_base64 and body else body or ""
    # A character is at least a byte, so that most bodies need no encoding to be measured.
    if len(text) > MAX_BODY_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise TooLarge("body", f"over {MAX_BODY_BYTES:,} bytes; keep such data elsewhere and refer to it")
    try:
        parsed = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", f"not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidInput("body", f"expected a JSON object, got {type(parsed).__name__}")
    return parsed


def fields(body: Mapping[str, Any], *names: str) -> list[Any]:
    """The values of a body's fields, in order; `InvalidInput` where one is missing or there are others."""
    some_of(body, *names)
    for name in names:
        if name not in body:
            raise InvalidInput(f"/{name}", "is missing")
    return [body[name] for name in names]


def some_of(body: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The body, which may have these fields; `InvalidInput` where there are others."""
    for name in body:
        if name not in names:
            raise InvalidInput(f"/{name}", f"no such field; known are {', '.join(names)}")
    return body


def batch(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The items of a batch; what each of them holds is the domain's to check."""
    (items,) = fields(body, name)
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
        raise InvalidInput(f"/{name}", f"expected a list of 1 to {MAX_BATCH} objects")
    return items


def _decoded(body: str) -> str:
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError as error:
        raise InvalidInput("body", f"not UTF-8 text: {error}") from error


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text:.40} is not a number that can be kept")
