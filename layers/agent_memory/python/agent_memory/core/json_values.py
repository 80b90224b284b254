"""JSON values: checks that they can be stored exactly, and their canonical text.

Numbers have DynamoDB's limits: up to 38 significant digits, magnitudes from 1e-130 to 9.99…e125.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agent_memory.core.errors import InvalidInput

Document = Mapping[str, Any]
"""A JSON object."""

MAX_DEPTH = 31  # DynamoDB allows 32 levels, and the attribute itself is one
_MAX_DIGITS = 38
_MAX_MAGNITUDE = Decimal("9.9999999999999999999999999999999999999e125")
_MIN_MAGNITUDE = Decimal("1e-130")

# Numbers within these bounds need no exact check.
_SAFE_INTEGER: int = 10**_MAX_DIGITS
_SAFE_MIN, _SAFE_MAX = 1e-129, 1e125
_STR = frozenset({str})

Path = str | tuple[Any, str | int]
"""A JSON Pointer, or the parent's path with a member's name or index, which becomes text only when it is needed."""


def check_json(value: Any, path: str = "") -> None:
    """Check that a value can be stored and read back unchanged.

    Raises:
        InvalidInput: as `plain_json`.
    """
    plain_json(value, path)


def plain_json(value: Any, path: str = "") -> Any:
    """The value in terms of dictionaries, lists, tuples, `str`, `int`, `float`, `bool` and None.

    Mappings of other classes become dictionaries, and subclasses of `str`, `int` and `float`, such as enumerations,
    become their base class. Most values are returned without a copy.

    Raises:
        InvalidInput: names the JSON Pointer (RFC 6901) of a value that cannot be stored: a key that is not a string or
            is empty, NaN or an infinity, a number outside DynamoDB's range, half of a surrogate pair, a type that JSON
            does not have, or more than 31 levels.
    """
    return value if _is_plain(value, MAX_DEPTH) else _plain(value, path, MAX_DEPTH)


def check_object(field: str, value: object) -> Document:
    """Return a JSON object, or raise `InvalidInput`. Its values are not checked."""
    if not isinstance(value, Mapping):
        raise InvalidInput(field, f"expected a JSON object, got {type(value).__name__}")
    return value


def canonical_json(value: Any) -> str:
    """The canonical JSON text of a value: sorted keys, no spaces; `1`, `1.0` and `true` remain distinct."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def mapping_as_dict(value: Any) -> Any:
    """Convert a mapping that is not a `dict`: the `default` of a JSON encoder.

    Raises:
        TypeError: the value is not a mapping.
    """
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def pointer(path: Path) -> str:
    """The JSON Pointer of a path."""
    tokens: list[str] = []
    while not isinstance(path, str):
        path, token = path
        tokens.append(str(token).replace("~", "~0").replace("/", "~1"))
    return "/".join([path, *reversed(tokens)])


def are_plain_keys(keys: Collection[Any]) -> bool:
    """Whether all keys of an object can be stored unchanged; False where an exact check is needed."""
    return {*map(type, keys)} <= _STR and "" not in keys and "".join(keys).isascii()


def checked_key(key: Any, path: Path) -> str:
    """A key as a plain `str`; `InvalidInput` if it cannot be stored."""
    if not isinstance(key, str) or not key:
        raise InvalidInput(pointer(path), f"the key {key!r:.40} is not a non-empty string")
    return checked_text(key, path)


def checked_text(value: str, path: Path) -> str:
    """A string as a plain `str`; `InvalidInput` if it cannot be stored."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(pointer(path), "the text contains half of a surrogate pair, which is not Unicode") from error
    return str.__str__(value)


def checked_integer(value: int, path: Path) -> int:
    """An integer as a plain `int`; `InvalidInput` if it cannot be stored."""
    number = int.__int__(value)
    if -_SAFE_INTEGER < number < _SAFE_INTEGER:
        return number
    # Decimal, because Python refuses to convert an integer of thousands of digits to text.
    magnitude = abs(Decimal(number))
    if magnitude > _MAX_MAGNITUDE or len(str(abs(number)).rstrip("0")) > _MAX_DIGITS:
        raise InvalidInput(
            pointer(path), f"the integer has more than {_MAX_DIGITS} significant digits or is beyond 9.99…e125"
        )
    return number


def checked_float(value: float, path: Path) -> float:
    """A float as a plain `float`; `InvalidInput` if it cannot be stored."""
    number = float.__float__(value)
    magnitude = abs(number)
    if number == 0.0 or _SAFE_MIN < magnitude < _SAFE_MAX:
        return number
    if not math.isfinite(number):
        raise InvalidInput(pointer(path), f"{number} is not a JSON number")
    if not _MIN_MAGNITUDE <= Decimal(repr(magnitude)) <= _MAX_MAGNITUDE:
        raise InvalidInput(pointer(path), f"{number!r} is outside DynamoDB's range of numbers")
    return number


def too_deep_error(path: Path) -> InvalidInput:
    """The error for a value below the deepest level that can be stored."""
    return InvalidInput(pointer(path), f"nested deeper than {MAX_DEPTH} levels")


def not_json_error(value: Any, path: Path) -> InvalidInput:
    """The error for a value of a type that JSON does not have."""
    return InvalidInput(pointer(path), f"{type(value).__name__} is not a JSON type")


def _is_plain(value: object, levels: int) -> bool:  # noqa: C901, PLR0912  a call per member would cost more than it
    """Whether a value can be stored unchanged; False where an exact check is needed."""
    if isinstance(value, dict):
        if levels == 0 or not are_plain_keys(value):
            return False
        members: Any = value.values()
    elif isinstance(value, list | tuple):
        if levels == 0:
            return False
        members = value
    else:
        members, levels = (value,), levels + 1
    for member in members:
        kind = type(member)
        if kind is str:
            if not member.isascii():
                return False
        elif kind is float:
            if not (member == 0.0 or _SAFE_MIN < abs(member) < _SAFE_MAX):
                return False
        elif kind is int:
            if not -_SAFE_INTEGER < member < _SAFE_INTEGER:
                return False
        elif kind is dict or kind is list or kind is tuple:
            if not _is_plain(member, levels - 1):
                return False
        elif kind is not bool and member is not None:
            return False
    return True


def _plain(value: Any, path: Path, levels: int) -> Any:
    """The exact check, which converts the value or names what cannot be stored."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return checked_text(value, path)
    if isinstance(value, int):
        return checked_integer(value, path)
    if isinstance(value, float):
        return checked_float(value, path)
    if isinstance(value, Mapping):
        keys = [checked_key(key, path) for key in value]
        return dict(zip(keys, _plain_members(value.values(), [(path, key) for key in keys], levels), strict=True))
    if isinstance(value, list | tuple):
        return _plain_members(value, [(path, index) for index in range(len(value))], levels)
    raise not_json_error(value, path)


def _plain_members(members: Iterable[Any], paths: Sequence[Path], levels: int) -> list[Any]:
    if paths and levels == 0:
        raise too_deep_error(paths[0])
    return [_plain(member, path, levels - 1) for member, path in zip(members, paths, strict=True)]
