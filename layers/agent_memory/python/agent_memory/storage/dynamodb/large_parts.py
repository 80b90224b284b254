"""Moves large parts of an item to objects in the bucket, and back when the item is read.

The object is written first and the pointer to it afterwards, so that a reader never meets a pointer to nothing.
Objects are named by the digest of their content: writing one again changes nothing.
"""

import hashlib
import json

from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import TooLarge, Unavailable
from agent_memory.core.keys import large_part_key
from agent_memory.ports.blobs import BlobStore
from agent_memory.storage.dynamodb.items import Item, item_bytes, text

MAX_DECISION_BYTES = 10_000_000
"""More is refused: a decision is a record, not a store of data."""
INSERT_BUDGET_BYTES = 350_000
"""Room is left for the first outcome, which is added without reading the item."""
OUTCOME_BUDGET_BYTES = 48_000
ITEM_BUDGET_BYTES = 400_000
"""DynamoDB holds 409,600 bytes."""

_MOVABLE = (
    *("context", "reasoning", "metadata", "whole_floats"),
    *("outcome", "metrics", "outcome_whole_floats", "other_outcomes", "superseded_outcomes"),
)
_POINTER = "_at"
_WORTH_MOVING_BYTES = 1_024


class LargeParts:
    """The large parts of items, in a bucket. Without a bucket, an item that does not fit is refused."""

    def __init__(self, blobs: BlobStore | None) -> None:
        self._blobs = blobs

    def offload_to_fit(self, item: Item, budget_bytes: int, *, agent_id: str, decision_id: str) -> Item:
        """The item with its largest parts moved out until the rest fits a budget.

        Raises:
            TooLarge: it does not fit and there is no bucket. Unavailable: the bucket did not answer.
        """
        if check_size(item) <= budget_bytes:
            return item
        rest = dict(item)
        while item_bytes(rest) > budget_bytes:
            name = max((one for one in _MOVABLE if one in rest), key=lambda one: item_bytes(rest[one]), default=None)
            if self._blobs is None or name is None or item_bytes(rest[name]) < _WORTH_MOVING_BYTES:
                raise TooLarge(
                    "decision", f"larger than {budget_bytes:,} bytes; give an archive bucket, which takes large parts"
                )
            body = json.dumps(rest.pop(name), separators=(",", ":")).encode()
            key = large_part_key(agent_id, decision_id, name, hashlib.sha256(body).hexdigest()[:32])
            self._blobs.write(key, body)
            rest[f"{name}{_POINTER}"] = text(key)
        return rest

    def load(self, items: list[Item]) -> list[Item]:
        """The items with the parts that were moved out.

        Raises:
            Unavailable: the bucket did not answer, there is none, or it has lost a part.
        """
        wanted = [item[f"{name}{_POINTER}"]["S"] for item in items for name in _moved(item)]
        if not wanted:
            return items
        parts = dict(zip(wanted, map_concurrently(self._read, wanted), strict=True))
        return [_joined(item, parts) for item in items]

    def _read(self, key: str) -> bytes:
        body = self._blobs.read(key) if self._blobs is not None else None
        if body is None:
            raise Unavailable(f"a large part of a decision is not at {key} in the archive bucket")
        return body


def check_size(item: Item) -> int:
    """Bytes of an item; `TooLarge` where that is more than any decision may have."""
    size = item_bytes(item)
    if size > MAX_DECISION_BYTES:
        raise TooLarge(
            "decision", f"larger than {MAX_DECISION_BYTES:,} bytes; keep such data elsewhere and refer to it"
        )
    return size


def with_pointers(names: frozenset[str]) -> frozenset[str]:
    """Names of attributes together with those of the pointers that may stand for them."""
    return names | {f"{name}{_POINTER}" for name in names}


def _moved(item: Item) -> list[str]:
    return [name for name in _MOVABLE if f"{name}{_POINTER}" in item]


def _joined(item: Item, parts: dict[str, bytes]) -> Item:
    moved = _moved(item)
    if not moved:
        return item
    whole = dict(item)
    for name in moved:
        whole[name] = json.loads(parts[whole.pop(f"{name}{_POINTER}")["S"]])
    return whole
