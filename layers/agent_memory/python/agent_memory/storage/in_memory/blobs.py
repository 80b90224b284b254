"""Objects in plain Python."""

import hashlib

from agent_memory.ports.blobs import Part


class InMemoryBlobs:
    """`BlobStore` in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        return self._objects.get(key)

    def restore(self, key: str) -> None:
        """Nothing: memory has no cold storage."""

    def write(self, key: str, body: bytes) -> None:
        """Write the object, replacing an earlier one."""
        self._objects[key] = bytes(body)

    def read_part(self, key: str, start: int, end: int | None = None) -> Part | None:
        """Bytes `start` up to, not including, `end`; a negative start counts from the end. None where there is none."""
        body = self._objects.get(key)
        if body is None:
            return None
        first, last, _ = slice(start, end).indices(len(body))
        return Part(body[first:last], first, len(body), hashlib.sha256(body).hexdigest())

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects below a prefix, in key order."""
        return sorted(key for key in list(self._objects) if key.startswith(prefix))

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, in key order, each ending in '/'."""
        below = (key[len(prefix) :] for key in self._objects if key.startswith(prefix))
        return sorted({f"{prefix}{rest.split('/', 1)[0]}/" for rest in below if "/" in rest})

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects below a prefix, or only count them; returns how many."""
        below = [key for key in self._objects if key.startswith(prefix)]
        if not dry_run:
            for key in below:
                del self._objects[key]
        return len(below)
