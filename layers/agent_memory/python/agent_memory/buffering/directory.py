"""The directory of a write-ahead log: its owner, its lock, the acknowledged position, and the segment files."""

import logging
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from agent_memory.core.errors import AgentMemoryError, Conflict, InvalidInput

_POSITION = struct.Struct("<QI")
_SUFFIX = ".wal"
_logger = logging.getLogger(__name__)


class LogDirectory:
    """Locks a directory for one agent and one logger at a time.

    Raises:
        InvalidInput: the directory belongs to another agent. Conflict: another logger uses it.
        AgentMemoryError: this platform has no file locks. OSError: it cannot be created or opened.
    """

    def __init__(self, path: Path, agent_id: str) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._owner = os.open(path / "owner", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._owner, path)
            _claim(self._owner, path, agent_id)
            self._position = os.open(path / "position", os.O_RDWR | os.O_CREAT, 0o600)
        except BaseException:
            os.close(self._owner)
            raise

    def close(self) -> None:
        """Release the directory."""
        os.close(self._position)
        os.close(self._owner)

    def position(self) -> int:
        """The sequence number of the first record that is not acknowledged; 0 if it is unknown.

        A number that is too low is harmless: the store recognises the records that it has.
        """
        data = os.pread(self._position, _POSITION.size, 0)
        if len(data) == _POSITION.size:
            sequence, checksum = _POSITION.unpack(data)
            if zlib.crc32(data[:8]) == checksum:
                return int(sequence)
        if data:
            _logger.warning("%s/position is damaged; all records in the directory are sent again", self.path)
        return 0

    def set_position(self, sequence: int) -> None:
        """Store the position. It is overwritten in place: the end of a process does not tear a write of a few bytes."""
        data = sequence.to_bytes(8, "little")
        os.pwrite(self._position, _POSITION.pack(sequence, zlib.crc32(data)), 0)

    def segments(self) -> list[int]:
        """The first sequence number of each segment, in order."""
        return sorted(int(file.stem) for file in self.path.glob(f"*{_SUFFIX}"))

    def segment(self, sequence: int) -> Path:
        """The file of the segment whose first sequence number this is."""
        return self.path / f"{sequence:020d}{_SUFFIX}"

    def sync(self) -> None:
        """Sync the directory itself, so that new files survive a power failure."""
        _sync(self.path)

    def sync_segment(self, sequence: int) -> None:
        """Sync a segment, so that its records survive a power failure. A segment that was deleted is ignored."""
        with suppress(FileNotFoundError):
            _sync(self.segment(sequence))


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _lock(file: int, path: Path) -> None:
    try:
        import fcntl  # noqa: PLC0415  not available on Windows
    except ImportError as error:
        raise AgentMemoryError("a buffered logger needs POSIX file locks, which this platform lacks") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Conflict(f"another logger uses {path}; use a separate directory for each process") from error


def _claim(file: int, path: Path, agent_id: str) -> None:
    owner = os.pread(file, 1024, 0).decode(errors="replace")
    if not owner:
        os.pwrite(file, agent_id.encode(), 0)
    elif owner != agent_id:
        raise InvalidInput("directory", f"{path} belongs to the agent {owner!r:.80}; use another one for {agent_id}")
