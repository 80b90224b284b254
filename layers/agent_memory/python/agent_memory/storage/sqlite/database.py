"""`Database`: connections to one SQLite file, short transactions, and the version of its tables."""

import os
import sqlite3
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import NoReturn

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from agent_memory.core.errors import InvalidInput, Misconfigured, Unavailable
from agent_memory.core.forks import fork_safe_lock, innermost_lock
from agent_memory.storage.sqlite.errors import is_busy, translated_errors
from agent_memory.storage.sqlite.schema import APPLICATION_ID, MIGRATIONS, OLDEST_SQLITE

BUSY_SECONDS = 60.0
"""How long a statement waits for another process's transaction. Transactions take milliseconds."""

FIELD = "store"
_CACHED_STATEMENTS = 128
_IMMUTABLE = "&immutable=1"
_LATEST = len(MIGRATIONS)


class _Connection(sqlite3.Connection):
    """A connection that knows whether its commits are on disk when they return; None until it is set.

    One that `is_immutable` does not see what others write from then on, and is used once. A thread that uses a
    connection holds its lock: SQLite has locks of its own, which a fork amid a call would leave held in the child for
    ever, and that for all databases.
    """

    is_durable: bool | None = None
    is_immutable: bool = False
    lock: RLock


@dataclass(slots=True)
class _Connections:
    """The connections of one process: those that no thread uses at the moment, and the lock of its writers.

    A database in memory has a single one, which all threads use in turn.
    """

    name: str
    open: Callable[[], _Connection]
    is_single: bool
    process: int = field(default_factory=os.getpid)
    idle: list[_Connection] = field(default_factory=list)
    lock: RLock = field(default_factory=fork_safe_lock)  # SQLite believes that inherited transactions go on
    last_writer: Callable[[], _Connection | None] = lambda: None

    def take(self) -> _Connection:
        """A connection that no other thread uses."""
        if self.is_single:
            return self.idle[0]
        try:
            connection = self.idle.pop()
        except IndexError:
            connection = self.open()
        connection.lock.acquire()
        return connection

    def undo_abandoned(self) -> None:
        """Undo the transaction of a writer that an interrupt has ended amid its end. Needs the lock of the writers."""
        connection = self.last_writer()
        try:
            is_abandoned = connection is not None and connection.in_transaction
        except sqlite3.ProgrammingError:  # it was closed after an error
            return
        if connection is not None and is_abandoned:
            _undo(connection)

    def put_back(self, connection: _Connection, error: BaseException | None) -> None:
        """Keep a connection for the next use, unless this one ended with an error of the database."""
        if self.is_single:
            return
        is_usable = not isinstance(error, sqlite3.Error) and not connection.is_immutable
        try:
            if not is_usable:
                connection.close()
        finally:
            connection.lock.release()
        if is_usable:
            self.idle.append(connection)


_opening = innermost_lock()

# A connection must not be used, nor closed, in a process that inherited it by a fork.
_inherited: list[_Connections] = []


class Database:
    """One SQLite database: a file, or in memory for `path=None`. Thread-safe; processes may share a file.

    A thread has a connection for itself while it works. Writers of a process wait for each other in turn, and for those
    of other processes at most `BUSY_SECONDS`. Readers never wait: the journal is a write-ahead log (WAL). A commit is
    on disk when it returns, unless it is not `durable`.

    Raises:
        InvalidInput: the file belongs to another program, or its folder does not exist.
        Misconfigured: it cannot be opened, or a newer version of this package has written it.
    """

    def __init__(self, path: Path | None) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            needed = ".".join(map(str, OLDEST_SQLITE))
            raise Misconfigured(f"Python's SQLite is {sqlite3.sqlite_version}; {needed} or later is needed")
        self.path = None if path is None else path.absolute()
        self.name = "the database in memory" if path is None else str(path)
        if self.path is not None and not self.path.parent.is_dir():
            raise InvalidInput(FIELD, f"the folder {self.path.parent} does not exist; create it")
        self._connections = self._new_connections()
        self._finalizer = weakref.finalize(self, _close_all, self._connections)
        with translated_errors(self.name):
            self._prepare()

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for queries. They are read to their end before it is returned, so that no reader blocks."""
        return _Reading(self._of_this_process())

    def writing(self, *, durable: bool = True) -> AbstractContextManager[sqlite3.Connection]:
        """A connection in a transaction, which is committed at the end, and undone if an error is raised.

        A power failure may undo the last transactions that are not `durable`; the end of the process does not.
        """
        return _Writing(self._of_this_process(), durable=durable)

    def remove_traces(self) -> None:
        """Rewrite the file, and empty its log: deleted rows leave their bytes in both.

        Takes as long as copying the file, and as much space twice; other writers wait meanwhile.

        Raises:
            Unavailable: another process reads from the log, or the disk is full; calling it again continues.
        """
        if self.path is None:
            return
        with self.reading() as connection:
            connection.execute("VACUUM")
            is_blocked, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_blocked:
            raise Unavailable(f"another process reads {self.name}, whose log has traces of what was erased; try again")

    def close(self) -> None:
        """Close the connections that are not in use; the database can be used again."""
        _close_all(self._of_this_process())

    def _of_this_process(self) -> _Connections:
        if self._connections.process != os.getpid():
            inherited = self._connections
            _inherited.append(inherited)
            self._connections = self._new_connections()
            if self.path is None:  # memory is copied by a fork; a file is opened again
                self._connections.idle += inherited.idle
            self._finalizer.detach()
            self._finalizer = weakref.finalize(self, _close_all, self._connections)
        return self._connections

    def _new_connections(self) -> _Connections:
        # They must not refer to the database, whose end closes them.
        return _Connections(self.name, partial(_open, self.path), is_single=self.path is None)

    def _prepare(self) -> None:
        """Create or migrate the tables, unless they are those of this version."""
        connection = _open(self.path)
        with connection.lock:
            self._prepare_with(connection)
            if connection.is_immutable:
                connection.close()
                return
        self._connections.idle.append(connection)

    def _prepare_with(self, connection: _Connection) -> None:
        try:
            is_old = _version(connection, self.name) < _LATEST
            if self.path is not None and (is_old or _lost_its_log(connection, self.path)):
                _use_write_ahead_log(connection)
            if is_old:
                for number, script in enumerate(MIGRATIONS):
                    _migrate(connection, number, script)
        except BaseException:
            connection.close()
            raise


def _open(path: Path | None) -> _Connection:
    name = ":memory:" if path is None else _uri(path.resolve())  # a link has its log beside the file itself
    with _opening:
        connection = sqlite3.connect(
            name,
            uri=path is not None,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
            factory=_Connection,
        )
    connection.lock = innermost_lock()
    connection.is_immutable = name.endswith(_IMMUTABLE)
    return connection


def _uri(path: Path) -> str:
    """The file as a URI that says how it may be opened."""
    if not path.exists() or os.access(path, os.W_OK):
        return f"{path.as_uri()}?mode=rwc"
    has_log = path.with_name(f"{path.name}-wal").exists()
    # Without a log that it may write to, SQLite reads a file only if nothing can change it meanwhile.
    is_fixed = not has_log and not os.access(path.parent, os.W_OK)
    return f"{path.as_uri()}?mode=ro{_IMMUTABLE if is_fixed else ''}"


# The next two are classes and not generators, which would cost as much as a query of one row. An interrupt, as by
# Ctrl-C, may come amid their steps: a lock is therefore held by a generator, and what is dropped undoes itself.


def _holding(lock: RLock) -> Generator[None]:
    """Take a lock at the first step, and hold it until the generator is closed or dropped."""
    with lock:
        yield


class _Reading:
    """A connection for one query: `Database.reading`."""

    __slots__ = ("_connection", "_connections", "_turn")

    def __init__(self, connections: _Connections) -> None:
        self._connections = connections

    def __enter__(self) -> sqlite3.Connection:
        connections = self._connections
        if connections.is_single:
            self._turn = _holding(connections.lock)
            next(self._turn)
        try:
            self._connection = connections.take()
        except sqlite3.Error as error:
            _raise_translated(error, connections.name)
        return self._connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        connections = self._connections
        connections.put_back(self._connection, error)
        if connections.is_single:
            self._turn.close()
        if isinstance(error, sqlite3.Error | OSError):
            _raise_translated(error, connections.name)


class _Writing:
    """A connection in a transaction: `Database.writing`."""

    __slots__ = ("_connection", "_connections", "_durable", "_turn")

    def __init__(self, connections: _Connections, *, durable: bool) -> None:
        self._connections = connections
        self._durable = durable

    def __enter__(self) -> sqlite3.Connection:
        connections, durable = self._connections, self._durable
        turn = self._turn = _holding(connections.lock)
        try:
            next(turn)
            connections.undo_abandoned()
            connection = self._connection = connections.take()
            try:
                connections.last_writer = weakref.ref(connection)
                if connection.is_durable is not durable:
                    connection.is_durable = None
                    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                    connection.is_durable = durable
                connection.execute("BEGIN IMMEDIATE")
            except BaseException as error:
                if connection.in_transaction:
                    _undo(connection)
                connections.put_back(connection, error)
                raise
        except BaseException as error:
            turn.close()
            _raise_translated(error, connections.name)
        return connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        connections, connection = self._connections, self._connection
        try:
            if error is None:
                try:
                    connection.execute("COMMIT")
                except sqlite3.Error as failure:
                    error = failure
            if error is not None and connection.in_transaction:
                _undo(connection)
            connections.put_back(connection, error)
        finally:
            self._turn.close()
        if isinstance(error, sqlite3.Error | OSError):
            _raise_translated(error, connections.name)


def _raise_translated(error: BaseException, name: str) -> NoReturn:
    """Raise an error of the database or the file system as this package's, and any other as it is."""
    with translated_errors(name):
        raise error


def _undo(connection: sqlite3.Connection) -> None:
    """Undo a transaction after an error, which says more than one of undoing: SQLite undoes the rest when it opens."""
    with suppress(sqlite3.Error):
        connection.execute("ROLLBACK")


@contextmanager
def _undone_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:
            _undo(connection)
        raise


def _version(connection: sqlite3.Connection, name: str) -> int:
    """The version of the tables; 0 for an empty file."""
    # In one transaction, since another process may create the tables meanwhile.
    connection.execute("BEGIN")
    with _undone_on_error(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        connection.execute("COMMIT")
    if application != APPLICATION_ID and (application or version or tables):
        raise InvalidInput(FIELD, f"{name} is the SQLite database of another program; name another file")
    if version > _LATEST:
        raise Misconfigured(
            f"{name} was written by a newer version of agent-memory (its tables have version {version}, this one knows "
            f"{_LATEST}); upgrade the package"
        )
    return int(version)


def _lost_its_log(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a file has no write-ahead log any more, as a copy by `VACUUM INTO`, and can have one again."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    return mode != "wal" and os.access(path, os.W_OK)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait for other processes here, so this does."""
    for attempt in Retrying(
        retry=retry_if_exception(is_busy),
        wait=wait_random_exponential(multiplier=0.01, max=0.5),
        stop=stop_after_delay(BUSY_SECONDS),
        reraise=True,
    ):
        with attempt:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise Unavailable(f"this file system does not support the write-ahead log of SQLite (its mode is {mode})")


def _migrate(connection: sqlite3.Connection, number: int, script: str) -> None:
    """Apply a migration unless another process has: each is one transaction, with the version that it leads to."""
    connection.execute("BEGIN IMMEDIATE")
    with _undone_on_error(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == number:
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")


def _close_all(connections: _Connections) -> None:
    if connections.process != os.getpid():
        return
    while connections.idle:
        connections.idle.pop().close()


def prefix_bounds(prefix: str) -> tuple[str, str]:
    """The first text with a prefix, and the end of those with it, for an index of UTF-8 text."""
    return prefix, f"{prefix}\U0010ffff"
