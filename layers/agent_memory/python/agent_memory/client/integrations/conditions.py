"""Conditions of a search on the fields of a value: equality, and the operators of LangGraph's stores."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from agent_memory.core.errors import InvalidInput

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def meets(value: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Whether the fields of a value meet all conditions. A field that is missing is None.

    Numbers are compared with numbers and texts with texts; any other order is not met.

    Raises:
        InvalidInput: there is no such operator.
    """
    return all(_meets(value.get(name), wanted, name) for name, wanted in conditions.items())


def _meets(own: Any, wanted: Any, field: str) -> bool:
    if not isinstance(wanted, Mapping):
        return _is_equal(own, wanted)
    if any(name.startswith("$") for name in wanted):
        return all(_compare(own, name, operand, field) for name, operand in wanted.items())
    return isinstance(own, Mapping) and all(
        _meets(own.get(name), one, f"{field}/{name}") for name, one in wanted.items()
    )


def _compare(own: Any, name: str, operand: Any, field: str) -> bool:
    if name not in _OPERATORS:
        raise InvalidInput(f"filter/{field}", f"{name} is none of the operators {', '.join(_OPERATORS)}")
    if name in {"$eq", "$ne"}:
        return _is_equal(own, operand) is (name == "$eq")
    return _have_order(own, operand) and _OPERATORS[name](own, operand)


def _is_equal(own: Any, wanted: Any) -> bool:
    """Equality of JSON values, of which true is not 1."""
    return isinstance(own, bool) == isinstance(wanted, bool) and bool(own == wanted)


def _have_order(own: Any, operand: Any) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (own, operand))
    return numbers or all(isinstance(one, str) for one in (own, operand))
