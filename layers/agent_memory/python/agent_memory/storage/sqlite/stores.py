"""Opens the embedded stores, and removes what has expired in them."""

from collections.abc import Mapping
from pathlib import Path

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import Misconfigured
from agent_memory.core.keys import ARCHIVE_CHAIN
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.stores import Places, Stores
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.parquet.evidence import ParquetEvidence
from agent_memory.storage.sqlite.database import Database
from agent_memory.storage.sqlite.decisions import SqliteDecisions
from agent_memory.storage.sqlite.memories import SqliteMemories
from agent_memory.storage.sqlite.objects import FolderObjects
from agent_memory.storage.sqlite.short_term import SqliteShortTerm
from agent_memory.storage.sqlite.states import SqliteStates

_ROWS_AT_ONCE = 1_000
_PLACES = Places("SQLite", "SQLite", "Parquet files")


def sqlite_stores(path: Path | None, clock: Clock | None = None) -> Stores:
    """The stores in the SQLite file `path`, which is created if it does not exist, and in the folder `PATH-objects`.

    `None` is a database in memory, with its objects.

    Raises:
        InvalidInput: the file is not one of this package's. Misconfigured: it cannot be opened, or the folder with its
            archive is missing.
    """
    clock = clock or SystemClock()
    database = Database(path)
    blobs = InMemoryBlobs() if path is None else _objects_of(path, database)
    return Stores(
        decisions=SqliteDecisions(database, clock),
        memories=SqliteMemories(database),
        states=SqliteStates(database),
        blobs=blobs,
        archive=ParquetArchive(blobs),
        evidence=ParquetEvidence(blobs),
        short_term=SqliteShortTerm(database, clock),
        clock=clock,
        expiry=Expiry(database, blobs, clock),
        places=_PLACES,
    )


def _objects_of(path: Path, database: Database) -> FolderObjects:
    """The objects beside the file itself, also where `path` is a link to it.

    Raises:
        Misconfigured: the file was moved or copied without its folder. Its archive would be silently missing.
    """
    file = path.resolve()
    folder = file.with_name(f"{file.name}-objects")
    if not folder.exists():
        with database.reading() as connection:
            has_archive = connection.execute("SELECT 1 FROM states WHERE state_type = ? LIMIT 1", (ARCHIVE_CHAIN,))
            if has_archive.fetchone() and not folder.exists():  # another process may have created it meanwhile
                raise Misconfigured(
                    f"{folder} is missing, and has the archive of {path}: move it there, or create it empty to go on "
                    "without the archive"
                )
    return FolderObjects(folder, database)


class Expiry:
    """`ports.stores.Expiry`: removes expired rows, which no query returns, in short transactions."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def remove_expired(self) -> Mapping[str, int]:
        """The number of removed rows by table."""
        if isinstance(self._blobs, FolderObjects):
            self._blobs.remove_partial()
        return {table: self._remove(table) for table in ("decisions", "links", "short_term")}

    def remove_traces(self) -> None:
        """Rewrite the file, and empty its log."""
        self._database.remove_traces()

    def _remove(self, table: str) -> int:
        now_ms, removed = self._clock.now_ms(), 0
        while True:
            with self._database.writing() as connection:
                found = connection.execute(
                    f"DELETE FROM {table} WHERE rowid IN "
                    f"(SELECT rowid FROM {table} WHERE expires_ms <= ? LIMIT {_ROWS_AT_ONCE})",
                    (now_ms,),
                ).rowcount
            removed += found
            if found < _ROWS_AT_ONCE:
                return removed
