"""Whether the file that a console has opened is still there: an open file can be read after it was removed."""

from pathlib import Path

from agent_memory.core.errors import Misconfigured


class OpenedFile:
    """A SQLite file, and its folder of objects if it had one."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._objects = self._path.with_name(f"{self._path.name}-objects")
        self._identity = _identity(self._path)
        self._had_objects = False

    def check(self) -> None:
        """Raise `Misconfigured` if the file was removed or another one is in its place: its pages would be of no file.

        SQLite would go on with what it has open, and create an empty file for the next connection.
        """
        found = _identity(self._path)
        if found is None:
            raise Misconfigured(f"{self._path} is not there any more; put it back, or stop this console")
        if found != self._identity:
            raise Misconfigured(f"{self._path} is another file than the one that was opened; start this console again")
        if self._objects.is_dir():
            self._had_objects = True
        elif self._had_objects:
            raise Misconfigured(f"{self._objects} is not there any more; put it back, or stop this console")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
