"""JSON values: the rule by which Python values become JSON, checks that they can be stored exactly, canonical text.

Every value that a caller passes is converted by `plain_json` before it reaches a store:

    passed                                                  stored
    ------------------------------------------------------  ----------------------------------------------
    None, bool, str, int, float, dict, list                 itself
    a subclass of str, int or float, such as a `StrEnum`    the str, int or float
    a member of another `Enum`, also as a key               its value, by this rule
    another mapping, a dataclass or pydantic instance       an object of its members or fields, by this rule
    a tuple, also a named one, a deque, another sequence    a list of its items, by this rule
    a numpy scalar of booleans, numbers or text             the bool, int, float or str of the same value
    a numpy array of them                                   a list, nested as its dimensions
    anything else                                           refused, with the JSON Pointer of the value

Dates, `Decimal`, UUIDs, bytes and sets are refused because JSON has no type for them and several texts would do: the
caller chooses one. Neither numpy nor pydantic is imported. Numbers have DynamoDB's limits: up to 38 significant digits,
magnitudes from 1e-130 to 9.99…e125.
"""

import json
import math
from collections import UserString
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from agent_memory.core.errors import InvalidInput, shown

T = TypeVar("T")

_decode = json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

Document = Mapping[str, Any]
"""A JSON object."""

MAX_DEPTH = 31  # DynamoDB allows 32 levels, and the attribute itself is one
_MAX_DIGITS = 38
_MAX_BITS = 420  # more than 9.99…e125 has
_MAX_MAGNITUDE = Decimal("9.9999999999999999999999999999999999999e125")
_MIN_MAGNITUDE = Decimal("1e-130")

# Numbers within these bounds need no exact check.
_SAFE_INTEGER: int = 10**_MAX_DIGITS
_SAFE_MIN, _SAFE_MAX = 1e-129, 1e125
_STR = frozenset({str})

# Sequences that are not lists of JSON values: binary data, text, and ranges, which may be longer than memory.
_NOT_LISTS = (bytes, bytearray, memoryview, UserString, range)

# The kinds of numpy's data types that have a JSON type: boolean, integers, float, text, any object.
_ARRAY_KINDS = frozenset("biufUO")

_ADVICE: Sequence[tuple[tuple[type, ...], str]] = (
    ((date, time), "pass its isoformat()"),
    ((timedelta,), "pass its total_seconds()"),
    ((Decimal,), "pass float(…), or str(…) to keep every digit"),
    ((UUID,), "pass str(…)"),
    ((bytes, bytearray, memoryview), "pass text, such as base64"),
    ((set, frozenset), "pass a sorted list"),
    ((range,), "pass a list"),
)
"""What to pass instead of common values that JSON has no type for."""

Path = str | tuple[Any, str | int]
"""A JSON Pointer, or the parent's path with a member's name or index, which becomes text only when it is needed."""


def check_json(value: Any, path: str = "") -> None:
    """Check that a value can be stored and read back as `plain_json` converts it.

    Raises:
        InvalidInput: as `plain_json`.
    """
    plain_json(value, path)


def plain_json(value: Any, path: Path = "") -> Any:
    """The value in terms of dictionaries, lists, `str`, `int`, `float`, `bool` and None, by the rule above.

    A value that consists of these already is returned without a copy.

    Raises:
        InvalidInput: names the JSON Pointer (RFC 6901) of a value that cannot be stored: a key that is not a string, is
            empty or occurs twice after the conversion, NaN or an infinity, a number outside DynamoDB's range, half of a
            surrogate pair, a type that JSON does not have, more than 31 levels, or an object that another thread
            changes meanwhile.
    """
    try:
        return value if is_plain(value) else _plain(value, path, MAX_DEPTH)
    except RuntimeError as error:
        raise InvalidInput(
            pointer(path), f"cannot be read: {error}; pass a copy of what other threads change"
        ) from error


def check_mapping(field: str, value: object) -> Mapping[Any, Any]:
    """Return a mapping, such as the arguments of a call, or raise `InvalidInput`. Its values are not converted."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise InvalidInput(field, f"expected a JSON object, got {type(value).__name__}")
    return value


def check_object(field: str, value: object, path: Path | None = None) -> Document:
    """Return a JSON object, or raise `InvalidInput`. Errors of its members are below `path`, by default `field`."""
    try:
        document = plain_json(value, field if path is None else path)
    except InvalidInput as error:
        raise error if error.field else error.with_field(field) from error
    if not isinstance(document, dict):
        raise InvalidInput(field, f"expected a JSON object, got {type(value).__name__}")
    return document


def canonical_json(value: Any) -> str:
    """The canonical JSON text of a value: sorted keys, no spaces; `1`, `1.0` and `true` remain distinct."""
    return _encode(value)


def parsed_json(text: str) -> Any:
    """The value of canonical JSON text; faster than `json.loads`, and without spaces around it.

    Raises:
        ValueError: it is not JSON.
    """
    value, end = _decode(text)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def pointer(path: Path) -> str:
    """The JSON Pointer of a path."""
    tokens: list[str] = []
    while not isinstance(path, str):
        path, token = path
        tokens.append(str(token).replace("~", "~0").replace("/", "~1"))
    return "/".join([path, *reversed(tokens)])


def are_plain_keys(keys: Collection[Any]) -> bool:
    """Whether all keys of an object can be stored unchanged; False where an exact check is needed."""
    return _STR.issuperset(map(type, keys)) and "" not in keys and "".join(keys).isascii()


def plain_keys(value: Mapping[Any, Any], path: Path) -> list[str]:
    """The keys of an object as plain `str`, in order.

    Raises:
        InvalidInput: a key is not a string, is empty, or occurs twice after the conversion.
    """
    keys = [_plain_key(key, path) for key in value]
    if len({*keys}) < len(keys):
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInput(pointer((path, repeated)), "several keys of the object become this one")
    return keys


def checked_text(value: str, path: Path) -> str:
    """A string as a plain `str`; `InvalidInput` if it cannot be stored."""
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(pointer(path), "the text contains half of a surrogate pair, which is not Unicode") from error
    return text


def checked_integer(value: int, path: Path) -> int:
    """An integer as a plain `int`; `InvalidInput` if it cannot be stored."""
    number = int.__int__(value)
    if -_SAFE_INTEGER < number < _SAFE_INTEGER:
        return number
    # The number of bits first, because Python refuses to convert an integer of thousands of digits to text.
    is_too_large = number.bit_length() > _MAX_BITS or abs(Decimal(number)) > _MAX_MAGNITUDE
    if is_too_large or len(str(abs(number)).rstrip("0")) > _MAX_DIGITS:
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


def as_json_type(value: Any, path: Path) -> Any:
    """The value of another class as one of a JSON type, whose members are not converted yet.

    Raises:
        InvalidInput: JSON has no type for it, or the value's own code failed.
    """
    converted = _guarded(lambda: _members_of(value), path, value)
    if type(converted) is type(value):
        advice = next((f"; {advice}" for kinds, advice in _ADVICE if isinstance(value, kinds)), "")
        raise InvalidInput(pointer(path), f"{type(value).__name__} is not a JSON type{advice}")
    return converted


def _members_of(value: Any) -> Any:
    """The value as a built-in class; the value itself if JSON has no type for it."""
    kind = type(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: value[key] for key in value}
    if is_dataclass(kind):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if callable(getattr(kind, "model_dump", None)):
        return value.model_dump()
    if isinstance(value, Sequence) and not isinstance(value, _NOT_LISTS):
        return list(value)
    if hasattr(kind, "__array_interface__") and value.dtype.kind in _ARRAY_KINDS:
        return value.tolist()
    return value


def _plain_key(key: Any, path: Path) -> str:
    while isinstance(key, Enum) and not isinstance(key, str):
        key = key.value
    # An error names the object; at the root, whose pointer is empty, it names the key.
    if not isinstance(key, str):
        raise InvalidInput(pointer(path) or f"/{shown(key)}", f"the key {shown(key)} is not a non-empty string")
    text = checked_text(key, path if path != "" else ("", ascii(str.__str__(key))[1:-1]))
    if not text:
        raise InvalidInput(pointer(path) or "/", "the key '' is not a non-empty string")
    return text


def _guarded(read: Callable[[], T], path: Path, value: object) -> T:
    """The result of code of the value's own class; whatever it raises is an error of the input."""
    try:
        return read()
    except Exception as error:
        message = f"{type(value).__name__} cannot be read: {type(error).__name__}: {error}"
        raise InvalidInput(pointer(path), f"{message:.200}") from error


def is_plain(value: object, levels: int = MAX_DEPTH) -> bool:  # noqa: C901, PLR0912  a call per member would cost more than it
    """Whether a value can be stored unchanged; False where an exact check is needed."""
    kind = type(value)
    if kind is dict:
        if levels == 0 or not are_plain_keys(value):  # type: ignore[arg-type]  # a dictionary
            return False
        members: Any = value.values()  # type: ignore[attr-defined]  # a dictionary
    elif kind is list:
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
        elif kind is dict or kind is list:
            if not is_plain(member, levels - 1):
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
    if type(value) is dict:
        value = value.copy()  # which no other thread changes between reading keys and members
        keys = plain_keys(value, path)
        return dict(zip(keys, _plain_members(value.values(), [(path, key) for key in keys], levels), strict=True))
    if type(value) in (list, tuple):
        return _plain_members(value, [(path, index) for index in range(len(value))], levels)
    return _plain(as_json_type(value, path), path, levels)


def _plain_members(members: Iterable[Any], paths: Sequence[Path], levels: int) -> list[Any]:
    if paths and levels == 0:
        raise too_deep_error(paths[0])
    return [_plain(member, path, levels - 1) for member, path in zip(members, paths, strict=True)]
