"""The emulator's virtual environment: functions run on its Python and import its packages."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from local.errors import LocalCloudError
from local.processes import Tools, in_turn

_COMPLETE = "complete"


def environment_path(lock: Path, folder: Path) -> Path:
    """Folder of the environment for this lock file and this Python."""
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode() + sys.base_prefix.encode())
    return folder / f"venv-{digest.hexdigest()[:12]}"


def is_complete(environment: Path) -> bool:
    """Whether the environment was built completely; an interrupted build is never used."""
    return (environment / _COMPLETE).exists()


def python_of(environment: Path) -> Path:
    """The environment's interpreter."""
    return environment / "bin" / "python"


def build_environment(tools: Tools, lock: Path, environment: Path, log: Path) -> None:
    """Build the environment from the lock file, verifying hashes, and delete those of earlier lock files.

    Raises:
        LocalCloudError: pip cannot install the packages.
    """
    with in_turn(environment.with_suffix(".lock")):
        if is_complete(environment):
            return
        for other in environment.parent.glob("venv-*/"):
            shutil.rmtree(other)
        venv.create(environment, with_pip=not _own_pip())
        _install(tools, lock, environment, log)
        (environment / _COMPLETE).touch()


def _install(tools: Tools, lock: Path, environment: Path, log: Path) -> None:
    target = str(python_of(environment))
    pip = [sys.executable, "-m", "pip", "--python", target] if _own_pip() else [target, "-m", "pip"]
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    try:
        tools.run([*pip, "install", *options, "-r", str(lock)], environment=os.environ, directory=lock.parent, log=log)
    except subprocess.CalledProcessError as error:
        reason = next((line for line in str(error.output).splitlines() if line.startswith("ERROR")), str(error))
        raise LocalCloudError(
            f"pip could not install the emulator: check the network, then try again ({reason}; log: {log})"
        ) from error


def _own_pip() -> bool:
    """Whether this environment has pip; then the other one needs none, which saves seconds."""
    return importlib.util.find_spec("pip") is not None
