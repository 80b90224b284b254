"""Translates the errors of SQLite and of the file system into this package's."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from agent_memory.core.errors import AgentMemoryError, Damaged, Misconfigured, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_PRIMARY_CODE = 0xFF  # the rest of an extended code says more about its cause


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """Raise errors of the database or the file system as this package's errors; `name` is the file, for the message.

    Raises:
        Unavailable: the disk is full, or another process has held the database for too long. Misconfigured: the file
            cannot be written or opened. Damaged: the file is not a database, or a part of it was overwritten.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, name) from error
    except OSError as error:
        raise _translated_system_error(error, name) from error


def is_busy(error: BaseException) -> bool:
    """Whether the error is that another process uses the database."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _translated(error: sqlite3.Error, name: str) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of Python's own checks: a bug in a statement, not an outage
        return error
    match code & _PRIMARY_CODE:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Unavailable(f"{name} is in use by another process, which did not finish writing in time; try again")
        case sqlite3.SQLITE_FULL:
            return _no_space(name)
        case sqlite3.SQLITE_READONLY:
            return _read_only(name)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Misconfigured(f"{name} cannot be opened: check its folder and its permissions")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Damaged(f"{name} is not an intact SQLite database ({error}); restore it from a copy")
        case sqlite3.SQLITE_IOERR:
            return Unavailable(
                f"{name} cannot be read or written ({error}); the change was not made. "
                "The disk may be full or failing, or a limit on the size of files is reached"
            )
        case sqlite3.SQLITE_NOMEM | sqlite3.SQLITE_PROTOCOL | sqlite3.SQLITE_INTERRUPT:
            return Unavailable(f"{name} did not respond: {error}")
    return error


def _translated_system_error(error: OSError, name: str) -> AgentMemoryError:
    if error.errno in _FULL:
        return _no_space(name)
    if error.errno in _READ_ONLY:
        return _read_only(name)
    return Unavailable(f"{name} cannot be read or written: {error.strerror or error}")


def _no_space(name: str) -> Unavailable:
    return Unavailable(f"{name} cannot grow: the disk is full or its limit is reached; nothing was written. Free space")


def _read_only(name: str) -> Misconfigured:
    return Misconfigured(f"{name} is read-only: it can be read; to write, make the file and its folder writable")
