"""Files that commands write; each error is an `InvalidInput` that names the option."""

from pathlib import Path
from tempfile import NamedTemporaryFile

from agent_memory.core.errors import InvalidInput
from agent_memory.core.files import replacing

_SQLITE = b"SQLite format 3\0"


def check_writable(option: str, path: Path) -> None:
    """Check that a file can be written before a long record is read, without changing it.

    A SQLite database is refused: it may be the store itself.
    """
    try:
        NamedTemporaryFile(dir=path.absolute().parent).close()
        if path.exists():
            path.open("ab").close()
        if path.is_file():
            with path.open("rb") as file:
                is_database = file.read(len(_SQLITE)) == _SQLITE
            if is_database:
                raise InvalidInput(option, f"{path} is a SQLite database; name another file")
    except OSError as error:
        raise _cannot_write(option, path, error) from error


def write_text(option: str, path: Path, text: str) -> None:
    """Write a file, replacing an earlier one when it is complete; what is no file, as a pipe, is written to."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _cannot_write(option, path, error) from error


def _cannot_write(option: str, path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(option, f"cannot write {path}: {error.strerror}")
