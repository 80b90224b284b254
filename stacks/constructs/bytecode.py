"""Byte-code in layers: functions cannot write into `/opt`, so that without it they compile each module at a cold start.

Byte-code belongs to one version of Python. Where that of the functions is not installed on the machine that deploys,
layers have none, and all works as well but starts later.
"""

import subprocess
from pathlib import Path

from stacks.pythons import interpreter

_MOUNTED_AT = "/opt"


def can_compile(version: str) -> bool:
    """Whether a Python of this version ("3.13") is installed."""
    return interpreter(version) is not None


def compile_modules(layer: Path, version: str) -> None:
    """Add byte-code to the modules of a layer, if there is a Python of this version.

    It is not compared with its module when it is loaded (PEP 552, unchecked), since a layer never changes. What cannot
    be compiled, as a template that only looks like a module, is left to whoever imports it.
    """
    python = interpreter(version)
    if python is None:
        return
    command = [python, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(layer), "-p", _MOUNTED_AT, str(layer / "python")]
    subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed arguments
