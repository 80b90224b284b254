"""JSON values: what can be stored exactly, by which path a bad one is named, and the one text of a value.

The numbers that can be stored are DynamoDB's: up to 38 significant digits, magnitudes from 1e-130 to 9.99…e125.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agent_memory.core.errors import InvalidInput

Document = Mapping[str, Any]
"""A JSON object."""

MAX_DEPTH = 31  # DynamoDB nests 32 levels, and the attribute itself is one
_MAX_DIGITS = 38
_MAX_MAGNITUDE = Decimal("9.9999999999999999999999999999999999999e125")
_MIN_MAGNITUDE = Decimal("1e-130")

# Within these bounds a number needs no closer look.
_SAFE_INTEGER: int = 10**_MAX_DIGITS
_SAFE_MIN, _SAFE_MAX = 1e-129, 1e125
_STR = frozenset({str})

Path = str | tuple[Any, str | int]
"""A JSON Pointer, or the path of the parent with a member's name or index: text is made of it only when needed."""


def check(value: Any, path: str = "") -> None:
    """Check that a value can be stored and comes back as it was.

    Raises:
        InvalidInput: as `plain`.
    """
    plain(value, path)


def plain(value: Any, path: str = "") -> Any:
    """The same value of dictionaries, lists, tuples, `str`, `int`, `float`, `bool` and None only.

    Mappings of other classes become dictionaries; enumerations of texts or numbers and the like become those. Most
    values are returned as they are, neither changed nor copied.

    Raises:
        InvalidInput: names the JSON Pointer (RFC 6901) of what cannot be stored: a key that is not text or is empty,
            NaN or an infinity, a number outside DynamoDB's range, half of a surrogate pair, a type that JSON lacks,
            or more than 31 levels.
    """
    return value if _is_plain(value, MAX_DEPTH) else _plain(value, path, MAX_DEPTH)


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no spaces; `1`, `1.0` and `true` stay apart."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def pointer(path: Path) -> str:
    """The JSON Pointer of a path."""
    tokens: list[str] = []
    while not isinstance(path, str):
        path, token = path
        tokens.append(str(token).replace("~", "~0").replace("/", "~1"))
    return "/".join([path, *reversed(tokens)])


def are_plain_keys(keys: Collection[Any]) -> bool:
    """Whether all keys of an object can surely be stored as they are."""
    return {*map(type, keys)} <= _STR and "" not in keys and "".join(keys).isascii()


def checked_key(key: Any, path: Path) -> str:
    """A key of an object that can be stored, as plain text; else `InvalidInput`."""
    if not isinstance(key, str) or not key:
        raise InvalidInput(pointer(path), f"the key {key!r:.40} is not a text of at least one character")
    return checked_text(key, path)


def checked_text(value: str, path: Path) -> str:
    """A text that can be stored, as plain `str`; else `InvalidInput`."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(pointer(path), "the text holds half of a surrogate pair, which is not Unicode") from error
    return str.__str__(value)


def checked_integer(value: int, path: Path) -> int:
    """An integer that can be stored, as plain `int`; else `InvalidInput`."""
    number = int.__int__(value)
    if -_SAFE_INTEGER < number < _SAFE_INTEGER:
        return number
    # Decimal, since Python refuses to write an integer of thousands of digits as text.
    magnitude = abs(Decimal(number))
    if magnitude > _MAX_MAGNITUDE or len(str(abs(number)).rstrip("0")) > _MAX_DIGITS:
        raise InvalidInput(
            pointer(path), f"an integer of more than {_MAX_DIGITS} significant digits, or beyond 9.99…e125"
        )
    return number


def checked_float(value: float, path: Path) -> float:
    """A float that can be stored, as plain `float`; else `InvalidInput`."""
    number = float.__float__(value)
    magnitude = abs(number)
    if number == 0.0 or _SAFE_MIN < magnitude < _SAFE_MAX:
        return number
    if not math.isfinite(number):
        raise InvalidInput(pointer(path), f"{number} is not a JSON number")
    if not _MIN_MAGNITUDE <= Decimal(repr(magnitude)) <= _MAX_MAGNITUDE:
        raise InvalidInput(pointer(path), f"{number!r} is outside the range of numbers that DynamoDB holds")
    return number


def too_deep(path: Path) -> InvalidInput:
    """The error for a value below the deepest level that can be stored."""
    return InvalidInput(pointer(path), f"nested deeper than {MAX_DEPTH} levels")


def not_json(value: Any, path: Path) -> InvalidInput:
    """The error for a value of a type that JSON lacks."""
    return InvalidInput(pointer(path), f"{type(value).__name__} is not a JSON type")


def _is_plain(value: object, levels: int) -> bool:  # noqa: C901, PLR0912  a call per member would cost more than it
    """Whether a value can surely be stored as it is; False where it needs a closer look."""
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
    """The closer look, which converts, or names what cannot be stored."""
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
    raise not_json(value, path)


def _plain_members(members: Iterable[Any], paths: Sequence[Path], levels: int) -> list[Any]:
    if paths and levels == 0:
        raise too_deep(paths[0])
    return [_plain(member, path, levels - 1) for member, path in zip(members, paths, strict=True)]
