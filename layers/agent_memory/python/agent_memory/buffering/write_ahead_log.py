"""The write-ahead log of one agent: numbered records on disk, appended at one end and acknowledged at the other."""

import logging
import os
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from agent_memory.buffering.folder import Folder
from agent_memory.buffering.frames import OVERHEAD_BYTES, Damage, Record, frame, walk
from agent_memory.buffering.segments import SegmentReader, SegmentWriter, Window
from agent_memory.core.errors import InvalidInput, Unavailable

SEGMENT_BYTES = 8 << 20
_logger = logging.getLogger(__name__)


class WriteAheadLog:
    """Any thread may append, wait and sync; one thread reads and acknowledges.

    Args:
        directory: made where it does not exist.
        agent_id: the only agent that may use it.
        max_pending_bytes: what may wait in all. The disk holds up to one segment more, which is not yet deleted.
        segment_bytes: size at which the next segment is begun.

    Raises:
        InvalidInput, Conflict, AgentMemoryError: see `Folder`. Unavailable: the disk refused.
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
            self._folder = Folder(directory, agent_id)
            try:
                self._recover()
            except BaseException:
                self._folder.close()
                raise
        except OSError as error:
            raise Unavailable(f"the buffer in {directory} cannot be opened: {error}") from error

    def _recover(self) -> None:
        """Find both ends of what an earlier process left."""
        position = self._folder.position()
        found = self._folder.segments() or [position]
        self.acknowledged = max(position, found[0])
        done = [first for first, following in pairwise(found) if following <= self.acknowledged]
        for first in done:
            self._folder.segment(first).unlink()
        self._firsts = deque(found[len(done) :])
        size, following = self._recover_tail(self._firsts[-1])
        self.next_sequence = max(following, self.acknowledged)
        self._writer = SegmentWriter(self._folder.segment(self._firsts[-1]), size)
        self._reader = SegmentReader(self._folder.segment(self._firsts[0]), self._firsts[0])
        self._reader.pass_to(self.acknowledged)
        sizes = (self._folder.segment(first).stat().st_size for first in self._firsts)
        self._pending_bytes = sum(sizes) - self._reader.offset
        self._synced = self._unsynced_segment = self._firsts[0]
        self._folder.sync()
        self.read(1)  # tells when the oldest was logged

    def _recover_tail(self, first: int) -> tuple[int, int]:
        """Size of the last segment and the next sequence number; a record that was cut off is taken away."""
        path = self._folder.segment(first)
        path.touch(mode=0o600)
        size, following = 0, first
        data = path.read_bytes()
        for item, end in walk(data, first, whole=True):
            if end == len(data) and isinstance(item, Damage) and item.is_torn:
                _logger.warning("%s: took away %d bytes of a record that was cut off", path, len(item.data))
                os.truncate(path, size)
                break
            size, following = end, item.sequence + 1
        return size, following

    # --- writing ---------------------------------------------------------------------------------

    def append(self, kind: bytes, payload: bytes, now_ms: int) -> bool:
        """Write a record; False where there is no room for it now.

        Raises:
            InvalidInput: there will never be room. Unavailable: the disk refused it, or the log is closed.
        """
        size = OVERHEAD_BYTES + len(payload)
        if size > self._max_pending_bytes:
            raise InvalidInput("max_pending_bytes", f"a record of {size:,} bytes is larger than the whole buffer")
        with self._lock:
            self._check_open()
            if self._pending_bytes + size > self._max_pending_bytes:
                return False
            try:
                if 0 < self._writer.size > self._segment_bytes - size:
                    self._begin_segment()
                self._writer.append(frame(Record(self.next_sequence, kind, now_ms, payload)))
            except OSError as error:
                raise Unavailable(f"the buffer in {self._folder.path} cannot be written: {error}") from error
            if not self._pending_bytes:
                self._oldest_ms = now_ms
            self._pending_bytes += size
            self.next_sequence += 1
        return True

    def _begin_segment(self) -> None:
        writer = SegmentWriter(self._folder.segment(self.next_sequence))
        self._writer.close()
        self._writer = writer
        self._firsts.append(self.next_sequence)

    def sync(self) -> None:
        """Make everything appended so far survive a loss of power. Blocks for a disk's write.

        Raises:
            OSError: the disk refused.
        """
        with self._sync_lock:
            with self._lock:
                written = self.next_sequence
                unsynced = [first for first in self._firsts if first >= self._unsynced_segment]
            if written == self._synced:
                return
            for first in unsynced:
                self._folder.sync_segment(first)
            if len(unsynced) > 1:
                self._folder.sync()
            self._synced = written
            self._unsynced_segment = unsynced[-1]

    # --- reading ---------------------------------------------------------------------------------

    def read(self, limit: int) -> Window:
        """The next records that are not acknowledged, up to `limit` and about a megabyte.

        Raises:
            OSError: the disk refused.
        """
        while True:
            with self._lock:
                is_last = len(self._firsts) == 1
                written, following = self._writer.size, self.next_sequence
            window = self._reader.window(limit, written if is_last else self._reader.size())
            if window.items or is_last:
                break
            self._next_segment()
        if window.items and is_last and window.end == written:
            # Damage at the very end does not tell how many records it holds.
            window = replace(window, next_sequence=following)
        if window.items and isinstance(window.items[0], Record):
            self._oldest_ms = window.items[0].logged_ms
        return window

    def _next_segment(self) -> None:
        finished = self._reader
        following = self._firsts[1]
        if following > max(finished.sequence, self.acknowledged):
            _logger.error("%s: the records before %d are missing", self._folder.path, following)
        self._reader = SegmentReader(self._folder.segment(following), following)
        with self._lock:
            self._firsts.popleft()
        finished.close()
        finished.path.unlink()

    def acknowledge(self, window: Window) -> None:
        """Be done with a window, the last one read; whoever waited for that goes on.

        Raises:
            OSError: the disk refused; the window is still to be done.
        """
        self._folder.set_position(window.next_sequence)
        with self._lock:
            self._pending_bytes -= window.end - self._reader.offset
            self._reader.pass_by(window)
            self.acknowledged = window.next_sequence
            due = [future for sequence, future in self._waiting if sequence <= self.acknowledged]
            self._waiting = [entry for entry in self._waiting if entry[0] > self.acknowledged]
        for future in due:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def reached(self, sequence: int) -> Future[None]:
        """Done when every record before this sequence number is acknowledged."""
        future: Future[None] = Future()
        with self._lock:
            self._check_open()
            if self.acknowledged >= sequence:
                future.set_result(None)
            else:
                self._waiting = [entry for entry in self._waiting if not entry[1].cancelled()]
                self._waiting.append((sequence, future))
        return future

    # --- the whole -------------------------------------------------------------------------------

    def pending(self) -> tuple[int, int, int | None]:
        """How many records wait, their bytes, and when the oldest was logged (ms), None where none waits."""
        with self._lock:
            count = self.next_sequence - self.acknowledged
            return count, self._pending_bytes, self._oldest_ms if count else None

    def close(self) -> None:
        """Sync and close the files; what is not acknowledged stays in them."""
        with suppress(OSError):
            self.sync()
        with self._lock:
            self._is_open = False
            waiting, self._waiting = self._waiting, []
            self._writer.close()
            self._reader.close()
            self._folder.close()
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(Unavailable(f"the buffer in {self._folder.path} was closed"))

    def _check_open(self) -> None:
        if not self._is_open:
            raise Unavailable(f"the buffer in {self._folder.path} is closed")
        if os.getpid() != self._process:
            raise Unavailable("a buffered logger does not survive a fork; make one in the child, on its own directory")
