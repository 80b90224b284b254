"""One segment file of the write-ahead log: the end that is written, and the end that is read."""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agent_memory.buffering.frames import Item, walk

# What is read at once, and so about what a request to the store holds.
_WINDOW_BYTES = 1 << 20


class SegmentWriter:
    """Appends to a segment. `size` counts what is wholly written; the next record goes there whatever lies behind."""

    def __init__(self, path: Path, size: int = 0) -> None:
        self.size = size
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def append(self, data: bytes) -> None:
        """Write a record, all of it or nothing.

        Raises:
            OSError: the disk is full or broken.
        """
        written = 0
        try:
            written = os.pwrite(self._file, data, self.size)
        finally:
            if written != len(data):
                with suppress(OSError):
                    os.ftruncate(self._file, self.size)
        if written != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size += len(data)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Window:
    """Some records in order. `end` is the offset behind them, `next_sequence` the number of what follows."""

    items: Sequence[Item]
    end: int
    next_sequence: int


class SegmentReader:
    """Reads a segment from an offset on; `sequence` is the number that the record there should have."""

    def __init__(self, path: Path, sequence: int) -> None:
        self.path = path
        self.sequence = sequence
        self.offset = 0
        self._file = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._file).st_size

    def window(self, limit: int, end: int) -> Window:
        """Up to `limit` records from here on, none beyond the offset `end`; about a megabyte at most."""
        data = os.pread(self._file, min(_WINDOW_BYTES, end - self.offset), self.offset)
        found = list(islice(walk(data, self.sequence, whole=self.offset + len(data) >= end), limit))
        if data and not found:
            # A record larger than the window, or damage: only the rest of the segment tells.
            data = os.pread(self._file, end - self.offset, self.offset)
            found = list(islice(walk(data, self.sequence, whole=True), 1))
        if not found:
            return Window([], self.offset, self.sequence)
        items = [item for item, _ in found]
        return Window(items, self.offset + found[-1][1], items[-1].sequence + 1)

    def pass_by(self, window: Window) -> None:
        """Go on behind a window."""
        self.offset, self.sequence = window.end, window.next_sequence

    def pass_to(self, sequence: int) -> None:
        """Go on to the first record that is not before this sequence number."""
        for item, end in walk(os.pread(self._file, self.size(), 0), self.sequence, whole=True):
            if item.sequence >= sequence:
                return
            self.offset, self.sequence = end, item.sequence + 1
