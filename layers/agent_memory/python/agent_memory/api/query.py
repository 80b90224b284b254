"""Query parameters: each is declared once, for reading it and for the OpenAPI document."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import canonical_json

_MAX_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: how its text is read, what stands for it where it is left out, and how it is described."""

    name: str
    description: str
    schema: Mapping[str, Any]
    example: Any
    read: Callable[[str], Any]
    default: Any = None
    is_json: bool = False

    def value(self, text: str | None) -> Any:
        """What the text of a request says; `InvalidInput` where it says nothing usable."""
        if text is None:
            return self.default
        try:
            return self.read(text)
        except (TypeError, ValueError) as error:
            raise InvalidInput(self.name, str(error)) from error


def text(name: str, description: str, *, example: str, default: str | None = None) -> Parameter:
    """A parameter that is taken as it comes and checked by the domain."""
    schema = {"type": "string"} | ({"default": default} if default else {})
    return Parameter(name, description, schema, example, str, default)


def moment(name: str, description: str, *, example: str) -> Parameter:
    """A parameter that is a moment in ISO 8601 with its offset, read by the domain."""
    return Parameter(name, description, {"type": "string", "format": "date-time"}, example, str)


def whole_number(
    name: str, description: str, *, least: int, most: int | None = None, default: int | None = None
) -> Parameter:
    """A parameter that is a whole number; the domain sees to its bounds."""
    bounds = {"minimum": least, "maximum": most, "default": default}
    schema = {"type": "integer"} | {name: bound for name, bound in bounds.items() if bound is not None}
    return Parameter(name, description, schema, least if default is None else default, _whole_number, default)


def choice(name: str, description: str, choices: Mapping[str, Any], *, default: str | None = None) -> Parameter:
    """A parameter that is one of a few words, each with its meaning."""

    def read(given: str) -> Any:
        if given not in choices:
            raise ValueError(f"{given!r:.40} is none of {', '.join(choices)}")
        return choices[given]

    schema = {"type": "string", "enum": list(choices)} | ({"default": default} if default else {})
    return Parameter(name, description, schema, next(iter(choices)), read, choices[default] if default else None)


def json_object(name: str, description: str, *, example: Mapping[str, Any]) -> Parameter:
    """A parameter that is a JSON object, percent-encoded like any text."""
    return Parameter(name, description, {"type": "object"}, example, _json_object, is_json=True)


def read_query(raw: str, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The values of all parameters of a route, from a query string as it was sent.

    API Gateway joins the values of a name that comes twice by commas, which a filter may hold itself: hence the raw
    string.

    Raises:
        InvalidInput: names the parameter that is unknown, comes twice or is unusable.
    """
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise InvalidInput("query", f"not a query string of UTF-8 text: {error}") from error
    known = {parameter.name for parameter in parameters}
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            listed = f"known are {', '.join(sorted(known))}" if known else "this route takes none"
            raise InvalidInput(f"{name:.80}", f"no such query parameter; {listed}")
        if name in given:
            raise InvalidInput(name, "comes twice; give it once")
        given[name] = value
    return {parameter.name: parameter.value(given.get(parameter.name)) for parameter in parameters}


def _whole_number(given: str) -> int:
    if not given.isascii() or not given.isdigit():
        raise ValueError(f"{given!r:.40} is not an integer")
    return int(given)


def _json_object(given: str) -> dict[str, Any]:
    try:
        parsed = json.loads(given)
        # Python reads NaN, infinities and halves of surrogate pairs, which are no JSON.
        canonical_json(parsed).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise TypeError(f"expected a JSON object, got {type(parsed).__name__}")
    return parsed
