"""Files that survive a crash: written atomically, and verified by a checksum when they are read.

A verified file is one line of JSON with its format and the SHA-256 of the rest, followed by the rest.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from agent_memory import InvalidInput


def write_verified(path: Path, file_format: str, body: bytes, **header: Any) -> None:
    """Write a verified file atomically. `header` is kept beside format and checksum. `OSError` if it fails."""
    line = {"format": file_format, **header, "sha256": hashlib.sha256(body).hexdigest()}
    write_atomically(path, json.dumps(line).encode() + b"\n" + body)


def read_verified(path: Path, file_format: str, *, field: str, description: str) -> tuple[dict[str, Any], bytes]:
    """Return the header and the body of a verified file.

    Raises:
        InvalidInput: the file has another format, or is damaged; names `field` and says what was expected.
        OSError: the file cannot be read.
    """
    first, _, body = path.read_bytes().partition(b"\n")
    try:
        header = json.loads(first)
        has_format = header["format"] == file_format
    except (ValueError, TypeError, KeyError):
        has_format = False
    if not has_format:
        raise InvalidInput(field, f"{path} is not {description} of format {file_format}")
    if hashlib.sha256(body).hexdigest() != header["sha256"]:
        raise InvalidInput(field, f"{path} is damaged: its checksum does not match")
    return header, body


def check_writable_folder(folder: Path) -> None:
    """Raise `OSError` if files cannot be created in a folder, or the folder itself cannot be created."""
    folder = folder.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    with tempfile.TemporaryFile(dir=existing):
        pass


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash at any time leaves the old or the new content, never a mixture.

    The content is written to a temporary file in the same folder, flushed to disk, and renamed.

    Raises:
        OSError: the file cannot be written.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # makes the rename itself durable
    finally:
        os.close(folder)
