"""The write-ahead log of one agent: a queue of numbered records on disk."""

import logging
import os
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from agent_memory.buffering.directory import LogDirectory
from agent_memory.buffering.frames import OVERHEAD_BYTES, Damage, Record, decode_records, frame
from agent_memory.buffering.segments import SegmentReader, SegmentWriter, Window
from agent_memory.core.errors import InvalidInput, Unavailable

SEGMENT_BYTES = 8 << 20
_logger = logging.getLogger(__name__)


class WriteAheadLog:
    """Any thread may append, wait and sync; a single thread reads and acknowledges.

    Args:
        directory: created if it does not exist.
        agent_id: the agent that the directory belongs to.
        max_pending_bytes: the maximum size of pending records. The files may have up to one segment more, which is not
            deleted yet.
        segment_bytes: the maximum size of a segment, unless a single record is larger.

    Raises:
        InvalidInput, Conflict, AgentMemoryError: see `LogDirectory`. Unavailable: the disk cannot be read or written.
    """

    def __init__(
        self, directory: Path, agent_id: str, *, max_pending_bytes: int, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self._max_pending_bytes = max_pending_bytes
        self._segment_bytes = segment_bytes
        self._process = os.getpid()
        self._is_open = True
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._oldest_ms = 0
        try:
            self._directory = LogDirectory(directory, agent_id)
            try:
                self._recover()
            except BaseException:
                self._directory.close()
                raise
        except OSError as error:
            raise Unavailable(f"the buffer in {directory} cannot be opened: {error}") from error

    def _recover(self) -> None:
        """Find the first and the last record in the files of an earlier process."""
        position = self._directory.position()
        firsts = self._directory.segments() or [position]
        self.acknowledged = max(position, firsts[0])
        finished = [first for first, next_first in pairwise(firsts) if next_first <= self.acknowledged]
        for first in finished:
            self._directory.segment(first).unlink()
        self._firsts = deque(firsts[len(finished) :])
        size, next_sequence = self._recover_tail(self._firsts[-1])
        self.next_sequence = max(next_sequence, self.acknowledged)
        self._writer = SegmentWriter(self._directory.segment(self._firsts[-1]), size)
        self._reader = SegmentReader(self._directory.segment(self._firsts[0]), self._firsts[0])
        self._reader.seek(self.acknowledged)
        sizes = (self._directory.segment(first).stat().st_size for first in self._firsts)
        self._pending_bytes = sum(sizes) - self._reader.offset
        self._synced = self._unsynced_segment = self._firsts[0]
        self._directory.sync()
        self.read(1)  # sets the time of the oldest record

    def _recover_tail(self, first: int) -> tuple[int, int]:
        """The size of the last segment and the next sequence number; an incomplete last record is removed."""
        path = self._directory.segment(first)
        path.touch(mode=0o600)
        size, next_sequence = 0, first
        data = path.read_bytes()
        for item, end in decode_records(data, first, to_end=True):
            if end == len(data) and isinstance(item, Damage) and item.is_torn:
                _logger.warning("%s: removed %d bytes of an incomplete record", path, len(item.data))
                os.truncate(path, size)
                break
            size, next_sequence = end, item.sequence + 1
        return size, next_sequence

    # --- writing ---------------------------------------------------------------------------------

    def append(self, kind: bytes, payload: bytes, now_ms: int) -> bool:
        """Append a record; returns False if there is no space for it now.

        Raises:
            InvalidInput: the record is larger than the buffer.
            Unavailable: the disk cannot be written, or the log is closed.
        """
        size = OVERHEAD_BYTES + len(payload)
        if size > self._max_pending_bytes:
            raise InvalidInput("max_pending_bytes", f"a record of {size:,} bytes is larger than the buffer")
        with self._lock:
            self._check_open()
            if self._pending_bytes + size > self._max_pending_bytes:
                return False
            try:
                if 0 < self._writer.size > self._segment_bytes - size:
                    self._start_segment()
                self._writer.append(frame(Record(self.next_sequence, kind, now_ms, payload)))
            except OSError as error:
                raise Unavailable(f"the buffer in {self._directory.path} cannot be written: {error}") from error
            if not self._pending_bytes:
                self._oldest_ms = now_ms
            self._pending_bytes += size
            self.next_sequence += 1
        return True

    def _start_segment(self) -> None:
        writer = SegmentWriter(self._directory.segment(self.next_sequence))
        self._writer.close()
        self._writer = writer
        self._firsts.append(self.next_sequence)

    def sync(self) -> None:
        """Sync all records appended so far to disk, so that they survive a power failure. Blocks meanwhile.

        Raises:
            OSError: the disk cannot be written.
        """
        with self._sync_lock:
            with self._lock:
                written = self.next_sequence
                unsynced = [first for first in self._firsts if first >= self._unsynced_segment]
            if written == self._synced:
                return
            for first in unsynced:
                self._directory.sync_segment(first)
            if len(unsynced) > 1:
                self._directory.sync()
            self._synced = written
            self._unsynced_segment = unsynced[-1]

    # --- reading ---------------------------------------------------------------------------------

    def read(self, limit: int) -> Window:
        """The next records that are not acknowledged, at most `limit` and about a megabyte.

        Raises:
            OSError: the disk cannot be read.
        """
        while True:
            with self._lock:
                is_last = len(self._firsts) == 1
                written, next_sequence = self._writer.size, self.next_sequence
            window = self._reader.window(limit, written if is_last else self._reader.size())
            if window.items or is_last:
                break
            self._next_segment()
        if window.items and is_last and window.end == written:
            # Damage at the end does not show how many records it contained.
            window = replace(window, next_sequence=next_sequence)
        if window.items and isinstance(window.items[0], Record):
            self._oldest_ms = window.items[0].logged_ms
        return window

    def _next_segment(self) -> None:
        finished = self._reader
        first = self._firsts[1]
        if first > max(finished.sequence, self.acknowledged):
            _logger.error("%s: the records before %d are missing", self._directory.path, first)
        self._reader = SegmentReader(self._directory.segment(first), first)
        with self._lock:
            self._firsts.popleft()
        finished.close()
        finished.path.unlink()

    def acknowledge(self, window: Window) -> None:
        """Acknowledge the window that was read last, and complete the futures that waited for it.

        Raises:
            OSError: the disk cannot be written; the window is not acknowledged.
        """
        self._directory.set_position(window.next_sequence)
        with self._lock:
            self._pending_bytes -= window.end - self._reader.offset
            self._reader.skip(window)
            self.acknowledged = window.next_sequence
            due = [future for sequence, future in self._waiting if sequence <= self.acknowledged]
            self._waiting = [entry for entry in self._waiting if entry[0] > self.acknowledged]
        for future in due:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def when_acknowledged(self, sequence: int) -> Future[None]:
        """A future that completes when all records before this sequence number are acknowledged."""
        future: Future[None] = Future()
        with self._lock:
            self._check_open()
            if self.acknowledged >= sequence:
                future.set_result(None)
            else:
                self._waiting = [entry for entry in self._waiting if not entry[1].cancelled()]
                self._waiting.append((sequence, future))
        return future

    @property
    def is_urgent(self) -> bool:
        """Whether something waits for records to be acknowledged, or they fill half of the space."""
        return bool(self._waiting) or 2 * self._pending_bytes > self._max_pending_bytes

    # --- state -----------------------------------------------------------------------------------

    def pending(self) -> tuple[int, int, int | None]:
        """The number of pending records, their size in bytes, and when the oldest was logged (ms, None without any)."""
        with self._lock:
            count = self.next_sequence - self.acknowledged
            return count, self._pending_bytes, self._oldest_ms if count else None

    def close(self) -> None:
        """Sync and close the files; records that are not acknowledged remain in them."""
        with suppress(OSError):
            self.sync()
        with self._lock:
            self._is_open = False
            waiting, self._waiting = self._waiting, []
            self._writer.close()
            self._reader.close()
            self._directory.close()
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(Unavailable(f"the buffer in {self._directory.path} was closed"))

    def _check_open(self) -> None:
        if not self._is_open:
            raise Unavailable(f"the buffer in {self._directory.path} is closed")
        if os.getpid() != self._process:
            raise Unavailable(
                "a buffered logger cannot be used after a fork; create one in the child on another directory"
            )
