"""Checks of arguments that several packages share. They convert the argument first, as `core.json_values` describes."""

from collections.abc import Sequence
from typing import Any, TypeVar

from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.json_values import Path, plain_json

T = TypeVar("T")


def check_integer(field: str, value: object, *, minimum: int, maximum: int | None = None) -> int:
    """Return an integer from `minimum` to `maximum`, both included. A boolean is not an integer.

    Raises:
        InvalidInput: not an integer, or out of bounds.
    """
    is_plain = type(value) is int and maximum is not None  # else it may have more digits than a store keeps
    number: Any = value if is_plain else plain_json(value, field)
    is_integer = isinstance(number, int) and not isinstance(number, bool)
    if is_integer and minimum <= number and (maximum is None or number <= maximum):
        return int(number)
    bounds = f"of {minimum:,} or more" if maximum is None else f"from {minimum:,} to {maximum:,}"
    raise InvalidInput(field, f"{shown(number)} is not an integer {bounds}")


def check_expected_version(version: object) -> int | None:
    """Return the version that a caller expects: None for any, 0 for no version yet; else raise `InvalidInput`."""
    return None if version is None else check_integer("expected_version", version, minimum=0)


def check_number(field: str, value: object, expected: str) -> float:
    """Return a number as a float, or raise `InvalidInput`, which says what was `expected`. A boolean is no number."""
    number = plain_json(value, field)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidInput(field, f"{shown(number)} is not {expected}")
    return float(number)


def check_propensity(field: str, value: object) -> float | None:
    """Return a probability over 0 and up to 1 as a float, None as it is, or raise `InvalidInput`."""
    if value is None:
        return None
    expected = "a probability over 0 and up to 1; what was chosen cannot have had the probability 0"
    propensity = check_number(field, value, expected)
    if not 0 < propensity <= 1:
        raise InvalidInput(field, f"{propensity!r} is not {expected}")
    return propensity


def check_boolean(field: str, value: object) -> bool:
    """Return true or false, or raise `InvalidInput`."""
    boolean = plain_json(value, field)
    if not isinstance(boolean, bool):
        raise InvalidInput(field, f"expected true or false, got {shown(boolean)}")
    return boolean


def check_length(field: str, items: Sequence[T], maximum: int) -> Sequence[T]:
    """Return a list of 1 to `maximum` items, or raise `InvalidInput`."""
    if not 1 <= len(items) <= maximum:
        raise InvalidInput(field, f"has {len(items)} items; send 1 to {maximum:,}")
    return items


def check_items(field: str, value: object) -> Sequence[Any]:
    """Return a list or another sequence, its items as they are, or raise `InvalidInput`."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
        raise InvalidInput(field, f"expected a list, got {type(value).__name__}")
    return value


def check_list(field: str, value: object, path: Path | None = None) -> list[Any]:
    """Return a list, or raise `InvalidInput`. Errors of its items are below `path`, by default `field`."""
    items = plain_json(value, field if path is None else path)
    if not isinstance(items, list):
        raise InvalidInput(field, f"expected a list, got {type(value).__name__}")
    return items


def check_text(field: str, value: object, maximum: int | None = None) -> str:
    """Return a string, of 1 to `maximum` characters if there is a maximum, or raise `InvalidInput`."""
    text = plain_json(value, field)
    if not isinstance(text, str):
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if maximum is not None and not 1 <= len(text) <= maximum:
        raise InvalidInput(field, f"has {len(text)} characters; use 1 to {maximum}")
    return text
