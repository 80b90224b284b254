"""Unpack a lock file's wheels for the Lambda runtime, without Docker: pip fetches what the target needs."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

# A change in how a folder is built changes this number, and with it every cached folder's name.
_RECIPE = 2
# Services that functions create clients of, besides what credentials may need (STS).
CLIENT_SERVICES = frozenset({"dynamodb", "s3", "sts"})
# Files and folders that a function neither runs nor reads; a layer's size counts towards Lambda's 250 MB.
_UNUSED = (
    "bin",
    "**/__pycache__",
    "**/tests",
    "**/*.a",
    "**/*.pxd",
    "**/*.pyi",
    "boto3/data",  # descriptions of `boto3.resource`, which nothing uses
    "boto3/examples",
    "botocore/data/*/*/examples-1.json",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in (
            "auth_alpha",
            "batch",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "parser",
            "streaming",
        )
    ),
)


class WheelsError(RuntimeError):
    """The wheels of a lock file could not be fetched."""


@dataclass(frozen=True, slots=True)
class WheelTarget:
    """Interpreter and machine that the wheels run on.

    Attributes:
        python: version as "3.13".
        machine: "aarch64" or "x86_64".
        glibc: minor version of the newest glibc that wheels may ask for; Amazon Linux 2023 has 2.34.
    """

    python: str = "3.13"
    machine: str = "aarch64"
    glibc: int = 34

    def pip_options(self) -> list[str]:
        """Options that make pip choose wheels for this target, whatever it runs on itself."""
        # Each glibc version has a tag of its own, and pip takes only those that it is told.
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1)]
        platforms = [option for tag in [*tags, f"manylinux2014_{self.machine}"] for option in ("--platform", tag)]
        return [*platforms, "--python-version", self.python, "--implementation", "cp"]

    def markers(self) -> dict[str, str]:
        """Environment in which a requirement's marker is true or false for this target."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def locked_requirements(lock: str, target: WheelTarget) -> list[str]:
    """The lines of a lock file that apply to the target, with their hashes and without their markers.

    pip judges markers by the interpreter that it runs on, so they are judged here.
    """
    logical_lines = re.sub(r"\\\n", " ", lock).splitlines()
    chosen = []
    for line in logical_lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(target.markers()):
            name_and_version = f"{requirement.name}{requirement.specifier}"
            chosen.append(" ".join([name_and_version, *(part.strip() for part in hashes)]))
    return chosen


def fingerprint(lock: str, target: WheelTarget) -> str:
    """What a built folder depends on, as hexadecimal text."""
    content = "\n".join([str(_RECIPE), repr(target), *locked_requirements(lock, target)])
    return hashlib.sha256(content.encode()).hexdigest()


def build_wheels(lock_file: Path, target: WheelTarget, cache: Path) -> Path:
    """Unpack a lock file's wheels under `python/` of a folder below `cache`, once for each lock and target.

    Returns:
        The folder, ready to be a Lambda layer. It appears whole or not at all.

    Raises:
        WheelsError: pip could not fetch a wheel that the target accepts.
    """
    lock = lock_file.read_text()
    built = cache / f"{lock_file.parent.name}-{fingerprint(lock, target)[:16]}"
    if built.is_dir():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as scratch:
        folder = Path(scratch) / "layer"
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("\n".join(locked_requirements(lock, target)) + "\n")
        _install(requirements, folder / "python", target)
        _prune(folder / "python")
        _move_into_place(folder, built)
    return built


def _install(requirements: Path, folder: Path, target: WheelTarget) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--target", str(folder)]
    # `pip install` compares "Requires-Python" with the interpreter that it runs on; the lock has settled that.
    command += [*target.pip_options(), "--ignore-requires-python", "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    if result.returncode != 0:
        reason = (result.stderr or result.stdout).strip()
        raise WheelsError(f"pip could not fetch the wheels of the {target.python} {target.machine} layer:\n{reason}")


def _prune(folder: Path) -> None:
    """Delete what a function does not need."""
    descriptions = [path for path in folder.glob("botocore/data/*/") if path.name not in CLIENT_SERVICES]
    for path in [*descriptions, *(path for pattern in _UNUSED for path in folder.glob(pattern))]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # it may have been in a folder that is gone


def _move_into_place(folder: Path, built: Path) -> None:
    try:
        folder.rename(built)
    except OSError:
        if not built.is_dir():  # another synthesis that finished first left the same content
            raise
