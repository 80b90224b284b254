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
_BEGINNING = f"venv-{sys.version_info.major}.{sys.version_info.minor}-"


def environment_path(lock: Path, folder: Path) -> Path:
    """Folder of the environment for this lock file and this Python."""
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode() + sys.base_prefix.encode())
    return folder / f"{_BEGINNING}{digest.hexdigest()[:12]}"


def is_complete(environment: Path) -> bool:
    """Whether the environment was built completely; an interrupted build is never used."""
    return (environment / _COMPLETE).exists()


def python_of(environment: Path) -> Path:
    """The environment's interpreter."""
    return environment / "bin" / "python"


def ensure_environment(tools: Tools, lock: Path, folder: Path, log: Path) -> Path:
    """Return the environment for this lock file, which is built if it is not complete.

    Raises:
        LocalCloudError: pip cannot install the packages.
    """
    environment = environment_path(lock, folder)
    if not is_complete(environment):
        build_environment(tools, lock, environment, log)
    return environment


def build_environment(tools: Tools, lock: Path, environment: Path, log: Path) -> None:
    """Build the environment from the lock file, verifying hashes, and delete those of earlier lock files.

    Those of other Python versions stay: a cloud may run in them.

    Raises:
        LocalCloudError: pip cannot install the packages.
    """
    with in_turn(environment.with_suffix(".lock")):
        if is_complete(environment):
            return
        for other in environment.parent.glob(f"{_BEGINNING}*/"):
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
