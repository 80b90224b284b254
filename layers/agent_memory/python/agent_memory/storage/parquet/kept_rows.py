"""The rows of the small evidence files that were read or written last, so that they are decoded once.

A nightly job reads an agent's evidence several times, and the job of the next day, in the same process, what this one
wrote. Files are known by their content: one that was replaced, or erased, is never found in place of another.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

from agent_memory.core.forks import fork_safe_lock
from agent_memory.model.evidence import Evidence

MAX_BYTES = 1_000_000
"""The most that the kept files have together."""
MAX_KEPT_ROWS = 20_000
"""About as many as files of so many bytes have."""


class KeptRows:
    """Rows by the content of their file. Threads may share it.

    Args:
        max_bytes: what the kept files may have together; a larger one is not kept.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._rows: OrderedDict[bytes, tuple[int, Sequence[Evidence]]] = OrderedDict()
        self._lock = fork_safe_lock()

    def of(self, body: bytes, decode: Callable[[], Sequence[Evidence]]) -> Sequence[Evidence] | None:
        """All rows of a file, which `decode` reads if they are not kept; None for a file that is too large to keep."""
        if len(body) > self._max_bytes:
            return None
        key = _key(body)
        rows = self._found(key)
        if rows is None:
            rows = decode()
            self._keep(key, len(body), rows)
        return rows

    def found(self, body: bytes) -> Sequence[Evidence] | None:
        """All rows of a file, if they are kept."""
        return self._found(_key(body)) if len(body) <= self._max_bytes else None

    def keep(self, body: bytes, rows: Sequence[Evidence]) -> None:
        """Keep the rows of a file that was written, if it is small enough."""
        if len(body) <= self._max_bytes:
            self._keep(_key(body), len(body), rows)

    def _found(self, key: bytes) -> Sequence[Evidence] | None:
        with self._lock:
            found = self._rows.get(key)
            if found:
                self._rows.move_to_end(key)
        return found[1] if found else None

    def _keep(self, key: bytes, size: int, rows: Sequence[Evidence]) -> None:
        with self._lock:
            self._rows[key] = (size, rows)
            self._rows.move_to_end(key)
            while sum(size for size, _ in self._rows.values()) > self._max_bytes:
                self._rows.popitem(last=False)


def _key(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
