"""What the domain asks of a store of objects."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of an object of `size` bytes, from `start` on. Two parts with one `tag` are of the same version of it."""

    body: bytes
    start: int
    size: int
    tag: str


class BlobStore(Protocol):
    """Whole objects under keys."""

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none; `InColdStorage` where it has to be restored first."""
        ...

    def restore(self, key: str) -> None:
        """Ask for an object in cold storage to be readable for a week; nothing happens to others."""
        ...

    def read_part(self, key: str, start: int, end: int | None = None) -> Part | None:
        """Bytes `start` up to, not including, `end`; a negative start counts from the end. None where there is none.

        A part that reaches beyond the object is cut to it.
        """
        ...

    def write(self, key: str, body: bytes) -> None:
        """Write the object, replacing an earlier one."""
        ...

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects below a prefix, in key order."""
        ...

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, in key order, each ending in '/'."""
        ...

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects below a prefix with all their versions, or only count these; returns how many."""
        ...
