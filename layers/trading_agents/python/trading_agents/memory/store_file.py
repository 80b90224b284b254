"""Stores in files: a line about the store with a checksum of the rest, then a line of JSON an item."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory.core.errors import InvalidInput
from trading_agents.memory.item import TradingMemoryItem

_FORMAT = "trading-memory/1"
_FIELDS = ("kind", "content", "score", "symbol", "timestamp", "metadata")


def write(path: Path, settings: Mapping[str, Any], items: Iterable[TradingMemoryItem]) -> None:
    """Write a store: into a file beside `path`, flushed to disk, then renamed.

    Raises:
        InvalidInput: metadata that JSON cannot hold; names the item. OSError: the file cannot be written.
    """
    lines = [_line(number, item) for number, item in enumerate(items)]
    body = "".join(lines).encode()
    header = {"format": _FORMAT, "items": len(lines), "sha256": hashlib.sha256(body).hexdigest(), "settings": settings}
    write_whole(path, json.dumps(header).encode() + b"\n" + body)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one, whole. `OSError` where it fails."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def read(path: Path) -> tuple[dict[str, Any], list[TradingMemoryItem]]:
    """The settings and items of a store.

    Raises:
        InvalidInput: the file is not such a store, or damaged. OSError: it cannot be read.
    """
    header, body = read_checked(path, _FORMAT, field="path", what="a trading memory")
    return header["settings"], [item_of(json.loads(line)) for line in body.splitlines()]


def read_checked(path: Path, form: str, *, field: str, what: str) -> tuple[dict[str, Any], bytes]:
    """The header and the body of a file: a line of JSON with `format` and the body's `sha256`, then the body.

    Raises:
        InvalidInput: it is no such file, or damaged; names `field` and says `what` was looked for.
        OSError: it cannot be read.
    """
    first, _, body = path.read_bytes().partition(b"\n")
    try:
        header = json.loads(first)
        is_ours = header["format"] == form
    except (ValueError, TypeError, KeyError):
        is_ours = False
    if not is_ours:
        raise InvalidInput(field, f"{path} is not {what} of format {form}")
    if hashlib.sha256(body).hexdigest() != header["sha256"]:
        raise InvalidInput(field, f"{path} is damaged: its checksum is another")
    return header, body


def row_of(item: TradingMemoryItem) -> list[Any]:
    """An item as a list of its fields."""
    return [getattr(item, name) for name in _FIELDS]


def item_of(row: Sequence[Any]) -> TradingMemoryItem:
    """The item of such a list."""
    return TradingMemoryItem(**dict(zip(_FIELDS, row, strict=True)))


def _line(number: int, item: TradingMemoryItem) -> str:
    try:
        return json.dumps(row_of(item), default=_plain) + "\n"
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"/items/{number}/metadata", f"JSON cannot hold it: {error}") from error


def _plain(value: object) -> Any:
    """A number of numpy's as Python's own."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a value of type {type(value).__name__}")


def _flush_folder(folder: Path) -> None:
    """Make the renaming itself last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
