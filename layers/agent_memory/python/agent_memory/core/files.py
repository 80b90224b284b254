"""Files that are replaced when their next content is complete."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside a file for its next content, which takes its place at the end, unless an error is raised.

    No other process writes to the same path. `OSError` if the file cannot be replaced.
    """
    target = path.resolve()
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield partial
        if target.exists():
            shutil.copymode(target, partial)
        partial.replace(target)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
