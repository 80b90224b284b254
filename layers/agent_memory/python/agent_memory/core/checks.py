"""Checks of arguments that several packages share."""

from collections.abc import Sequence
from typing import TypeVar

from agent_memory.core.errors import InvalidInput

T = TypeVar("T")


def check_integer(field: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return an integer from `least` to `most`, both included. A boolean is not an integer.

    Raises:
        InvalidInput: not an integer, or out of bounds.
    """
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if is_integer and least <= value and (most is None or value <= most):  # type: ignore[operator]  # an integer
        return value  # type: ignore[return-value]
    bounds = f"of {least:,} or more" if most is None else f"from {least:,} to {most:,}"
    raise InvalidInput(field, f"{value!r:.40} is not an integer {bounds}")


def check_expected_version(version: object) -> int | None:
    """Return the version that a caller expects: None for any, 0 for no version yet; else raise `InvalidInput`."""
    return None if version is None else check_integer("expected_version", version, least=0)


def check_length(field: str, items: Sequence[T], most: int) -> Sequence[T]:
    """Return a list of 1 to `most` items, or raise `InvalidInput`."""
    if not 1 <= len(items) <= most:
        raise InvalidInput(field, f"has {len(items)} items; send 1 to {most:,}")
    return items
