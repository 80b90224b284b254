"""Finds an interpreter of a given version, as `.ci/run` does: this one, one on the PATH, or one of pyenv."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


@functools.cache
def interpreter(version: str) -> str | None:
    """The path of a Python of this version ("3.13") that starts; None where none is installed."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [sys.executable, shutil.which(f"python{version}"), *pyenv.glob(f"versions/{version}.*/bin/python")]
    return next((str(path) for path in candidates if path and _version_of(path) == version), None)


def _version_of(path: str | Path) -> str | None:
    """The version; None for a command that does not start, as one that pyenv only passes on."""
    completed = subprocess.run(  # noqa: S603  a Python of this machine
        [path, "-I", "-S", "-c", _VERSION], capture_output=True, text=True, check=False
    )
    return completed.stdout.strip() if completed.returncode == 0 else None
