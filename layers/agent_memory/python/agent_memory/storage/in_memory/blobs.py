"""Objects in memory."""

import hashlib

from agent_memory.core.errors import Conflict
from agent_memory.core.forks import fork_safe_lock
from agent_memory.ports.blobs import Blob, ByteRange


class InMemoryBlobs:
    """`BlobStore` in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._replacing = fork_safe_lock()

    def read(self, key: str) -> bytes | None:
        """The object, or None if there is none."""
        return self._objects.get(key)

    def read_tagged(self, key: str) -> Blob | None:
        """The object, or None if there is none."""
        body = self._objects.get(key)
        return None if body is None else Blob(body, _tag(body))

    def restore(self, key: str) -> None:
        """Does nothing: memory has no cold storage."""

    def write(self, key: str, body: bytes) -> None:
        """Write an object, replacing an earlier one."""
        self._objects[key] = bytes(body)

    def replace(self, key: str, body: bytes, *, tag: str | None) -> str:
        """Write an object if the stored one has this tag; for None, if there is none."""
        with self._replacing:
            stored = self.read_tagged(key)
            if (stored.tag if stored else None) != tag:
                raise Conflict(f"{key} was written meanwhile; read it again")
            self.write(key, body)
        return _tag(body)

    def read_range(self, key: str, start: int, end: int | None = None) -> ByteRange | None:
        """The bytes from `start` up to, not including, `end`; None if there is no object."""
        body = self._objects.get(key)
        if body is None:
            return None
        first, last, _ = slice(start, end).indices(len(body))
        return ByteRange(body[first:last], first, len(body), _tag(body))

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        self._objects.pop(key, None)

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects with a prefix, sorted."""
        return sorted(key for key in list(self._objects) if key.startswith(prefix))

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, sorted, each ending in '/'."""
        rests = (key[len(prefix) :] for key in self._objects if key.startswith(prefix))
        return sorted({f"{prefix}{rest.split('/', 1)[0]}/" for rest in rests if "/" in rest})

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects with a prefix, or only count them; returns how many."""
        keys = self.list_keys(prefix)
        if not dry_run:
            for key in keys:
                del self._objects[key]
        return len(keys)


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
