"""Objects as files in a folder beside the database, under the paths of their keys.

An object is written to another file first, which then replaces the earlier one, so that a reader finds either of them.
"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent_memory.core.errors import Conflict, InvalidInput, shown
from agent_memory.ports.blobs import Blob, ByteRange
from agent_memory.storage.sqlite.database import Database
from agent_memory.storage.sqlite.errors import translated_errors

# No part of a key begins or ends with `~`. File systems limit a name to 255 bytes: a longer one continues in a folder.
# Names of dots, which ids of memories may be, would be other folders.
_CONTINUES = "~"
_DOTS = {".": "~.", "..": "~.."}
_DOTS_OF = {name: dots for dots, name in _DOTS.items()}
_NO_KEY = re.compile(r"[\x00-\x1f\x7f]|(^|/)[~/]|~(/|$)" + (r"|[\\:]" if os.name == "nt" else ""))
_PARTIAL = "~partial"
_MAX_NAME = 200
_PARTIAL_SECONDS = 24 * 3600


class FolderObjects:
    """`BlobStore` in a folder, which is created with its first object. The database's lock orders its writers."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder.absolute()
        self._database = database

    def read(self, key: str) -> bytes | None:
        """The object, or None if there is none."""
        with translated_errors(str(self.folder)):
            try:
                return self._path(key).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None

    def read_tagged(self, key: str) -> Blob | None:
        """The object, or None if there is none."""
        body = self.read(key)
        return None if body is None else Blob(body, _tag(body))

    def restore(self, key: str) -> None:
        """Does nothing: a folder has no cold storage."""

    def read_range(self, key: str, start: int, end: int | None = None) -> ByteRange | None:
        """The bytes from `start` up to, not including, `end`; None if there is no object."""
        body = self.read(key)
        if body is None:
            return None
        first, last, _ = slice(start, end).indices(len(body))
        return ByteRange(body[first:last], first, len(body), _tag(body))

    def write(self, key: str, body: bytes) -> None:
        """Write an object, replacing an earlier one."""
        with self._writing():
            self._write(key, body)

    def replace(self, key: str, body: bytes, *, tag: str | None) -> str:
        """Write an object if the stored one has this tag; for None, if there is none."""
        with self._writing():
            stored = self.read_tagged(key)
            if (stored.tag if stored else None) != tag:
                raise Conflict(f"{key} was written meanwhile; read it again")
            self._write(key, body)
        return _tag(body)

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects with a prefix, sorted."""
        with translated_errors(str(self.folder)):
            return sorted(key for key in self._keys_near(prefix) if key.startswith(prefix))

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, sorted, each ending in '/'."""
        rests = (key[len(prefix) :] for key in self.list_keys(prefix))
        return sorted({f"{prefix}{rest.split('/', 1)[0]}/" for rest in rests if "/" in rest})

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects with a prefix, or only count them; returns how many."""
        if dry_run:
            return len(self.list_keys(prefix))
        with self._writing():
            keys = self.list_keys(prefix)
            for key in keys:
                self._remove(self._path(key))
            return len(keys)

    def delete(self, key: str) -> None:
        """Delete an object; does nothing if there is none."""
        with self._writing():
            self._remove(self._path(key))

    def remove_partial(self) -> None:
        """Remove files that a process left unfinished when it was killed, once they are a day old."""
        with translated_errors(str(self.folder)):
            for path in (self.folder / _PARTIAL).glob("*"):
                with suppress(FileNotFoundError):  # another process has finished it meanwhile
                    if time.time() - path.stat().st_mtime > _PARTIAL_SECONDS:
                        path.unlink()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other writers of objects out, those of other processes included."""
        with self._database.writing(durable=False), translated_errors(str(self.folder)):
            yield

    def _path(self, key: str) -> Path:
        """The file of an object, which is always below the folder: keys may come from another's export."""
        if _NO_KEY.search(key):
            raise InvalidInput("key", f"{shown(key, 80)} is not the key of an object")
        return self.folder.joinpath(*(part for segment in key.split("/") for part in _parts(segment)))

    def _write(self, key: str, body: bytes) -> None:
        path, partial = self._path(key), self.folder / _PARTIAL / secrets.token_hex(8)
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def _keys_near(self, prefix: str) -> Iterator[str]:
        """The keys of the objects in the folder that a prefix leads to, and below it."""
        for directory, folders, names in os.walk(self._path(prefix.rpartition("/")[0]), onerror=_raise_unless_gone):
            folders[:] = [name for name in folders if name != _PARTIAL]
            for name in names:
                parts = Path(directory, name).relative_to(self.folder).parts
                yield "/".join(_DOTS_OF.get(part, part) for part in parts).replace(f"{_CONTINUES}/", "")

    def _remove(self, path: Path) -> None:
        """Remove a file, and the folders that it leaves empty."""
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return
        for parent in path.parents:
            if parent == self.folder or any(parent.iterdir()):
                return
            parent.rmdir()


def _raise_unless_gone(error: OSError) -> None:
    """Raise an error of a folder that cannot be listed: its objects would be missing without a word."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _parts(segment: str) -> list[str]:
    """The names of the folders and the file that stand for a part of a key between two slashes."""
    if segment in _DOTS:
        return [_DOTS[segment]]
    pieces = [segment[at : at + _MAX_NAME] for at in range(0, len(segment), _MAX_NAME)]
    return [*(f"{piece}{_CONTINUES}" for piece in pieces[:-1]), *pieces[-1:]]


def _sync_folder(folder: Path) -> None:
    """Write a folder's entries to disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
