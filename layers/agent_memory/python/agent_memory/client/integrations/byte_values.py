"""Bytes under keys, in long-term memory: for frameworks that keep sessions as files of any size."""

import base64
import hashlib
import zlib
from collections.abc import Iterator
from typing import Any

from agent_memory.client.memory_manager import SyncMemoryManager
from agent_memory.core.errors import NotFound, Unavailable

_PART_CHARACTERS = 200_000
"""Of a memory, which is limited to 400 KB."""
_REPLACED = "replaced or deleted by the framework"


class ByteValues:
    """Values of one memory type. Every method blocks.

    A large value is stored in parts. A value is replaced by the one write that names its new parts: who reads
    meanwhile gets the old or the new one.
    """

    def __init__(self, memory: SyncMemoryManager, memory_type: str) -> None:
        self._memory = memory
        self._type = memory_type

    def write(self, key: str, data: bytes) -> None:
        """Store a value, in place of the one before."""
        before = self._head(key)
        text = base64.b64encode(zlib.compress(data)).decode()
        pieces = [text[start : start + _PART_CHARACTERS] for start in range(0, len(text), _PART_CHARACTERS)]
        parts = [f"part-{_digest(f'{key} {number} {piece}')}" for number, piece in enumerate(pieces)]
        for part, piece in zip(parts, pieces, strict=True):
            self._memory.store_ltm(self._type, part, {"content": piece})
        self._memory.store_ltm(self._type, _name(key), {"key": key, "parts": parts})
        self._delete(set(before["parts"] if before else ()) - set(parts))

    def read(self, key: str) -> bytes | None:
        """The value of a key; None if there is none.

        Raises:
            Unavailable: another process has replaced it meanwhile; read it again.
        """
        head = self._head(key)
        if head is None:
            return None
        try:
            pieces = [self._memory.get_ltm(self._type, part)["content"] for part in head["parts"]]
        except NotFound as error:
            raise Unavailable(f"{key} was replaced while it was read; read it again") from error
        return zlib.decompress(base64.b64decode("".join(pieces)))

    def delete(self, key: str) -> None:
        """Delete a value, if there is one."""
        head = self._head(key)
        if head is not None:
            self._delete([_name(key), *head["parts"]])

    def keys(self, prefix: str = "") -> list[str]:
        """The keys with a prefix, sorted."""
        return sorted(key for key in self._keys() if key.startswith(prefix))

    def _keys(self) -> Iterator[str]:
        found = self._memory.retrieve_ltm(self._type)
        if not found.complete:
            raise Unavailable(f"the keys cannot all be read: {found.missing[0]['why']}")
        return (one["key"] for one in found if "key" in one)

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            return self._memory.get_ltm(self._type, _name(key))
        except NotFound:
            return None

    def _delete(self, names: Any) -> None:
        for name in names:
            self._memory.delete_ltm(self._type, name, _REPLACED)


def _name(key: str) -> str:
    return f"key-{_digest(key)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
