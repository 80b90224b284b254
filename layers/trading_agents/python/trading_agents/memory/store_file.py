"""The file of a store: a verified file (see `core.files`) with the settings in its header and one item per line."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory import InvalidInput
from trading_agents.core.files import read_verified, write_verified
from trading_agents.memory.item import TradingMemoryItem

_FORMAT = "trading-memory/1"
_FIELDS = ("kind", "content", "score", "symbol", "timestamp", "metadata")


def write(path: Path, settings: Mapping[str, Any], items: Iterable[TradingMemoryItem]) -> None:
    """Write the settings and items of a store atomically.

    Raises:
        InvalidInput: metadata that JSON cannot represent; names the item. OSError: the file cannot be written.
    """
    lines = [_line(number, item) for number, item in enumerate(items)]
    write_verified(path, _FORMAT, "".join(lines).encode(), items=len(lines), settings=settings)


def read(path: Path) -> tuple[dict[str, Any], list[TradingMemoryItem]]:
    """Return the settings and items of a store.

    Raises:
        InvalidInput: the file is not a store, or is damaged. OSError: it cannot be read.
    """
    header, body = read_verified(path, _FORMAT, field="path", description="a trading memory")
    return header["settings"], [item_from_row(json.loads(line)) for line in body.splitlines()]


def item_to_row(item: TradingMemoryItem) -> list[Any]:
    """Return the fields of an item as a list."""
    return [getattr(item, name) for name in _FIELDS]


def item_from_row(row: Sequence[Any]) -> TradingMemoryItem:
    """Return the item with the fields that `item_to_row` returned."""
    return TradingMemoryItem(**dict(zip(_FIELDS, row, strict=True)))


def _line(number: int, item: TradingMemoryItem) -> str:
    try:
        return json.dumps(item_to_row(item), default=_numpy_scalar) + "\n"
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"/items/{number}/metadata", f"cannot be written as JSON: {error}") from error


def _numpy_scalar(value: object) -> Any:
    """Convert a NumPy scalar to the Python number that JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a value of type {type(value).__name__}")
