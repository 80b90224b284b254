"""Sizes of items by DynamoDB's rules.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import json
from collections.abc import Mapping
from typing import Any

_CONTAINER_BYTES = 3
_MEMBER_BYTES = 1


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item: the names of its attributes in UTF-8, and their values."""
    return sum([len(name.encode()) + value_size(value) for name, value in item.items()])


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of an attribute value. A list or map takes 3, and 1 for each member beside that itself."""
    size, pending = 0, [value]
    while pending:
        ((kind, raw),) = pending.pop().items()
        if kind == "S":
            size += len(raw.encode())
        elif kind == "N":
            size += _number_size(raw)
        elif kind == "M":
            size += _CONTAINER_BYTES + _MEMBER_BYTES * len(raw) + sum([len(name.encode()) for name in raw])
            pending += raw.values()
        elif kind == "L":
            size += _CONTAINER_BYTES + _MEMBER_BYTES * len(raw)
            pending += raw
        elif kind == "SS":
            size += _CONTAINER_BYTES + sum([_MEMBER_BYTES + len(one.encode()) for one in raw])
        else:
            size += 1
    return size


def fits(item: Mapping[str, Any], budget_bytes: int) -> bool:
    """Whether an item is surely not larger than a budget; most pass here without being measured.

    The JSON text of an attribute value is never shorter than its size by DynamoDB's rules.
    """
    return len(json.dumps(item, separators=(",", ":"))) <= budget_bytes


def _number_size(text: str) -> int:
    """About one byte for two significant digits, one more, and one for a sign."""
    digits = text.lower().partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
