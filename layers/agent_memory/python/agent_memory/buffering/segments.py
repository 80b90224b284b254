"""Writing and reading a segment file of the write-ahead log."""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agent_memory.buffering.frames import Item, decode_records

# The number of bytes read at once, and so about the size of a request to the store.
_WINDOW_BYTES = 1 << 20


class SegmentWriter:
    """Appends to a segment. `size` is the end of the last complete record; later bytes are overwritten."""

    def __init__(self, path: Path, size: int = 0) -> None:
        self.size = size
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def append(self, data: bytes) -> None:
        """Append a record, completely or not at all.

        Raises:
            OSError: the disk is full or cannot be written.
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
    """Consecutive records. `end` is the offset after them, `next_sequence` the sequence number of the next record."""

    items: Sequence[Item]
    end: int
    next_sequence: int


class SegmentReader:
    """Reads a segment from an offset on; `sequence` is the expected sequence number of the record there."""

    def __init__(self, path: Path, sequence: int) -> None:
        self.path = path
        self.sequence = sequence
        self.offset = 0
        self._file = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def size(self) -> int:
        """The size of the file in bytes."""
        return os.fstat(self._file).st_size

    def window(self, limit: int, end: int) -> Window:
        """The next records, at most `limit` and about a megabyte, before the offset `end`."""
        data = os.pread(self._file, min(_WINDOW_BYTES, end - self.offset), self.offset)
        records = decode_records(data, self.sequence, to_end=self.offset + len(data) >= end)
        decoded = list(islice(records, limit))
        if data and not decoded:
            # The next record is larger than the window, or damaged: read the rest of the segment.
            data = os.pread(self._file, end - self.offset, self.offset)
            decoded = list(islice(decode_records(data, self.sequence, to_end=True), 1))
        if not decoded:
            return Window([], self.offset, self.sequence)
        items = [item for item, _ in decoded]
        return Window(items, self.offset + decoded[-1][1], items[-1].sequence + 1)

    def skip(self, window: Window) -> None:
        """Continue after a window."""
        self.offset, self.sequence = window.end, window.next_sequence

    def seek(self, sequence: int) -> None:
        """Continue at the first record with this sequence number or a higher one."""
        for item, end in decode_records(os.pread(self._file, self.size(), 0), self.sequence, to_end=True):
            if item.sequence >= sequence:
                return
            self.offset, self.sequence = end, item.sequence + 1
