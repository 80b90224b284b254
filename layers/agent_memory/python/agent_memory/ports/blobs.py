"""The interface of a store of objects."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes of an object of `size` bytes, beginning at `start`. Ranges with the same `tag` are of the same version."""

    body: bytes
    start: int
    size: int
    tag: str


class BlobStore(Protocol):
    """Objects by key."""

    def read(self, key: str) -> bytes | None:
        """The object, or None if there is none; `InColdStorage` if it has to be restored first."""
        ...

    def restore(self, key: str) -> None:
        """Request that an object in cold storage be readable for a week; does nothing for other objects."""
        ...

    def read_range(self, key: str, start: int, end: int | None = None) -> ByteRange | None:
        """The bytes from `start` up to, not including, `end`; None if there is no object.

        A negative `start` counts from the end of the object. A range that exceeds the object is cut.
        """
        ...

    def write(self, key: str, body: bytes) -> None:
        """Write an object, replacing an earlier one."""
        ...

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects with a prefix, sorted."""
        ...

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, sorted, each ending in '/'."""
        ...

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects with a prefix and all their versions, or only count them; returns how many."""
        ...
