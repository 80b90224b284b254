"""Stores large attributes of an item as objects in the bucket, and loads them when the item is read.

An object is written before the pointer to it, so that a pointer is never dangling. Objects are named by the digest of
their content, so that writing one again changes nothing.
"""

import hashlib
import json
from typing import Any

from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Damaged, TooLarge, Unavailable
from agent_memory.core.keys import large_part_key
from agent_memory.model.decisions import Decision, DecisionKey, Outcome
from agent_memory.model.listings import parsed
from agent_memory.model.records import largest_field
from agent_memory.ports.blobs import BlobStore
from agent_memory.storage.dynamodb.items import OFFLOADABLE, Item, fits, item_size, text, value_size

INSERT_BUDGET_BYTES = 350_000
"""Budget of a new item. It leaves space for the first outcome, which is added without reading the item."""
OUTCOME_BUDGET_BYTES = 48_000
ITEM_BUDGET_BYTES = 400_000
"""Budget of an entire item. DynamoDB's limit is 409,600 bytes."""

_POINTER = "_at"
_MIN_OFFLOADED_BYTES = 1_024


class LargeParts:
    """The large attributes of items, in a bucket. Without a bucket, an item that is too large is refused."""

    def __init__(self, blobs: BlobStore | None) -> None:
        self._blobs = blobs

    def offload_to_fit(self, key: DecisionKey, item: Item, budget_bytes: int) -> Item:
        """Offload the largest attributes of an item until the rest is within a budget; returns the remaining item.

        Raises:
            TooLarge: the item is too large and there is no bucket. Unavailable: the bucket did not respond.
        """
        if fits(item, budget_bytes):
            return item
        rest = dict(item)
        while item_size(rest) > budget_bytes:
            name = max((one for one in OFFLOADABLE if one in rest), key=lambda one: value_size(rest[one]), default=None)
            if self._blobs is None or name is None or value_size(rest[name]) < _MIN_OFFLOADED_BYTES:
                raise _too_large("decision", budget_bytes)
            body = json.dumps(rest.pop(name), separators=(",", ":")).encode()
            object_key = large_part_key(key.agent_id, key.decision_id, name, _digest(body))
            self._blobs.write(object_key, body)
            rest[f"{name}{_POINTER}"] = text(object_key)
        return rest

    def check_fits(self, one: Decision | Outcome, item: Item, budget_bytes: int) -> None:
        """Check that the item of a decision or an outcome is within a budget, unless a bucket takes what is not.

        Raises:
            TooLarge: names the field that takes the most space.
        """
        if self._blobs is None and not fits(item, budget_bytes) and item_size(item) > budget_bytes:
            raise _too_large(largest_field(one), budget_bytes)

    def load(self, items: list[Item]) -> list[Item | Unavailable]:
        """The items with their offloaded attributes, in order; for an item that cannot be read, its error.

        That is `Damaged` if an object is missing or differs from the digest in its name, and `Unavailable` if the
        bucket did not respond or there is none.
        """
        object_keys = [str(item[name].get("S")) for item in items for name in item if _attribute_of(name)]
        if not object_keys:
            return list(items)
        parts = dict(zip(object_keys, map_concurrently(self._part, object_keys), strict=True))
        return [_with_parts(item, parts) for item in items]

    def _part(self, object_key: str) -> Any:
        """The attribute value in an object, or the error of reading it."""
        try:
            return parsed(object_key, json.loads, self._read(object_key))
        except Unavailable as error:
            return error

    def _read(self, object_key: str) -> bytes:
        if self._blobs is None:
            raise Unavailable(f"a large part of a decision, {object_key}, cannot be read without an archive bucket")
        body = self._blobs.read(object_key)
        if body is None:
            raise Damaged(f"a large part of a decision, {object_key}, is missing in the archive bucket")
        if not object_key.endswith(f"-{_digest(body)}.json"):
            raise Damaged(f"a large part of a decision, {object_key}, differs from the digest in its name")
        return body


def _digest(body: bytes) -> str:
    """The part of the content's SHA-256 that an object is named by."""
    return hashlib.sha256(body).hexdigest()[:32]


def _too_large(field: str, budget_bytes: int) -> TooLarge:
    return TooLarge(field, f"larger than {budget_bytes:,} bytes; set an archive bucket for large parts")


def with_pointers(names: frozenset[str]) -> frozenset[str]:
    """The names of attributes and of the pointers that may replace them."""
    return names | {f"{name}{_POINTER}" for name in names}


_ATTRIBUTE_OF_POINTER = {f"{name}{_POINTER}": name for name in OFFLOADABLE}
_attribute_of = _ATTRIBUTE_OF_POINTER.get


def _with_parts(item: Item, parts: dict[str, Any]) -> Item | Unavailable:
    loaded: Item = {}
    for name, value in item.items():
        attribute = _attribute_of(name)
        part = parts[str(value.get("S"))] if attribute else value
        if isinstance(part, Unavailable):
            return part
        loaded[attribute or name] = part
    return loaded
