"""Checks of arguments that several packages share."""

from collections.abc import Sequence
from typing import Any, TypeVar

from agent_memory.core.errors import InvalidInput

T = TypeVar("T")


def check_integer(field: str, value: object, *, minimum: int, maximum: int | None = None) -> int:
    """Return an integer from `minimum` to `maximum`, both included. A boolean is not an integer.

    Raises:
        InvalidInput: not an integer, or out of bounds.
    """
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if is_integer and minimum <= value and (maximum is None or value <= maximum):  # type: ignore[operator]  # an integer
        return value  # type: ignore[return-value]
    bounds = f"of {minimum:,} or more" if maximum is None else f"from {minimum:,} to {maximum:,}"
    raise InvalidInput(field, f"{value!r:.40} is not an integer {bounds}")


def check_expected_version(version: object) -> int | None:
    """Return the version that a caller expects: None for any, 0 for no version yet; else raise `InvalidInput`."""
    return None if version is None else check_integer("expected_version", version, minimum=0)


def check_length(field: str, items: Sequence[T], maximum: int) -> Sequence[T]:
    """Return a list of 1 to `maximum` items, or raise `InvalidInput`."""
    if not 1 <= len(items) <= maximum:
        raise InvalidInput(field, f"has {len(items)} items; send 1 to {maximum:,}")
    return items


def check_list(field: str, value: object) -> Sequence[Any]:
    """Return a list, or raise `InvalidInput`. Its items are not checked."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InvalidInput(field, f"expected a list, got {type(value).__name__}")
    return value


def check_text(field: str, value: object, maximum: int | None = None) -> str:
    """Return a string, of 1 to `maximum` characters if there is a maximum, or raise `InvalidInput`."""
    if not isinstance(value, str):
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if maximum is not None and not 1 <= len(value) <= maximum:
        raise InvalidInput(field, f"has {len(value)} characters; use 1 to {maximum}")
    return value
