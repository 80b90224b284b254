"""JSON values as DynamoDB attribute values and back, exactly.

DynamoDB has one number type and forgets that `1.0` was a float. Whole floats are therefore listed,
by JSON Pointer (RFC 6901), beside the document, and come back as the floats they were.
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from agent_memory.errors import InvalidInput

MAX_DEPTH = 31  # DynamoDB nests 32 levels, and the attribute itself is one
_MAX_DIGITS = 38
_MAX_MAGNITUDE = Decimal("9.9999999999999999999999999999999999999e125")
_MIN_MAGNITUDE = Decimal("1e-130")
_PLAIN_MAX_INTEGER: int = 10**_MAX_DIGITS
_PLAIN_MIN, _PLAIN_MAX = 1e-129, 1e125

AttributeValue = dict[str, Any]


def encode(value: Any, path: str = "") -> tuple[AttributeValue, list[str]]:
    """A JSON value as an attribute value, with the pointers of its whole floats.

    Raises:
        InvalidInput: names the JSON Pointer of what cannot be stored: a key that is no text or is
            empty, NaN or an infinity, a number out of DynamoDB's range, a type that JSON lacks,
            or more than 31 levels.
    """
    whole_floats: list[str] = []
    return _encode(value, path, 0, whole_floats), whole_floats


def check(value: Any, path: str = "") -> None:
    """Raise what `encode` raises, at a fraction of its cost where there is nothing to raise.

    Raises:
        InvalidInput: as `encode`, with the same field and message.
    """
    if not _is_plain(value, MAX_DEPTH):
        encode(value, path)


def decode(value: AttributeValue, whole_floats: Sequence[str] = (), path: str = "") -> Any:
    """The JSON value that was encoded, given the same `whole_floats`."""
    return _decode(value, path, frozenset(whole_floats))


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no spaces; `1`, `1.0` and `true` stay apart."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def pointer(path: str, token: str | int) -> str:
    """The JSON Pointer of a member of what `path` points to."""
    return f"{path}/{str(token).replace('~', '~0').replace('/', '~1')}"


def _encode(value: Any, path: str, depth: int, whole_floats: list[str]) -> AttributeValue:
    if depth > MAX_DEPTH:
        raise InvalidInput(path, f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": _text(value, path)}
        case int():
            return {"N": _integer(value, path)}
        case float():
            return {"N": _float(value, path, whole_floats)}
        case Mapping():
            return {
                "M": {_name(k, path): _encode(v, pointer(path, k), depth + 1, whole_floats) for k, v in value.items()}
            }
        case list() | tuple():
            return {"L": [_encode(v, pointer(path, i), depth + 1, whole_floats) for i, v in enumerate(value)]}
    raise InvalidInput(path, f"{type(value).__name__} is not a JSON type")


def _is_plain(value: object, levels: int) -> bool:
    """Whether `encode` surely takes this value; False where it has to look closer."""
    if isinstance(value, str):
        return value.isascii() or _is_unicode(value)
    if isinstance(value, float):
        return value == 0.0 or _PLAIN_MIN < abs(value) < _PLAIN_MAX
    if isinstance(value, int):
        return -_PLAIN_MAX_INTEGER < value < _PLAIN_MAX_INTEGER
    if value is None:
        return True
    if levels == 0:
        return False
    if isinstance(value, dict):
        return all(
            isinstance(name, str) and name and _is_plain(name, 0) and _is_plain(member, levels - 1)
            for name, member in value.items()
        )
    return isinstance(value, (list, tuple)) and all(_is_plain(member, levels - 1) for member in value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(value: AttributeValue, path: str, whole_floats: frozenset[str]) -> Any:
    ((kind, raw),) = value.items()
    match kind:
        case "NULL":
            return None
        case "M":
            return {k: _decode(v, pointer(path, k), whole_floats) for k, v in raw.items()}
        case "L":
            return [_decode(v, pointer(path, i), whole_floats) for i, v in enumerate(raw)]
        case "N":
            return _number(raw, path, whole_floats)
    return raw


def _name(key: Any, path: str) -> str:
    if not isinstance(key, str) or not key:
        raise InvalidInput(path, f"the key {key!r:.40} is not a text of at least one character")
    return _text(key, path)


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(path, "the text holds half of a surrogate pair, which is not Unicode") from error
    return value


def _integer(value: int, path: str) -> str:
    if len(str(abs(value)).rstrip("0")) > _MAX_DIGITS or abs(value) > _MAX_MAGNITUDE:
        raise InvalidInput(path, f"an integer of more than {_MAX_DIGITS} significant digits cannot be stored")
    return str(value)


def _float(value: float, path: str, whole_floats: list[str]) -> str:
    if not math.isfinite(value):
        raise InvalidInput(path, f"{value} is not a JSON number")
    number = Decimal(float.__repr__(value))  # subclasses, as NumPy's, may show themselves otherwise
    if number and not _MIN_MAGNITUDE <= abs(number) <= _MAX_MAGNITUDE:
        raise InvalidInput(path, f"{value!r} is outside the range of numbers that DynamoDB holds")
    if value.is_integer():
        whole_floats.append(f"-{path}" if math.copysign(1.0, value) < 0 and value == 0 else path)
    return str(number)


def _number(raw: str, path: str, whole_floats: frozenset[str]) -> int | float:
    if path in whole_floats:
        return float(raw)
    if f"-{path}" in whole_floats:
        return -0.0
    number = Decimal(raw)
    return int(number) if number == number.to_integral_value() else float(raw)
