"""The interface of a store of objects."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    """An object.

    Attributes:
        body: its bytes.
        tag: of its version: an object that is written again with other bytes has another tag.
    """

    body: bytes
    tag: str


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
        """The bytes of an object, or None if there is none; `InColdStorage` if it has to be restored first."""
        ...

    def read_tagged(self, key: str) -> Blob | None:
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

    def replace(self, key: str, body: bytes, *, tag: str | None) -> str:
        """Write an object if the stored one has this tag; for None, if there is none.

        Returns:
            The tag of what was written.

        Raises:
            Conflict: another writer came first.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
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
